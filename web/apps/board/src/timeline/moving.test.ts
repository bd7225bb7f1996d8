import { describe, expect, it } from "vitest";
import { anOrder } from "../app/samples";
import { belongsHere, boundsOf, latenessOf, lookOf, subjectOf, unbooked } from "./model";
import { changes, concernsOf, endOf, hindranceOf, type Move, nudged, withMove, withoutVisit, withPin } from "./moving";
import { aDay, aShift, aVisit } from "./samples";

const at = (clock: string, day = "23") => Date.parse(`2026-11-${day}T${clock}:00Z`);
const EARLY = at("06:00");
const moveOf = (given: Partial<Move> = {}): Move => ({
  subject: subjectOf(aVisit()),
  engineerId: "anna",
  start: at("08:00"),
  ...given,
});

describe("a move", () => {
  it("keeps its length and goes by five minutes", () => {
    const later = nudged(moveOf(), 3);
    expect(later.start).toBe(at("08:15"));
    expect(endOf(later)).toBe(at("09:15"));
  });

  it("changes something when engineer or time differ, and always for what nobody had", () => {
    expect(changes(moveOf())).toBe(false);
    expect(changes(moveOf({ start: at("08:05") }))).toBe(true);
    expect(changes(moveOf({ engineerId: "bruno" }))).toBe(true);
    expect(changes(moveOf({ subject: unbooked(anOrder()) }))).toBe(true);
  });

  it("is hindered by work under way and by pins", () => {
    const visit = (given: object) => subjectOf(aVisit(given));
    expect(hindranceOf(visit({ state: "working" }))).toBe("underway");
    expect(hindranceOf(visit({ pin: "time" }))).toBe("pinnedTime");
    expect(hindranceOf(visit({ pin: "engineer" }), "anna")).toBeNull();
    expect(hindranceOf(visit({ pin: "engineer" }), "bruno")).toBe("pinnedEngineer");
    expect(hindranceOf(unbooked(anOrder()), "bruno")).toBeNull();
  });
});

describe("what speaks against a place", () => {
  it("is nothing within a shift, beside no other", () => {
    expect(concernsOf(moveOf({ start: at("10:00") }), aDay(), EARLY)).toEqual([]);
  });

  it("names the past, the end of a shift and another visit", () => {
    const days = aDay({ visits: [aVisit(), aVisit({ id: "v2", work_order_id: "w2", engineer_id: "bruno" })] });
    expect(concernsOf(moveOf({ engineerId: "bruno" }), days, at("08:30"))).toEqual(["past", "overlap"]);
    expect(concernsOf(moveOf({ start: at("14:30") }), aDay(), EARLY)).toEqual(["offShift"]);
    const longer = aDay({ shifts: [aShift({ overtime_minutes: 60 })] });
    expect(concernsOf(moveOf({ start: at("14:30") }), longer, EARLY)).toEqual([]);
  });

  it("names the promise and the customer's window", () => {
    const visit = aVisit({
      respond_by: "2026-11-23T09:30:00Z",
      window_start: "2026-11-23T08:00:00Z",
      window_end: "2026-11-23T09:00:00Z",
    });
    const subject = subjectOf(visit);
    expect(concernsOf(moveOf({ subject, start: at("10:00") }), aDay(), EARLY)).toEqual(["promise", "window"]);
    expect(concernsOf(moveOf({ subject, start: at("07:30") }), aDay(), EARLY)).toEqual(["window"]);
  });
});

describe("the days as expected", () => {
  it("have the visit elsewhere, sent anew and without its pin when somebody else has it", () => {
    const days = aDay({ visits: [aVisit({ state: "accepted", pin: "engineer" })] });
    const [same] = withMove(days, moveOf({ start: at("10:00") }), EARLY).visits;
    expect(same).toMatchObject({ state: "accepted", pin: "engineer", planned_start: "2026-11-23T10:00:00.000Z" });
    const [other] = withMove(days, moveOf({ engineerId: "bruno" }), EARLY).visits;
    expect(other).toMatchObject({ engineer_id: "bruno", state: "dispatched", pin: null });
  });

  it("have a new visit for an order that nobody had", () => {
    const order = anOrder({ duration_minutes: 30 });
    const move = moveOf({ subject: unbooked(order), start: at("11:00") });
    const made = withMove(aDay(), move, EARLY).visits.find((one) => one.work_order_id === order.id);
    expect(made).toMatchObject({ engineer_id: "anna", planned_end: "2026-11-23T11:30:00.000Z" });
  });

  it("lose a visit that waits, and keep one that is done", () => {
    const days = aDay({ visits: [aVisit(), aVisit({ id: "v0", state: "completed" })] });
    expect(withoutVisit(days, "w1").visits.map((one) => one.id)).toEqual(["v0"]);
    expect(withPin(aDay(), "v1", "time").visits[0]?.pin).toBe("time");
  });
});

describe("a visit", () => {
  it("is drawn as planned until it begins, then as it was", () => {
    expect(boundsOf(aVisit(), EARLY)).toEqual({ start: at("08:00"), end: at("09:00") });
    const begun = aVisit({ state: "working", begun_at: "2026-11-23T08:20:00Z" });
    expect(boundsOf(begun, at("08:30"))).toEqual({ start: at("08:20"), end: at("09:20") });
    expect(boundsOf(begun, at("10:00")).end).toBe(at("10:00"));
    const over = aVisit({
      state: "completed",
      begun_at: "2026-11-23T08:20:00Z",
      finished_at: "2026-11-23T08:50:00Z",
    });
    expect(boundsOf(over, at("10:00"))).toEqual({ start: at("08:20"), end: at("08:50") });
  });

  it("is late when it should have begun, or begins after promise or window", () => {
    expect(latenessOf(aVisit(), at("08:04"))).toBeNull();
    expect(latenessOf(aVisit(), at("08:06"))).toBe("overdue");
    expect(latenessOf(aVisit({ respond_by: "2026-11-23T07:59:00Z" }), EARLY)).toBe("promise");
    expect(latenessOf(aVisit({ window_end: "2026-11-23T07:30:00Z" }), EARLY)).toBe("window");
    expect(latenessOf(aVisit({ state: "completed" }), at("12:00"))).toBeNull();
  });

  it("is under way from leaving on", () => {
    expect(lookOf("travelling")).toBe("underway");
    expect(lookOf("suspended")).toBe("underway");
    expect(lookOf("dispatched")).toBe("sent");
  });
});

describe("an order that nobody has", () => {
  const here = (given: object) => belongsHere(anOrder(given), at("00:00"), at("00:00", "24"), at("00:00", "22"));

  it("belongs on any day without a window, and else on its window's days", () => {
    expect(here({})).toBe(true);
    expect(here({ window_start: "2026-11-23T08:00:00Z", window_end: "2026-11-23T12:00:00Z" })).toBe(true);
    expect(here({ window_start: "2026-11-24T08:00:00Z", window_end: "2026-11-24T12:00:00Z" })).toBe(false);
  });

  it("belongs here after all its windows were missed, and never while somebody has it", () => {
    expect(here({ window_start: "2026-11-20T08:00:00Z", window_end: "2026-11-20T12:00:00Z" })).toBe(true);
    expect(here({ engineer_id: "anna", state: "dispatched" })).toBe(false);
    expect(here({ engineer_id: "anna", visit_state: "cancelled", state: "triaged" })).toBe(true);
    expect(here({ state: "cancelled" })).toBe(false);
  });
});
