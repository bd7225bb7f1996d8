import { ChevronDown, EllipsisVertical, Pin as PinIcon, Send } from "lucide-react";
import { useState } from "react";
import type { Order } from "../app/model";
import { useBoard } from "../app/services";
import { useWords } from "../i18n";
import { Mark } from "../running/Marks";
import { ReportMenu } from "../running/ReportMenu";
import { Avatar } from "../ui/Avatar";
import { PriorityMark } from "../ui/Badges";
import { Countdown } from "../ui/Promise";
import { StateGlyph } from "../ui/StateGlyph";
import { type Group, loadOf, type Row } from "./crew";
import { latenessOf, lookOf, orderStateOf, subjectOf, unbooked, type Visit } from "./model";
import css from "./timeline.module.css";
import { type Hands, useVisitLabel } from "./VisitBar";

interface Props {
  readonly groups: readonly Group[];
  readonly orders: readonly Order[];
  readonly territories: ReadonlyMap<string, string>;
  readonly now: number;
  readonly hands: Hands;
  readonly onPlace: (order: Order) => void;
}

/** The day as lists, one for each engineer: nothing to drag, everything one touch away. */
export function PhoneDays({ groups, orders, territories, now, hands, onPlace }: Props) {
  const { t } = useWords();
  return (
    <div className={css.phone} data-scroller>
      {orders.length > 0 && <Unassigned orders={orders} onOpen={hands.open} onPlace={onPlace} />}
      {groups.map(({ territory, rows }) => (
        <section key={territory}>
          {groups.length > 1 && (
            <h2 className={css.phoneGroup}>
              {territory === null ? t("timeline.noTerritory") : (territories.get(territory) ?? "")}
            </h2>
          )}
          {rows.map((row) => (
            <PhoneRow key={row.person.id} row={row} now={now} hands={hands} />
          ))}
        </section>
      ))}
    </div>
  );
}

interface UnassignedProps {
  readonly orders: readonly Order[];
  readonly onOpen: Hands["open"];
  readonly onPlace: (order: Order) => void;
}

function Unassigned({ orders, onOpen, onPlace }: UnassignedProps) {
  const { t, times } = useWords();
  const [open, setOpen] = useState(false);
  return (
    <section className={css.phonePerson} data-testid="tray">
      <button type="button" className={css.phoneHead} aria-expanded={open} onClick={() => setOpen(!open)}>
        <Avatar name={null} size={30} />
        <span>
          <strong>{t("tray.title")}</strong>
          <small>{t("tray.count", { count: orders.length })}</small>
        </span>
        <ChevronDown size={18} className={css.chevron} aria-hidden="true" />
      </button>
      {open && (
        <ul>
          {orders.map((order) => (
            <li key={order.id} className={css.phoneVisit} data-priority={order.priority}>
              <button type="button" className={css.phoneFace} onClick={() => onOpen(unbooked(order))}>
                <span>
                  <PriorityMark priority={order.priority} />
                  <strong>{order.title}</strong>
                </span>
                <small>
                  #{order.number} · {order.site_name} · {times.span(order.duration_minutes * 60)}
                </small>
                <Countdown order={order} />
              </button>
              <button
                type="button"
                className={css.phoneMore}
                aria-label={t("tray.place", { number: order.number })}
                onClick={() => onPlace(order)}
              >
                <Send size={17} />
              </button>
            </li>
          ))}
        </ul>
      )}
    </section>
  );
}

function PhoneRow({ row, now, hands }: { row: Row; now: number; hands: Hands }) {
  const { t, times } = useWords();
  const [chosen, setOpen] = useState<boolean | null>(null);
  const open = chosen ?? row.visits.length > 0;
  const state = useBoard((board) => board.engineers.get(row.person.id)?.state);
  const { load } = loadOf(row);
  const [shift] = row.shifts;
  const late = row.visits.filter((visit) => latenessOf(visit, now)).length;
  return (
    <section className={css.phonePerson} data-testid="timeline-row">
      <div className={css.phoneTop}>
        <button type="button" className={css.phoneHead} aria-expanded={open} onClick={() => setOpen(!open)}>
          <Avatar name={row.person.name} state={state} size={30} />
          <span>
            <strong>{row.person.name}</strong>
            <small>
              {shift
                ? t("engineer.shift", { from: times.clock(shift.starts_at), to: times.clock(shift.ends_at) })
                : t("timeline.offShift")}
              {" · "}
              {t("timeline.visits", { visits: row.visits.length })}
              {row.visits.length > 0 && ` · ${times.span(load * 60)}`}
            </small>
            <Mark engineer={row.person.id} />
          </span>
          {late > 0 && <em>{t("timeline.lateCount", { count: late })}</em>}
          <ChevronDown size={18} className={css.chevron} aria-hidden="true" />
        </button>
        <ReportMenu engineer={row.person} className={css.phoneMore} />
      </div>
      {open && row.visits.length > 0 && (
        <ul>
          {row.visits.map((visit) => (
            <PhoneVisit key={visit.id} visit={visit} now={now} hands={hands} />
          ))}
        </ul>
      )}
    </section>
  );
}

function PhoneVisit({ visit, now, hands }: { visit: Visit; now: number; hands: Hands }) {
  const { t, times } = useWords();
  const label = useVisitLabel(visit, now);
  const late = latenessOf(visit, now);
  const look = lookOf(visit.state);
  return (
    <li className={css.phoneVisit} data-priority={visit.priority} data-look={look} data-late={late ?? undefined}>
      <time>
        {times.clock(visit.planned_start)}
        <small>{times.clock(visit.planned_end)}</small>
      </time>
      <button
        type="button"
        className={css.phoneFace}
        aria-label={label}
        data-testid="visit"
        data-order={visit.work_order_id}
        onClick={() => hands.open(subjectOf(visit))}
      >
        <span>
          <PriorityMark priority={visit.priority} />
          <strong>{visit.title}</strong>
          {visit.pin && <PinIcon size={13} aria-hidden="true" />}
        </span>
        <small>
          #{visit.number} · {visit.site_name}
        </small>
        <small className={css.phoneState}>
          <StateGlyph state={orderStateOf(visit.state)} size={13} />
          {t(`look.${look}`)}
          {late && <em>{t(`late.${late}`)}</em>}
        </small>
      </button>
      <button
        type="button"
        className={css.phoneMore}
        aria-label={t("timeline.menu", { number: visit.number })}
        onClick={(event) => hands.menu(subjectOf(visit), event.currentTarget.getBoundingClientRect())}
      >
        <EllipsisVertical size={18} />
      </button>
    </li>
  );
}
