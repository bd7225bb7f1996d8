import type { Days, Shift, Visit } from "./model";

/** A visit for tests: an hour at nine, sent to one engineer, with what is given. */
export function aVisit(given: Partial<Visit> = {}): Visit {
  return {
    id: "v1",
    work_order_id: "w1",
    number: 1,
    title: "No hot water",
    priority: "normal",
    site_name: "Main building",
    customer_name: "Atelier Nova",
    engineer_id: "anna",
    state: "dispatched",
    planned_start: "2026-11-23T08:00:00Z",
    planned_end: "2026-11-23T09:00:00Z",
    begun_at: null,
    finished_at: null,
    pin: null,
    respond_by: "2026-11-25T06:00:00Z",
    window_start: null,
    window_end: null,
    ...given,
  };
}

export function aShift(given: Partial<Shift> = {}): Shift {
  return {
    id: "s1",
    engineer_id: "anna",
    starts_at: "2026-11-23T07:00:00Z",
    ends_at: "2026-11-23T15:00:00Z",
    break_opens: null,
    break_closes: null,
    break_minutes: null,
    overtime_minutes: 0,
    leaves_at: null,
    rests_at: null,
    returns_at: null,
    stops: null,
    ...given,
  };
}

export function aDay(given: Partial<Days> = {}): Days {
  const person = (id: string, name: string) => ({ id, name, territory_id: null, daily_capacity_minutes: 480 });
  return {
    engineers: [person("anna", "Anna"), person("bruno", "Bruno")],
    shifts: [aShift(), aShift({ id: "s2", engineer_id: "bruno" })],
    visits: [aVisit()],
    ...given,
  };
}
