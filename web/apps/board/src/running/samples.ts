import type { Disruption } from "./model";

/** A disruption for tests: somebody absent for the day, with what is given. */
export function aDisruption(given: Partial<Disruption> = {}): Disruption {
  return {
    id: "d1",
    kind: "absence",
    state: "open",
    engineer_id: "anna",
    engineer_name: "Anna",
    work_order_id: null,
    visit_id: null,
    from_at: "2026-11-23T08:00:00Z",
    until_at: "2026-11-23T15:00:00Z",
    reported_by: null,
    reported_at: "2026-11-23T08:00:00Z",
    why: "flu",
    said: "flu",
    plan_id: null,
    repair: null,
    ...given,
  };
}

export function aRepair(given: Partial<NonNullable<Disruption["repair"]>> = {}): Disruption["repair"] {
  return { plan_id: "p1", state: "ready", changes: 2, applied: 0, declined: 0, by_itself: false, ...given };
}
