import { isActive, type Order, PRIORITIES, type Priority, responseDue, type State, stageOf } from "../app/model";

export interface Filter {
  readonly text: string;
  /** Empty means every state that still needs somebody. */
  readonly states: readonly State[];
  /** Empty means all. */
  readonly priorities: readonly Priority[];
  /** Those that were taken back, instead of all others. */
  readonly voided: boolean;
}

export const NO_FILTER: Filter = { text: "", states: [], priorities: [], voided: false };

export function isFiltered(filter: Filter): boolean {
  return filter.text !== "" || filter.states.length > 0 || filter.priorities.length > 0 || filter.voided;
}

/** Orders to show, the most pressing first. */
export function visibleOrders(orders: Iterable<Order>, filter: Filter): Order[] {
  const words = fold(filter.text).split(/\s+/).filter(Boolean);
  const shown: Order[] = [];
  for (const order of orders) {
    if (fits(order, filter) && words.every((word) => haystack(order).includes(word))) shown.push(order);
  }
  return shown.sort(byPressure);
}

function fits(order: Order, filter: Filter): boolean {
  if (filter.priorities.length > 0 && !filter.priorities.includes(order.priority)) return false;
  if (filter.states.length > 0) return filter.states.includes(order.state);
  // Somebody who searches, or looks at what was taken back, wants to find finished orders too.
  return filter.text !== "" || filter.voided || isActive(order.state);
}

const folded = new WeakMap<Order, string>();

function haystack(order: Order): string {
  const known = folded.get(order);
  if (known !== undefined) return known;
  const text = fold(
    [order.number, order.title, order.customer_name, order.site_name, order.engineer_name ?? ""].join(" "),
  );
  folded.set(order, text);
  return text;
}

/** Lower case without accents, so that `hotel` finds `Hôtel`. */
export function fold(text: string): string {
  return text.normalize("NFD").replace(/\p{M}/gu, "").toLowerCase();
}

const STAGE_RANK = { open: 0, planned: 0, underway: 0, hold: 0, confirm: 1, closed: 2 } as const;

/** Unfinished first; then by priority; then those still waiting for a response, the earliest promise first. */
export function byPressure(a: Order, b: Order): number {
  return (
    STAGE_RANK[stageOf(a.state)] - STAGE_RANK[stageOf(b.state)] ||
    PRIORITIES.indexOf(a.priority) - PRIORITIES.indexOf(b.priority) ||
    Number(responseDue(b.state)) - Number(responseDue(a.state)) ||
    Date.parse(a.respond_by) - Date.parse(b.respond_by) ||
    a.number - b.number
  );
}

export interface Counts {
  readonly states: Readonly<Partial<Record<State, number>>>;
  readonly priorities: Readonly<Record<Priority, number>>;
}

/** Counts of the unfinished orders. */
export function countOrders(orders: Iterable<Order>): Counts {
  const states: Partial<Record<State, number>> = {};
  const priorities: Record<Priority, number> = { urgent: 0, high: 0, normal: 0 };
  for (const order of orders) {
    if (!isActive(order.state)) continue;
    states[order.state] = (states[order.state] ?? 0) + 1;
    priorities[order.priority] += 1;
  }
  return { states, priorities };
}

export function countOf(counts: Counts, states: readonly State[]): number {
  return states.reduce((sum, state) => sum + (counts.states[state] ?? 0), 0);
}
