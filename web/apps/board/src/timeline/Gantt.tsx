import { defaultRangeExtractor, useVirtualizer } from "@tanstack/react-virtual";
import { type RefObject, useCallback, useMemo } from "react";
import type { Span } from "../app/address";
import { useBoard } from "../app/services";
import { loadColour } from "../board/crew";
import { useWords } from "../i18n";
import { Mark } from "../running/Marks";
import type { Disruption } from "../running/model";
import { ReportMenu } from "../running/ReportMenu";
import { Avatar } from "../ui/Avatar";
import { Bar } from "../ui/Messages";
import { type Axis, ticksOf, xAt } from "./axis";
import { type Group, loadOf, type Row } from "./crew";
import { heightOf, Lane, lanesFor } from "./Lane";
import type { Lanes } from "./lanes";
import type { Subject } from "./model";
import type { Move } from "./moving";
import css from "./timeline.module.css";
import type { Hands } from "./VisitBar";

export const NAME_PX = 196;
export const HEAD_PX = 46;
const GROUP_PX = 30;

export type Item =
  | { readonly kind: "group"; readonly territory: string | null; readonly people: number }
  | { readonly kind: "row"; readonly row: Row; readonly lanes: Lanes; readonly height: number };

/** One list of what is drawn from top to bottom; a single group needs no name. */
export function itemsOf(groups: readonly Group[], now: number, span: Span): Item[] {
  return groups.flatMap(({ territory, rows }) => [
    ...(groups.length > 1 ? [{ kind: "group", territory, people: rows.length } as const] : []),
    ...rows.map((row) => {
      const lanes = lanesFor(row, now);
      return { kind: "row", row, lanes, height: heightOf(lanes, span) } as const;
    }),
  ]);
}

interface Props {
  readonly scroller: RefObject<HTMLDivElement | null>;
  readonly items: readonly Item[];
  readonly axis: Axis;
  readonly span: Span;
  readonly now: number;
  readonly territories: ReadonlyMap<string, string>;
  readonly move: Move | null;
  readonly note: string;
  readonly bad: boolean;
  readonly hint: Subject | null;
  readonly chosen: string | null;
  readonly hands: Hands;
  readonly disturbed: ReadonlyMap<string, readonly Disruption[]>;
  readonly rows: ReturnType<typeof useRows>;
}

/** Only the rows in sight are drawn, and the one something is carried from, so that it can be put back. */
export function useRows(scroller: RefObject<HTMLDivElement | null>, items: readonly Item[], move: Move | null) {
  const estimateSize = useCallback(
    (at: number) => {
      const item = items[at];
      return item?.kind === "row" ? item.height : GROUP_PX;
    },
    [items],
  );
  const getItemKey = useCallback(
    (at: number) => {
      const item = items[at];
      return item?.kind === "row" ? item.row.person.id : `group ${item?.territory}`;
    },
    [items],
  );
  const from = move?.subject.visit?.engineerId;
  const held = items.findIndex((item) => item.kind === "row" && item.row.person.id === from);
  return useVirtualizer({
    count: items.length,
    getScrollElement: () => scroller.current,
    estimateSize,
    getItemKey,
    scrollMargin: HEAD_PX,
    scrollPaddingStart: HEAD_PX,
    overscan: 3,
    rangeExtractor: (range) => {
      const seen = defaultRangeExtractor(range);
      return held < 0 || seen.includes(held) ? seen : [...seen, held].sort((a, b) => a - b);
    },
  });
}

export function Gantt(props: Props) {
  const { scroller, items, axis, span, now, territories, move, hint, chosen, hands, disturbed, rows } = props;
  const { t } = useWords();
  const shown = move?.subject ?? hint;
  return (
    <div className={css.scroller} ref={scroller} data-scroller data-grid>
      <div className={css.sheet} style={{ width: NAME_PX + axis.width, height: rows.getTotalSize() + HEAD_PX + 70 }}>
        <Head axis={axis} now={now} />
        {rows.getVirtualItems().map((virtual) => {
          const item = items[virtual.index];
          if (!item) return null;
          const style = { transform: `translateY(${virtual.start}px)`, height: virtual.size };
          if (item.kind === "group") {
            return (
              <div key={virtual.key} className={css.group} style={style}>
                <span>
                  {item.territory === null ? t("timeline.noTerritory") : (territories.get(item.territory) ?? "")}
                  <small>{item.people}</small>
                </span>
              </div>
            );
          }
          const { row, lanes } = item;
          const ghost = move?.engineerId === row.person.id ? move : null;
          return (
            <section
              key={virtual.key}
              className={css.row}
              style={style}
              data-target={ghost !== null}
              data-engineer={row.person.id}
              data-testid="timeline-row"
              aria-label={t("timeline.row", { name: row.person.name, visits: row.visits.length })}
            >
              <Name row={row} disturbed={disturbed.has(row.person.id)} />
              <Lane
                row={row}
                lanes={lanes}
                axis={axis}
                span={span}
                now={now}
                ghost={ghost}
                ghostNote={ghost ? props.note : ""}
                ghostBad={ghost !== null && props.bad}
                moved={move?.subject.orderId ?? null}
                chosen={chosen}
                hands={hands}
                disturbing={disturbed.get(row.person.id) ?? NOTHING}
              />
            </section>
          );
        })}
        {shown && <Hints subject={shown} axis={axis} />}
        <NowLine axis={axis} now={now} />
      </div>
    </div>
  );
}

const NOTHING: readonly Disruption[] = [];

function Head({ axis, now }: { axis: Axis; now: number }) {
  const { times, language, timeZone } = useWords();
  const dayName = useMemo(() => {
    const locale = language === "zh" ? "zh-CN" : "en-GB";
    return new Intl.DateTimeFormat(locale, { timeZone, weekday: "short", day: "numeric", month: "short" });
  }, [language, timeZone]);
  return (
    <div className={css.head}>
      <div className={css.corner} />
      <div className={css.scale} style={{ width: axis.width }}>
        {axis.stretches.map(({ day, from, until }, at) => (
          <span
            key={day}
            className={css.day}
            data-today={now >= from - 12 * 3_600_000 && now <= until && dayName.format(from) === dayName.format(now)}
            style={{ left: at * axis.dayPx, width: axis.dayPx }}
          >
            {dayName.format(from)}
          </span>
        ))}
        {ticksOf(axis).map((at) => (
          <span key={at} className={css.tick} style={{ left: xAt(axis, at) }}>
            {times.clock(new Date(at))}
          </span>
        ))}
      </div>
    </div>
  );
}

function Name({ row, disturbed }: { row: Row; disturbed: boolean }) {
  const { t, times } = useWords();
  const state = useBoard((board) => board.engineers.get(row.person.id)?.state);
  const { load, capacity } = loadOf(row);
  const hours = (minutes: number) => times.number(minutes / 60, 1);
  const share = capacity > 0 ? load / capacity : 1;
  const [shift] = row.shifts;
  const worked = shift
    ? t("engineer.shift", { from: times.clock(shift.starts_at), to: times.clock(shift.ends_at) })
    : t("timeline.offShift");
  return (
    <div className={css.name} title={`${row.person.name} · ${worked}`}>
      <Avatar name={row.person.name} state={state} size={26} />
      <span>
        <strong>{row.person.name}</strong>
        {disturbed ? (
          <Mark engineer={row.person.id} brief />
        ) : (
          <small data-off={!shift}>
            {shift ? t("timeline.load", { load: hours(load), capacity: hours(capacity) }) : t("timeline.offShift")}
          </small>
        )}
        {shift && <Bar share={share} fill={loadColour(share)} />}
      </span>
      <ReportMenu engineer={row.person} className={css.nameMenu} />
    </div>
  );
}

/** The customer's window and the promise of what is carried or looked at, through all rows. */
function Hints({ subject, axis }: { subject: Subject; axis: Axis }) {
  const { t, times } = useWords();
  const { windowStart, windowEnd, respondBy } = subject;
  const first = axis.stretches[0]?.from ?? 0;
  const last = axis.stretches.at(-1)?.until ?? 0;
  const left = NAME_PX + xAt(axis, windowStart ?? first);
  const width = NAME_PX + xAt(axis, windowEnd ?? last) - left;
  const windowed = (windowStart !== null || windowEnd !== null) && width > 0;
  return (
    <>
      {windowed && (
        <div className={css.window} style={{ left, width }}>
          <span>{t("timeline.windowLabel")}</span>
        </div>
      )}
      {respondBy >= first && respondBy <= last && (
        <div className={css.promise} style={{ left: NAME_PX + xAt(axis, respondBy) }}>
          <span>{t("promise.respondBy", { time: times.clock(new Date(respondBy)) })}</span>
        </div>
      )}
    </>
  );
}

function NowLine({ axis, now }: { axis: Axis; now: number }) {
  const inside = axis.stretches.some(({ from, until }) => now >= from && now <= until);
  if (!inside) return null;
  return <div className={css.now} style={{ left: NAME_PX + xAt(axis, now) }} aria-hidden="true" />;
}
