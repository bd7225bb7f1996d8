import { Coffee } from "lucide-react";
import { memo } from "react";
import { useWords } from "../i18n";
import type { Disruption } from "../running/model";
import { useDisruptionWords } from "../running/words";
import { type Axis, isShown, tickHours, xAt } from "./axis";
import type { Row } from "./crew";
import { type Lanes, lanesOf } from "./lanes";
import { boundsOf, type Shift, type Visit, waits } from "./model";
import { endOf, type Move } from "./moving";
import css from "./timeline.module.css";
import { type Hands, VisitBar } from "./VisitBar";

export const GAP = 5;
const LEAST_PX = 7;
const NOTICED_MS = 10 * 60_000;

export const laneHeight = (span: number): number => (span === 1 ? 38 : 26);

export function lanesFor(row: Row, now: number): Lanes {
  return lanesOf(row.visits.map((visit) => ({ id: visit.id, ...boundsOf(visit, now) })));
}

export const heightOf = ({ count }: Lanes, span: number): number =>
  Math.max(54, count * (laneHeight(span) + 3) + 2 * GAP);

interface Props {
  readonly row: Row;
  readonly lanes: Lanes;
  readonly axis: Axis;
  readonly span: number;
  readonly now: number;
  readonly ghost: Move | null;
  readonly ghostNote: string;
  readonly ghostBad: boolean;
  /** The order that is being carried, from here or from elsewhere. */
  readonly moved: string | null;
  readonly chosen: string | null;
  readonly hands: Hands;
  /** What keeps them from their work. */
  readonly disturbing: readonly Disruption[];
}

/** One engineer's days: when they work and rest, where they drive, whom they visit. */
export const Lane = memo(function Lane(props: Props) {
  const { row, lanes, axis, span, now, ghost, moved, chosen, hands } = props;
  const height = laneHeight(span);
  const topOf = (visit: string) => GAP + (lanes.of.get(visit) ?? 0) * (height + 3);
  return (
    <div className={css.track} style={{ width: axis.width }}>
      {row.shifts.map((shift) => (
        <ShiftShade key={shift.id} shift={shift} axis={axis} />
      ))}
      {axis.stretches.map(({ day }, at) => (
        <div
          key={day}
          className={css.lines}
          data-night={at > 0}
          style={{
            left: at * axis.dayPx,
            width: axis.dayPx,
            backgroundSize: `${axis.hourPx * Math.ceil(tickHours(axis) / 2)}px 100%`,
          }}
        />
      ))}
      {row.shifts.map((shift) => (
        <Drives key={shift.id} shift={shift} axis={axis} topOf={topOf} height={height} visits={row.visits} />
      ))}
      {props.disturbing.map((one) => (
        <Disturbance key={one.id} one={one} axis={axis} />
      ))}
      {row.visits.map((visit) => {
        const bounds = boundsOf(visit, now);
        if (!isShown(axis, bounds)) return null;
        const left = xAt(axis, bounds.start);
        return (
          <VisitBar
            key={visit.id}
            visit={visit}
            left={left}
            width={Math.max(LEAST_PX, xAt(axis, bounds.end) - left - 1)}
            top={topOf(visit.id)}
            height={height}
            now={now}
            moved={moved === visit.work_order_id && waits(visit.state)}
            chosen={chosen === visit.work_order_id}
            hands={hands}
          />
        );
      })}
      {ghost && <Ghost move={ghost} axis={axis} height={height} note={props.ghostNote} bad={props.ghostBad} />}
    </div>
  );
});

function ShiftShade({ shift, axis }: { shift: Shift; axis: Axis }) {
  const { t, times } = useWords();
  const [start, end] = [Date.parse(shift.starts_at), Date.parse(shift.ends_at)];
  const left = xAt(axis, start);
  const right = xAt(axis, end);
  const over = xAt(axis, end + shift.overtime_minutes * 60_000);
  return (
    <>
      <div
        className={css.shift}
        style={{ left, width: right - left }}
        title={t("engineer.shift", { from: times.clock(shift.starts_at), to: times.clock(shift.ends_at) })}
      />
      {over > right && (
        <div className={css.overtime} style={{ left: right, width: over - right }} title={t("timeline.overtime")} />
      )}
      <Rest shift={shift} axis={axis} />
    </>
  );
}

/** The time somebody is not there, or is not free yet. */
function Disturbance({ one, axis }: { one: Disruption; axis: Axis }) {
  const words = useDisruptionWords();
  const bounds = { start: Date.parse(one.from_at), end: Date.parse(one.until_at) };
  if (!isShown(axis, bounds)) return null;
  const left = xAt(axis, bounds.start);
  return (
    <div
      className={css.disturbance}
      data-kind={one.kind}
      data-testid="disturbance"
      style={{ left, width: Math.max(2, xAt(axis, bounds.end) - left) }}
      title={words(one)}
    />
  );
}

/** The break where it will be taken, or while that is open, where it may be. */
function Rest({ shift, axis }: { shift: Shift; axis: Axis }) {
  const { t, times } = useWords();
  const { break_opens, break_closes, break_minutes, rests_at } = shift;
  if (!break_minutes || !break_opens || !break_closes) return null;
  const from = Date.parse(rests_at ?? break_opens);
  const until = rests_at === null ? Date.parse(break_closes) + break_minutes * 60_000 : from + break_minutes * 60_000;
  const left = xAt(axis, from);
  const title = t(rests_at ? "timeline.rest" : "timeline.restOpen", {
    minutes: break_minutes,
    from: times.clock(new Date(from)),
    to: times.clock(new Date(until)),
  });
  return (
    <div
      className={css.rest}
      data-open={rests_at === null}
      style={{ left, width: xAt(axis, until) - left }}
      title={title}
    >
      <Coffee size={12} aria-hidden="true" />
    </div>
  );
}

interface DrivesProps {
  readonly shift: Shift;
  readonly axis: Axis;
  readonly topOf: (visit: string) => number;
  readonly height: number;
  readonly visits: readonly Visit[];
}

/** The way before each stop and home at the end; where somebody is expected at another time than planned, that too. */
function Drives({ shift, axis, topOf, height, visits }: DrivesProps) {
  const { t, times } = useWords();
  if (shift.stops === null) return null;
  const known = new Map(visits.map((visit) => [visit.id, visit]));
  const middle = (visit: string | null) => (visit ? topOf(visit) : GAP) + height / 2;
  const piece = (key: string, from: number, until: number, top: number, title: string) => {
    const left = xAt(axis, from);
    return (
      <div
        key={key}
        className={css.drive}
        style={{ left, width: Math.max(1, xAt(axis, until) - left), top }}
        title={title}
      />
    );
  };
  const legs = shift.stops
    .filter(({ visit_id, drive_seconds }) => drive_seconds > 0 && (visit_id === null || known.has(visit_id)))
    .map((stop) => {
      const until = Date.parse(stop.arrives_at);
      const title = t("timeline.drive", {
        span: times.span(stop.drive_seconds),
        distance: times.distance(stop.drive_metres),
      });
      return piece(stop.arrives_at, until - stop.drive_seconds * 1000, until, middle(stop.visit_id), title);
    });
  for (const stop of shift.stops) {
    const visit = stop.visit_id === null ? undefined : known.get(stop.visit_id);
    const begins = Date.parse(stop.begins_at);
    if (!visit || !waits(visit.state) || Math.abs(begins - Date.parse(visit.planned_start)) < NOTICED_MS) continue;
    const left = xAt(axis, begins);
    const title = t("timeline.expected", {
      number: visit.number,
      from: times.clock(stop.begins_at),
      to: times.clock(stop.ends_at),
    });
    legs.push(
      <div
        key={`expected ${visit.id}`}
        className={css.expected}
        style={{ left, width: xAt(axis, Date.parse(stop.ends_at)) - left, top: topOf(visit.id), height }}
        title={title}
      >
        {visit.number}
      </div>,
    );
  }
  const last = shift.stops.at(-1);
  if (last && shift.returns_at) {
    const [from, until] = [Date.parse(last.ends_at), Date.parse(shift.returns_at)];
    if (until > from) {
      const title = t("timeline.home", {
        span: times.span((until - from) / 1000),
        time: times.clock(shift.returns_at),
      });
      legs.push(piece("home", from, until, middle(last.visit_id), title));
    }
  }
  return legs;
}

interface GhostProps {
  readonly move: Move;
  readonly axis: Axis;
  readonly height: number;
  readonly note: string;
  readonly bad: boolean;
}

function Ghost({ move, axis, height, note, bad }: GhostProps) {
  const left = xAt(axis, move.start);
  const width = Math.max(LEAST_PX, xAt(axis, endOf(move)) - left - 1);
  return (
    <div
      className={css.ghost}
      style={{ left, width, top: GAP, height }}
      data-priority={move.subject.priority}
      data-side={left > axis.width / 2 ? "right" : "left"}
      data-testid="ghost"
    >
      <b>#{move.subject.number}</b>
      <em data-bad={bad}>{note}</em>
    </div>
  );
}
