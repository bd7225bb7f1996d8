import { ListTodo, type LucideIcon, Map as MapIcon, Plus, Users } from "lucide-react";
import { go, PANES, type Pane, useWhereabouts } from "../app/address";
import { useSession } from "../app/services";
import { useWords } from "../i18n";
import css from "./board.module.css";

const ICONS: Record<Pane, LucideIcon> = { orders: ListTodo, map: MapIcon, engineers: Users };

export function PhoneTabs({ onNew }: { onNew: () => void }) {
  const { t } = useWords();
  const { pane } = useWhereabouts();
  const session = useSession();
  return (
    <nav className={css.phoneTabs}>
      {PANES.map((one) => {
        const Icon = ICONS[one];
        return (
          <button
            key={one}
            type="button"
            aria-current={pane === one ? "page" : undefined}
            onClick={() => go({ pane: one, order: null })}
          >
            <Icon size={21} aria-hidden="true" />
            {t(`nav.${one}`)}
          </button>
        );
      })}
      {session?.person.permissions.includes("orders.create") && (
        <button type="button" onClick={onNew}>
          <Plus size={21} aria-hidden="true" />
          {t("nav.new")}
        </button>
      )}
    </nav>
  );
}
