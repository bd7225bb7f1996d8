import { ApiProblem } from "@callout/api";
import { ArrowLeft, FileQuestion, X } from "lucide-react";
import { useEffect, useRef } from "react";
import { go, showOrder, TABS, type Tab, useWhereabouts } from "../app/address";
import type { Order, OrderDetail } from "../app/model";
import { useOrderDetail } from "../app/queries";
import { useNarrow } from "../app/screen";
import { useBoard, useServices } from "../app/services";
import { useWords } from "../i18n";
import { PriorityBadge, StateBadge } from "../ui/Badges";
import { Failure, Message, Skeleton } from "../ui/Messages";
import { Actions } from "./Actions";
import { CandidatesTab } from "./CandidatesTab";
import css from "./detail.module.css";
import { OverviewTab } from "./OverviewTab";
import { PromiseCard } from "./PromiseCard";
import { TimelineTab } from "./TimelineTab";
import { WorkTab } from "./WorkTab";

export function DetailPanel({ id, onClose }: { id: string; onClose: () => void }) {
  const { t } = useWords();
  const narrow = useNarrow();
  const { board } = useServices();
  const summary = useBoard((now) => now.orders.get(id));
  const detail = useOrderDetail(id);
  const panel = useRef<HTMLElement>(null);
  const order = newest(summary, detail.data);
  const found = detail.data;
  useEffect(() => {
    if (found && !summary && !found.voided_at) board.learn(found); // an old order, opened by its address: the map shall know it too
  }, [found, summary, board]);
  useEffect(() => {
    if (narrow) panel.current?.focus();
  }, [narrow]);
  return (
    <aside
      ref={panel}
      className={css.panel}
      data-detail-panel
      data-testid="order-detail"
      tabIndex={-1}
      aria-label={order ? `#${order.number} ${order.title}` : t("nav.detail")}
    >
      <button
        type="button"
        className={css.close}
        aria-label={t(narrow ? "detail.back" : "detail.close")}
        onClick={onClose}
      >
        {narrow ? <ArrowLeft size={20} /> : <X size={18} />}
      </button>
      {order ? <Header order={order} detail={detail.data} /> : detail.isPending && <HeaderSkeleton />}
      {detail.data && order ? (
        <Tabs order={order} detail={detail.data} />
      ) : (
        <Waiting problem={detail.error} onRetry={() => void detail.refetch()} />
      )}
    </aside>
  );
}

/** The list's copy is live, the fetched one may be a moment behind, or the other way round after our own action. */
function newest(summary: Order | undefined, detail: OrderDetail | undefined): Order | undefined {
  if (!summary || !detail) return summary ?? detail;
  return summary.version >= detail.version ? summary : detail;
}

function Header({ order, detail }: { order: Order; detail: OrderDetail | undefined }) {
  return (
    <header className={css.header}>
      <p className={css.number}>#{order.number}</p>
      <h2>{order.title}</h2>
      <div className={css.badges}>
        <StateBadge state={order.state} />
        <PriorityBadge priority={order.priority} />
      </div>
      <PromiseCard order={order} />
      {detail && <Actions order={order} detail={detail} />}
    </header>
  );
}

function HeaderSkeleton() {
  return (
    <header className={css.header}>
      <Skeleton width="60px" />
      <Skeleton width="80%" height={20} />
      <Skeleton width="50%" height={20} />
      <Skeleton height={52} />
    </header>
  );
}

function Waiting({ problem, onRetry }: { problem: unknown; onRetry: () => void }) {
  const { t } = useWords();
  if (problem instanceof ApiProblem && problem.status === 404) {
    return <Message icon={FileQuestion} title={t("fail.notFound")} hint={t("detail.gone")} />;
  }
  if (problem) return <Failure title={t("detail.failed")} problem={problem} onRetry={onRetry} />;
  return (
    <div className={css.body} aria-busy="true">
      <Skeleton height={16} width="40%" />
      <Skeleton height={70} />
      <Skeleton height={16} width="30%" />
      <Skeleton height={110} />
    </div>
  );
}

function Tabs({ order, detail }: { order: Order; detail: OrderDetail }) {
  const { t } = useWords();
  const { tab } = useWhereabouts();
  const tabs = useRef<HTMLDivElement>(null);
  const move = (by: number) => {
    const next = TABS[(TABS.indexOf(tab) + by + TABS.length) % TABS.length];
    if (!next) return;
    go({ tab: next });
    tabs.current?.querySelector<HTMLElement>(`#tab-${next}`)?.focus();
  };
  return (
    <>
      <div className={css.tabs} role="tablist" ref={tabs}>
        {TABS.map((one) => (
          <button
            key={one}
            id={`tab-${one}`}
            type="button"
            role="tab"
            aria-selected={one === tab}
            aria-controls="detail-tab"
            tabIndex={one === tab ? 0 : -1}
            onClick={() => showOrder(order.id, one)}
            onKeyDown={(event) => {
              if (event.key === "ArrowRight") move(1);
              if (event.key === "ArrowLeft") move(-1);
            }}
          >
            {t(`detail.${one}`)}
          </button>
        ))}
      </div>
      <div className={css.body} id="detail-tab" role="tabpanel" aria-labelledby={`tab-${tab}`} data-scroller>
        <TabBody tab={tab} order={order} detail={detail} />
      </div>
    </>
  );
}

function TabBody({ tab, order, detail }: { tab: Tab; order: Order; detail: OrderDetail }) {
  switch (tab) {
    case "overview":
      return <OverviewTab detail={detail} />;
    case "candidates":
      return <CandidatesTab order={order} />;
    case "work":
      return <WorkTab detail={detail} />;
    case "timeline":
      return <TimelineTab id={order.id} />;
  }
}
