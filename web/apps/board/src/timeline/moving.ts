import { STEP_MS } from "./axis";
import { boundsOf, type Days, type Pin, type Shift, type Subject, type Visit, waits } from "./model";

/** Where something would go if it were let go now. */
export interface Move {
  readonly subject: Subject;
  readonly engineerId: string;
  readonly start: number;
}

export const endOf = ({ start, subject }: Move): number => start + subject.lengthMs;

export const nudged = (move: Move, steps: number): Move => ({ ...move, start: move.start + steps * STEP_MS });

/** Whether letting go here changes anything. */
export function changes({ subject, engineerId, start }: Move): boolean {
  return subject.visit === null || subject.visit.engineerId !== engineerId || subject.visit.start !== start;
}

export type Hindrance = "underway" | "pinnedTime" | "pinnedEngineer";

/** What forbids a move, if anything. Without a target: whether it can be moved at all. */
export function hindranceOf(subject: Subject, engineerId?: string): Hindrance | null {
  const { visit } = subject;
  if (visit === null) return null;
  if (!waits(visit.state)) return "underway";
  if (visit.pin === "time") return "pinnedTime";
  const other = engineerId !== undefined && engineerId !== visit.engineerId;
  return visit.pin === "engineer" && other ? "pinnedEngineer" : null;
}

export const CONCERNS = ["past", "promise", "window", "offShift", "overlap"] as const;
export type Concern = (typeof CONCERNS)[number];

/** What speaks against a place, though it is not forbidden: the dispatcher may know better. */
export function concernsOf(move: Move, days: Days, now: number): Concern[] {
  const { subject, start, engineerId } = move;
  const end = endOf(move);
  const shift = days.shifts.find((one) => one.engineer_id === engineerId && covers(one, start, end));
  const others = days.visits.filter((one) => one.engineer_id === engineerId && one.work_order_id !== subject.orderId);
  const found: Record<Concern, boolean> = {
    past: start < now - STEP_MS,
    promise: start > subject.respondBy,
    window:
      (subject.windowStart !== null && start < subject.windowStart) ||
      (subject.windowEnd !== null && start > subject.windowEnd),
    offShift: shift === undefined,
    overlap: others.some((one) => overlaps(one, start, end, now)),
  };
  return CONCERNS.filter((one) => found[one]);
}

const covers = (shift: Shift, start: number, end: number): boolean =>
  Date.parse(shift.starts_at) <= start && end <= Date.parse(shift.ends_at) + shift.overtime_minutes * 60_000;

function overlaps(visit: Visit, start: number, end: number, now: number): boolean {
  const bounds = boundsOf(visit, now);
  return bounds.start < end && bounds.end > start;
}

/** The days as they will be when the server has agreed. */
export function withMove(days: Days, move: Move, now: number): Days {
  const { subject, engineerId, start } = move;
  const [planned_start, planned_end] = [new Date(start).toISOString(), new Date(endOf(move)).toISOString()];
  const known = days.visits.find((one) => one.work_order_id === subject.orderId && waits(one.state));
  const other = known?.engineer_id !== engineerId;
  const placed: Visit = known
    ? {
        ...known,
        engineer_id: engineerId,
        planned_start,
        planned_end,
        ...(other && { state: "dispatched", pin: null }),
      }
    : fresh(subject, engineerId, planned_start, planned_end, now);
  return { ...days, visits: [...days.visits.filter((one) => one !== known), placed] };
}

export function withoutVisit(days: Days, orderId: string): Days {
  return { ...days, visits: days.visits.filter((one) => one.work_order_id !== orderId || !waits(one.state)) };
}

export function withPin(days: Days, visitId: string, pin: Pin | null): Days {
  return { ...days, visits: days.visits.map((one) => (one.id === visitId ? { ...one, pin } : one)) };
}

function fresh(subject: Subject, engineerId: string, planned_start: string, planned_end: string, now: number): Visit {
  const text = (at: number | null) => (at === null ? null : new Date(at).toISOString());
  return {
    id: `new ${subject.orderId} ${now}`,
    work_order_id: subject.orderId,
    number: subject.number,
    title: subject.title,
    priority: subject.priority,
    site_name: subject.where,
    customer_name: subject.where,
    engineer_id: engineerId,
    state: "dispatched",
    planned_start,
    planned_end,
    begun_at: null,
    finished_at: null,
    pin: null,
    respond_by: new Date(subject.respondBy).toISOString(),
    window_start: text(subject.windowStart),
    window_end: text(subject.windowEnd),
  };
}
