import type { Answer } from "@callout/api";
import type { Order, Priority, State } from "../app/model";
import { stageOf } from "../app/model";

export type Days = Answer<"/api/v1/timeline", "get">;
export type Visit = Days["visits"][number];
export type Shift = Days["shifts"][number];
export type Person = Days["engineers"][number];
export type Pin = NonNullable<Visit["pin"]>;

/** How far a visit is, coarser than its state. */
export type Look = "planned" | "sent" | "accepted" | "underway" | "done";

export function lookOf(state: Visit["state"]): Look {
  if (state === "planned") return "planned";
  if (state === "dispatched") return "sent";
  if (state === "accepted") return "accepted";
  return state === "completed" ? "done" : "underway";
}

/** The state of an order whose visit this is, for its glyph. */
export function orderStateOf(state: Visit["state"]): State {
  if (state === "planned") return "scheduled";
  if (state === "completed") return "closed";
  if (state === "paused" || state === "suspended") return "on_hold";
  return state as State;
}

/** Nobody has gone on from it: it can still be given another time or another engineer. */
export const waits = (state: Visit["state"]): boolean =>
  state === "planned" || state === "dispatched" || state === "accepted";

/** What can be moved about: a visit, or an order that nobody has. Instants in milliseconds. */
export interface Subject {
  readonly orderId: string;
  readonly number: number;
  readonly title: string;
  readonly where: string;
  readonly priority: Priority;
  readonly respondBy: number;
  readonly windowStart: number | null;
  readonly windowEnd: number | null;
  readonly lengthMs: number;
  /** Null while nobody has it. */
  readonly visit: Booked | null;
}

export interface Booked {
  readonly id: string;
  readonly engineerId: string;
  readonly start: number;
  readonly pin: Pin | null;
  readonly state: Visit["state"];
}

const instant = (text: string | null): number | null => (text === null ? null : Date.parse(text));

export function subjectOf(visit: Visit): Subject {
  const start = Date.parse(visit.planned_start);
  return {
    orderId: visit.work_order_id,
    number: visit.number,
    title: visit.title,
    where: visit.site_name,
    priority: visit.priority,
    respondBy: Date.parse(visit.respond_by),
    windowStart: instant(visit.window_start),
    windowEnd: instant(visit.window_end),
    lengthMs: Date.parse(visit.planned_end) - start,
    visit: { id: visit.id, engineerId: visit.engineer_id, start, pin: visit.pin, state: visit.state },
  };
}

export function unbooked(order: Order): Subject {
  return {
    orderId: order.id,
    number: order.number,
    title: order.title,
    where: order.site_name,
    priority: order.priority,
    respondBy: Date.parse(order.respond_by),
    windowStart: instant(order.window_start),
    windowEnd: instant(order.window_end),
    lengthMs: order.duration_minutes * 60_000,
    visit: null,
  };
}

/** From when to when a visit is drawn: as planned, as soon as it began as it is. */
export function boundsOf(visit: Visit, now: number): { readonly start: number; readonly end: number } {
  const [planned, until] = [Date.parse(visit.planned_start), Date.parse(visit.planned_end)];
  if (visit.begun_at === null) return { start: planned, end: until };
  const start = Date.parse(visit.begun_at);
  const length = until - planned;
  const end = visit.finished_at === null ? Math.max(start + length, now) : Date.parse(visit.finished_at);
  return { start, end: Math.max(end, start + 60_000) };
}

export const LATENESS = ["overdue", "promise", "window"] as const;
export type Lateness = (typeof LATENESS)[number];

const GRACE_MS = 5 * 60_000;

/** In what way a visit is late: it should have begun, or it begins after the promise or the customer's window. */
export function latenessOf(visit: Visit, now: number): Lateness | null {
  const look = lookOf(visit.state);
  if (look === "done") return null;
  const begins = Date.parse(visit.begun_at ?? visit.planned_start);
  if (begins > Date.parse(visit.respond_by)) return "promise";
  if (visit.window_end !== null && begins > Date.parse(visit.window_end)) return "window";
  return visit.begun_at === null && begins + GRACE_MS < now ? "overdue" : null;
}

/** Orders that nobody has and that belong on these days; those with a window on another day do not. */
export function belongsHere(order: Order, from: number, until: number, now: number): boolean {
  // An order that was taken off somebody still names them: its state says that it waits for another.
  if (stageOf(order.state) !== "open") return false;
  const [opens, closes] = [instant(order.window_start), instant(order.window_end)];
  if (closes !== null && closes < now) return true; // its window was missed: any day is right that comes soon
  return (opens === null || opens < until) && (closes === null || closes > from);
}
