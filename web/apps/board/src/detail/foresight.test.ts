import { describe, expect, it } from "vitest";
import type { Slot, WhatIf } from "./arranging";
import { byDay, dayAfter, dayIn, delaysOf } from "./foresight";

type Tour = NonNullable<WhatIf["tour"]>["before"];

const tour = (stops: Record<string, string>): Tour =>
  ({
    stops: Object.entries(stops).map(([id, time]) => ({
      work_order_id: id === "warehouse" ? null : id,
      begins_at: `2026-11-22T${time}:00Z`,
    })),
  }) as Tour;

describe("what happens if", () => {
  it("names whose visits begin later, the latest first", () => {
    const before = tour({ a: "09:00", b: "10:00", c: "11:00", warehouse: "08:00" });
    const after = tour({ a: "09:00", mine: "09:30", b: "10:20", c: "11:45", warehouse: "08:10" });
    expect(delaysOf(before, after, "mine")).toEqual([
      { orderId: "c", seconds: 2700 },
      { orderId: "b", seconds: 1200 },
    ]);
  });

  it("leaves out what nobody would notice, and who would begin earlier", () => {
    const before = tour({ a: "09:00", b: "10:00" });
    expect(delaysOf(before, tour({ a: "08:50", b: "10:00" }), "mine")).toEqual([]);
  });
});

it("puts slots together by day", () => {
  const slot = (day: string, opens_at: string) => ({ day, opens_at }) as Slot;
  const found = byDay([slot("2026-11-22", "8"), slot("2026-11-22", "12"), slot("2026-11-23", "8")]);
  expect(found.map(([day, slots]) => [day, slots.length])).toEqual([
    ["2026-11-22", 2],
    ["2026-11-23", 1],
  ]);
});

it("counts days where the organisation is", () => {
  expect(dayAfter("2026-02-27", 2)).toBe("2026-03-01");
  expect(dayIn(Date.parse("2026-11-22T23:30:00Z"), "Europe/Paris")).toBe("2026-11-23");
});
