import { describe, expect, it } from "vitest";
import { axisOf, HOUR_MS, hoursShown, isShown, snapped, ticksOf, timeAt, xAt } from "./axis";
import { dayAfter, dayOf, daysFrom, startOf } from "./days";

const ZONE = "Europe/Monaco";
const at = (text: string) => Date.parse(text);

describe("days", () => {
  it("are those of the organisation, not of this machine", () => {
    expect(dayOf(at("2026-11-22T23:30:00Z"), ZONE)).toBe("2026-11-23");
    expect(dayOf(at("2026-11-22T23:30:00Z"), "America/New_York")).toBe("2026-11-22");
  });

  it("follow one another over ends of months", () => {
    expect(dayAfter("2026-11-30", 1)).toBe("2026-12-01");
    expect(dayAfter("2026-03-01", -1)).toBe("2026-02-28");
    expect(daysFrom("2026-12-30", 3)).toEqual(["2026-12-30", "2026-12-31", "2027-01-01"]);
  });

  it("begin at midnight, also when clocks change", () => {
    expect(new Date(startOf("2026-03-29", ZONE)).toISOString()).toBe("2026-03-28T23:00:00.000Z");
    expect(new Date(startOf("2026-03-30", ZONE)).toISOString()).toBe("2026-03-29T22:00:00.000Z");
  });
});

describe("the hours shown", () => {
  it("are the usual ones while nothing happens outside of them", () => {
    expect(hoursShown(["2026-11-23"], ZONE, [])).toEqual([7, 19]);
  });

  it("are widened by an early visit and a late shift of any of the days", () => {
    const happens = [
      { start: at("2026-11-23T04:30:00Z"), end: at("2026-11-23T05:30:00Z") },
      { start: at("2026-11-24T12:00:00Z"), end: at("2026-11-24T20:10:00Z") },
    ];
    expect(hoursShown(["2026-11-23", "2026-11-24"], ZONE, happens)).toEqual([5, 22]);
  });

  it("go to midnight for what runs over it, and do not for what lies on another day", () => {
    const night = { start: at("2026-11-23T21:00:00Z"), end: at("2026-11-24T02:00:00Z") };
    expect(hoursShown(["2026-11-23"], ZONE, [night])).toEqual([7, 24]);
    expect(hoursShown(["2026-11-22"], ZONE, [night])).toEqual([7, 19]);
  });
});

describe("an axis", () => {
  const axis = axisOf(["2026-11-23", "2026-11-24"], ZONE, [7, 19], 2400, 20);

  it("leads from an instant to a place and back", () => {
    for (const instant of [at("2026-11-23T06:00:00Z"), at("2026-11-23T11:35:00Z"), at("2026-11-24T17:55:00Z")])
      expect(snapped(timeAt(axis, xAt(axis, instant)))).toBe(instant);
  });

  it("leaves no room for nights", () => {
    expect(xAt(axis, at("2026-11-23T23:00:00Z"))).toBe(axis.dayPx);
    expect(xAt(axis, at("2026-11-24T06:00:00Z"))).toBe(axis.dayPx);
  });

  it("puts what lies outside at its ends", () => {
    expect(xAt(axis, at("2026-11-20T06:00:00Z"))).toBe(0);
    expect(xAt(axis, at("2026-11-28T06:00:00Z"))).toBe(axis.width);
    expect(timeAt(axis, -50)).toBe(at("2026-11-23T06:00:00Z"));
    expect(timeAt(axis, axis.width + 50)).toBeLessThanOrEqual(at("2026-11-24T18:00:00Z"));
  });

  it("is never narrower than can be read", () => {
    expect(axisOf(["2026-11-23"], ZONE, [7, 19], 100, 58).width).toBe(12 * 58);
  });

  it("shows what touches its hours only", () => {
    const night = { start: at("2026-11-23T19:00:00Z"), end: at("2026-11-24T05:00:00Z") };
    expect(isShown(axis, night)).toBe(false);
    expect(isShown(axis, { ...night, end: night.end + 2 * HOUR_MS })).toBe(true);
  });

  it("writes hours no denser than they can be read", () => {
    expect(ticksOf(axis)).toHaveLength(24);
    expect(ticksOf(axisOf(["2026-11-23"], ZONE, [7, 19], 300, 20))).toHaveLength(6);
  });
});

it("snaps to the nearest five minutes", () => {
  expect(snapped(at("2026-11-23T08:02:29Z"))).toBe(at("2026-11-23T08:00:00Z"));
  expect(snapped(at("2026-11-23T08:02:31Z"))).toBe(at("2026-11-23T08:05:00Z"));
});
