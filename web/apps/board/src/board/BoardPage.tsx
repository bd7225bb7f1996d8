import { useMemo, useState } from "react";
import { go, useWhereabouts } from "../app/address";
import { useArchive } from "../app/queries";
import { Splash } from "../app/Splash";
import { useNarrow } from "../app/screen";
import { useBoard, useServices } from "../app/services";
import { DetailPanel } from "../detail/DetailPanel";
import { DevicesPage } from "../devices/DevicesPage";
import { useWords } from "../i18n";
import { InboxPage } from "../inbox/InboxPage";
import { NewOrder } from "../intake/NewOrder";
import { BoardMap } from "../map/BoardMap";
import { Failure } from "../ui/Messages";
import css from "./board.module.css";
import { EngineerCard } from "./EngineerCard";
import { visibleOrders } from "./filter";
import { KeyHelp } from "./KeyHelp";
import { useKeys } from "./keys";
import { LinkBanner } from "./LinkState";
import { PhoneTabs } from "./PhoneTabs";
import { SidePanel } from "./SidePanel";
import { StatusStrip } from "./StatusStrip";
import { TopBar } from "./TopBar";
import { useLiveBoard } from "./useLiveBoard";

export function BoardPage() {
  useLiveBoard();
  const { t } = useWords();
  const { board } = useServices();
  const status = useBoard((now) => now.status);
  const problem = useBoard((now) => now.problem);
  if (status === "loading") return <Splash />;
  if (status === "failed") {
    return (
      <div className={css.failed}>
        <Failure title={t("fail.board")} problem={problem} onRetry={board.open} />
      </div>
    );
  }
  return <ReadyBoard />;
}

function ReadyBoard() {
  const { t } = useWords();
  const narrow = useNarrow();
  const { page, order, engineer, pane, filter } = useWhereabouts();
  const orders = useBoard((now) => now.orders);
  const archive = useArchive(filter.states, filter.text);
  const shown = useMemo(() => {
    const known = archive.length === 0 ? orders : new Map([...archive.map((one) => [one.id, one] as const), ...orders]);
    return visibleOrders(known.values(), filter);
  }, [orders, archive, filter]);
  const [dialog, setDialog] = useState<"new" | "keys" | null>(null);
  useKeys({ shown, openDialog: setDialog, asleep: dialog !== null || page !== "board" });

  const mapShown = !narrow || pane === "map";
  const listShown = !narrow || pane !== "map";
  return (
    <div className={css.page} data-narrow={narrow} data-detail={page === "board" && order !== null}>
      <a className={css.skip} href="#orders">
        {t("nav.skip")}
      </a>
      <TopBar onNew={() => setDialog("new")} onKeys={() => setDialog("keys")} />
      <LinkBanner />
      {page === "inbox" && <InboxPage />}
      {page === "devices" && <DevicesPage />}
      <main className={css.body} hidden={page !== "board"}>
        {listShown && <SidePanel shown={shown} />}
        <section className={css.map} hidden={!mapShown} aria-label={t("map.label")}>
          <BoardMap orders={shown} awake={mapShown && page === "board"} />
          {engineer && <EngineerCard id={engineer} />}
        </section>
        {page === "board" && order && <DetailPanel key={order} id={order} onClose={() => go({ order: null })} />}
      </main>
      {narrow && page === "board" ? <PhoneTabs onNew={() => setDialog("new")} /> : !narrow && <StatusStrip />}
      <NewOrder opened={dialog === "new"} onClose={() => setDialog(null)} />
      <KeyHelp opened={dialog === "keys"} onClose={() => setDialog(null)} />
    </div>
  );
}
