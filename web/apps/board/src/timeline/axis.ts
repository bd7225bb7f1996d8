import { dayAfter, startOf } from "./days";

export const HOUR_MS = 3_600_000;
export const STEP_MS = 5 * 60_000;

/** The hours of one day that are shown. */
export interface Stretch {
  readonly day: string;
  readonly from: number;
  readonly until: number;
}

/** Days side by side, each with the same hours; the nights between them take no room. */
export interface Axis {
  readonly stretches: readonly Stretch[];
  readonly hourPx: number;
  readonly dayPx: number;
  readonly width: number;
}

type Hours = readonly [from: number, until: number];

const USUAL: Hours = [7, 19];

interface Bounds {
  readonly start: number;
  readonly end: number;
}

/** The hours of the day to show: the usual ones, widened by whatever happens outside of them. */
export function hoursShown(days: readonly string[], timeZone: string, happens: Iterable<Bounds>): Hours {
  let [first, last] = USUAL;
  const starts = [...days, dayAfter(days.at(-1) ?? "1970-01-01", 1)].map((day) => startOf(day, timeZone));
  for (const { start, end } of happens) {
    for (let at = 0; at < days.length; at += 1) {
      const [from, until] = [starts[at] ?? 0, starts[at + 1] ?? 0];
      if (end <= from || start >= until) continue;
      first = Math.min(first, Math.floor((Math.max(start, from) - from) / HOUR_MS));
      last = Math.max(last, Math.ceil((Math.min(end, until) - from) / HOUR_MS));
    }
  }
  return [Math.max(0, first), Math.min(24, last)];
}

/** Lays days out over `room` pixels, yet never narrower than `leastHourPx` an hour. */
export function axisOf(
  days: readonly string[],
  timeZone: string,
  [first, last]: Hours,
  room: number,
  leastHourPx: number,
): Axis {
  const hours = last - first;
  const hourPx = Math.max(leastHourPx, Math.floor((room / (hours * days.length)) * 10) / 10);
  const stretches = days.map((day) => {
    const from = startOf(day, timeZone) + first * HOUR_MS;
    return { day, from, until: from + hours * HOUR_MS };
  });
  const dayPx = hourPx * hours;
  return { stretches, hourPx, dayPx, width: dayPx * days.length };
}

/** Where an instant lies; one in a night lies at the next morning, one outside at the nearer end. */
export function xAt({ stretches, hourPx, dayPx, width }: Axis, instant: number): number {
  const at = stretches.findIndex(({ until }) => instant <= until);
  const stretch = stretches[at];
  if (!stretch) return width;
  return at * dayPx + (Math.max(0, instant - stretch.from) / HOUR_MS) * hourPx;
}

/** The instant that lies at a place. */
export function timeAt({ stretches, hourPx, dayPx, width }: Axis, x: number): number {
  const inside = Math.min(Math.max(0, x), width - 0.001);
  const at = Math.floor(inside / dayPx);
  return (stretches[at]?.from ?? 0) + ((inside - at * dayPx) / hourPx) * HOUR_MS;
}

export const isShown = ({ stretches }: Axis, { start, end }: Bounds): boolean =>
  stretches.some(({ from, until }) => start < until && end > from);

/** To the next five minutes. */
export const snapped = (instant: number): number => Math.round(instant / STEP_MS) * STEP_MS;

const TICKS = [1, 2, 3, 6, 12] as const;
const TICK_PX = 46;

/** How many hours lie between what is written above the columns: no denser than it can be read. */
export const tickHours = ({ hourPx }: Pick<Axis, "hourPx">): number =>
  TICKS.find((hours) => hours * hourPx >= TICK_PX) ?? 24;

/** The instants to write above the columns. */
export function ticksOf(axis: Axis): number[] {
  const { stretches } = axis;
  const step = tickHours(axis) * HOUR_MS;
  return stretches.flatMap(({ from, until }) =>
    Array.from({ length: Math.ceil((until - from) / step) }, (_, at) => from + at * step),
  );
}
