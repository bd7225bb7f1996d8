import { CircleCheckBig, GripVertical } from "lucide-react";
import { useMemo } from "react";
import { useServerMinute } from "../app/clock";
import type { Order } from "../app/model";
import { useBoard } from "../app/services";
import { byPressure } from "../board/filter";
import { useWords } from "../i18n";
import { PriorityMark } from "../ui/Badges";
import { Message } from "../ui/Messages";
import { Countdown } from "../ui/Promise";
import { belongsHere, type Days, unbooked, waits } from "./model";
import css from "./timeline.module.css";
import { type Hands, keysFor } from "./VisitBar";

/** What nobody has on these days, the most pressing first. */
export function useUnassigned(from: number, until: number, days: Days | undefined): readonly Order[] {
  const now = useServerMinute();
  const orders = useBoard((board) => board.orders);
  return useMemo(() => {
    const waiting = days?.visits.filter((visit) => waits(visit.state)) ?? [];
    const taken = new Set(waiting.map((visit) => visit.work_order_id)); // by a move that the server has yet to confirm
    return [...orders.values()]
      .filter((order) => belongsHere(order, from, until, now) && !taken.has(order.id))
      .sort(byPressure);
  }, [orders, from, until, now, days]);
}

interface Props {
  readonly orders: readonly Order[];
  readonly carried: string | null;
  /** A visit is held above the tray. */
  readonly inviting: boolean;
  readonly hands: Hands;
}

export function Tray({ orders, carried, inviting, hands }: Props) {
  const { t } = useWords();
  return (
    <aside className={css.tray} data-tray data-inviting={inviting} aria-label={t("tray.title")} data-testid="tray">
      <header>
        <h2>{t("tray.title")}</h2>
        <small>{orders.length}</small>
      </header>
      {inviting && <p className={css.invite}>{t("tray.release")}</p>}
      {orders.length === 0 ? (
        <Message icon={CircleCheckBig} title={t("tray.empty")} hint={t("tray.emptyHint")} />
      ) : (
        <ul data-scroller>
          {orders.map((order) => (
            <li key={order.id}>
              <Card order={order} carried={order.id === carried} hands={hands} />
            </li>
          ))}
        </ul>
      )}
    </aside>
  );
}

function Card({ order, carried, hands }: { order: Order; carried: boolean; hands: Hands }) {
  const { t, times } = useWords();
  const now = useServerMinute();
  const subject = unbooked(order);
  return (
    <button
      type="button"
      className={css.card}
      data-priority={order.priority}
      data-moved={carried}
      data-order={order.id}
      data-testid="tray-order"
      aria-describedby="timeline-hint"
      onClick={() => hands.open(subject)}
      onPointerDown={(event) => hands.grab(event, subject)}
      onPointerEnter={() => hands.hint(subject)}
      onPointerLeave={() => hands.hint(null)}
      onBlur={() => hands.moves(order.id) && hands.cancel()}
      onKeyDown={keysFor(subject, hands)}
    >
      <GripVertical size={14} className={css.grip} aria-hidden="true" />
      <span>
        <span className={css.cardTop}>
          <PriorityMark priority={order.priority} />
          <strong>{order.title}</strong>
        </span>
        <small>
          #{order.number} · {times.span(order.duration_minutes * 60)} · {order.site_name}
        </small>
        <small className={css.cardFacts}>
          <span>{windowWords(order)}</span>
          <Countdown order={order} />
        </small>
      </span>
    </button>
  );

  function windowWords({ window_start: from, window_end: to }: Order): string {
    if (from && to) return `${times.moment(from, now)}–${times.moment(to, Date.parse(from))}`;
    if (from) return t("tray.after", { time: times.moment(from, now) });
    return to ? t("tray.before", { time: times.moment(to, now) }) : "";
  }
}
