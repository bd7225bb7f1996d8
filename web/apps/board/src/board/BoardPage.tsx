import { DoorClosed } from "lucide-react";
import { type ReactNode, useEffect, useMemo, useState } from "react";
import { go, redirect, useWhereabouts } from "../app/address";
import { usePage, usePages } from "../app/pages";
import { useArchive } from "../app/queries";
import { Splash } from "../app/Splash";
import { useNarrow } from "../app/screen";
import { useBoard, useServices } from "../app/services";
import { DetailPanel } from "../detail/DetailPanel";
import { DevicesPage } from "../devices/DevicesPage";
import { DispatchingPage } from "../dispatching/DispatchingPage";
import { useWords } from "../i18n";
import { InboxPage } from "../inbox/InboxPage";
import { NewOrder } from "../intake/NewOrder";
import { BoardMap } from "../map/BoardMap";
import { PlansPage } from "../plans/PlansPage";
import { RepairNotice } from "../running/RepairNotice";
import { RunningDay } from "../running/RunningDay";
import { TimelinePage } from "../timeline/TimelinePage";
import { Failure, Message } from "../ui/Messages";
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
import { useLiveBoard, useServerClock } from "./useLiveBoard";

type Dialog = "new" | "keys" | null;

/** The office's pages. Who may not watch the board still has theirs: the stock desk clears up its discrepancies. */
export function BoardPage() {
  useServerClock();
  const watching = usePages().includes("board");
  return watching ? <Watched /> : <Unwatched />;
}

function Unwatched() {
  const [dialog, setDialog] = useState<Dialog>(null);
  return <Frame dialog={dialog} onDialog={setDialog} detail={false} />;
}

function Watched() {
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
  const page = usePage();
  const { order, engineer, pane, filter } = useWhereabouts();
  const orders = useBoard((now) => now.orders);
  const archive = useArchive(filter);
  const shown = useMemo(() => {
    const living = filter.voided ? [] : orders;
    return visibleOrders(new Map([...archive.map((one) => [one.id, one] as const), ...living]).values(), filter);
  }, [orders, archive, filter]);
  const [dialog, setDialog] = useState<Dialog>(null);
  useKeys({ shown, openDialog: setDialog, asleep: dialog !== null || page !== "board" });

  const mapShown = !narrow || pane === "map";
  const listShown = !narrow || pane !== "map";
  return (
    <Frame dialog={dialog} onDialog={setDialog} detail={page === "board" && order !== null}>
      <main className={css.body} hidden={page !== "board"}>
        {listShown && <SidePanel shown={shown} />}
        <section className={css.map} hidden={!mapShown} aria-label={t("map.label")}>
          <BoardMap orders={shown} awake={mapShown && page === "board"} />
          {engineer && <EngineerCard id={engineer} />}
        </section>
        {page === "board" && order && <DetailPanel key={order} id={order} onClose={() => go({ order: null })} />}
      </main>
      <RunningDay />
      {narrow && page === "board" ? <PhoneTabs onNew={() => setDialog("new")} /> : !narrow && <StatusStrip />}
    </Frame>
  );
}

interface FrameProps {
  readonly dialog: Dialog;
  readonly onDialog: (dialog: Dialog) => void;
  readonly detail: boolean;
  readonly children?: ReactNode;
}

/** What stands around every page. */
function Frame({ dialog, onDialog, detail, children }: FrameProps) {
  const { t } = useWords();
  const page = usePage();
  const narrow = useNarrow();
  const pages = usePages();
  const close = () => onDialog(null);
  useHelpKey(page !== "board", onDialog);
  const { page: asked } = useWhereabouts();
  useEffect(() => {
    if (page !== null && page !== asked) redirect({ page });
  }, [page, asked]);
  return (
    <div className={css.page} data-narrow={narrow} data-detail={detail}>
      <a className={css.skip} href="#orders">
        {t("nav.skip")}
      </a>
      <TopBar onNew={() => onDialog("new")} onKeys={() => onDialog("keys")} />
      {pages.includes("board") && (
        <div className={css.banners}>
          <LinkBanner />
          <RepairNotice />
        </div>
      )}
      {page === "timeline" && <TimelinePage />}
      {page === "plans" && <PlansPage />}
      {page === "dispatching" && <DispatchingPage />}
      {page === "inbox" && <InboxPage />}
      {page === "devices" && <DevicesPage />}
      {page === null && <Message icon={DoorClosed} title={t("nav.nothing")} hint={t("nav.nothingHint")} />}
      {children}
      <NewOrder opened={dialog === "new"} onClose={close} />
      <KeyHelp opened={dialog === "keys"} onClose={close} page={page ?? "board"} pages={pages} />
    </div>
  );
}

/** The board's own keys open the overview there. */
function useHelpKey(awake: boolean, open: (dialog: Dialog) => void): void {
  useEffect(() => {
    if (!awake) return;
    const pressed = (event: KeyboardEvent) => {
      const writing = event.target instanceof Element && event.target.closest("input, textarea, [role=dialog]");
      if (event.key === "?" && !writing) open("keys");
    };
    window.addEventListener("keydown", pressed);
    return () => window.removeEventListener("keydown", pressed);
  }, [awake, open]);
}
