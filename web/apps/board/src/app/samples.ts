import type { Engineer, Order } from "./model";

let made = 0;

/** An order for tests: a normal one, just reported, with what is given. */
export function anOrder(given: Partial<Order> = {}): Order {
  made += 1;
  return {
    id: `01900000-0000-7000-8000-${String(made).padStart(12, "0")}`,
    number: made,
    title: "No hot water",
    problem_type: "heating",
    state: "new",
    priority: "normal",
    customer_id: "c",
    customer_name: "Atelier Nova",
    customer_tier: "standard",
    site_id: "s",
    site_name: "Main building",
    place: { lon: 7.42, lat: 43.73 },
    reported_at: "2026-11-22T06:00:00Z",
    respond_by: "2026-11-25T06:00:00Z",
    window_start: null,
    window_end: null,
    duration_minutes: 60,
    engineer_id: null,
    engineer_name: null,
    visit_id: null,
    visit_state: null,
    planned_start: null,
    planned_end: null,
    version: 1,
    ...given,
  };
}

export function anEngineer(given: Partial<Engineer> = {}): Engineer {
  return {
    id: "e1",
    name: "Nora Lindqvist",
    place: { lon: 7.42, lat: 43.73 },
    heading: null,
    speed_kmh: null,
    fixed_at: null,
    state: "idle",
    current_order_id: null,
    load_minutes: 0,
    capacity_minutes: 480,
    shift: null,
    paused_until: null,
    ...given,
  };
}
