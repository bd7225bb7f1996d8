import { go, useWhereabouts } from "../app/address";
import type { Order } from "../app/model";
import { useNarrow } from "../app/screen";
import { useBoard } from "../app/services";
import { useWords } from "../i18n";
import css from "./board.module.css";
import { EngineerList } from "./EngineerList";
import { OrderList } from "./OrderList";

export function SidePanel({ shown }: { shown: readonly Order[] }) {
  const { t } = useWords();
  const narrow = useNarrow();
  const { pane } = useWhereabouts();
  const crew = useBoard((now) => now.engineers.size);
  const engineers = pane === "engineers";
  return (
    <aside className={css.side} id="orders">
      {!narrow && (
        <div className={css.sideTabs} role="tablist">
          <button type="button" role="tab" aria-selected={!engineers} onClick={() => go({ pane: "orders" })}>
            {t("nav.orders")} <small>{shown.length}</small>
          </button>
          <button type="button" role="tab" aria-selected={engineers} onClick={() => go({ pane: "engineers" })}>
            {t("nav.engineers")} <small>{crew}</small>
          </button>
        </div>
      )}
      {engineers ? <EngineerList /> : <OrderList shown={shown} />}
    </aside>
  );
}
