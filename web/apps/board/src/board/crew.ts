import { ENGINEER_STATES, type Engineer, type Order, stageOf } from "../app/model";

const RANK = new Map(ENGINEER_STATES.map((state, index) => [state as string, index]));
// Whoever is free comes first: that is whom a dispatcher looks for.
RANK.set("idle", -1);

/** Engineers as listed: the free ones, then the busy, those off shift last; by name within each. */
export function sortedCrew(engineers: Iterable<Engineer>): Engineer[] {
  return [...engineers].sort(
    (a, b) => (RANK.get(a.state) ?? 9) - (RANK.get(b.state) ?? 9) || a.name.localeCompare(b.name),
  );
}

/** Orders this engineer still has to bring to an end. */
export function openOrdersOf(engineer: string, orders: Iterable<Order>): Order[] {
  const open: Order[] = [];
  for (const order of orders) {
    const stage = stageOf(order.state);
    if (order.engineer_id === engineer && stage !== "confirm" && stage !== "closed") open.push(order);
  }
  return open;
}

export function loadColour(share: number): string {
  if (share >= 0.95) return "var(--urgent)";
  return share >= 0.75 ? "#d18a1c" : "var(--engineer-idle)";
}
