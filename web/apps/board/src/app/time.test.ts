import { expect, it } from "vitest";
import { instantOf, timesFor } from "./time";

it("reads a wall clock in the organisation's zone, summer and winter", () => {
  expect(instantOf("2026-07-01T14:30", "Europe/Monaco").toISOString()).toBe("2026-07-01T12:30:00.000Z");
  expect(instantOf("2026-11-22T14:30", "Europe/Monaco").toISOString()).toBe("2026-11-22T13:30:00.000Z");
  expect(instantOf("2026-11-22T14:30", "Asia/Shanghai").toISOString()).toBe("2026-11-22T06:30:00.000Z");
});

it("is right in the hours around a clock change", () => {
  expect(instantOf("2026-03-29T01:30", "Europe/Monaco").toISOString()).toBe("2026-03-29T00:30:00.000Z");
  expect(instantOf("2026-03-29T03:30", "Europe/Monaco").toISOString()).toBe("2026-03-29T01:30:00.000Z");
});

it("writes spans in two units at most, in either language", () => {
  const english = timesFor("en", "UTC");
  expect(english.span(45)).toBe("45s");
  expect(english.span(4320)).toBe("1h 12m");
  expect(english.span(-3600)).toBe("1h");
  expect(english.span(3 * 86_400 + 5 * 3600 + 59)).toBe("3d 5h");
  expect(timesFor("zh", "UTC").span(4320)).toBe("1小时 12分钟");
});

it("leaves the date out only on the day itself, in the organisation's zone", () => {
  const times = timesFor("en", "Europe/Monaco");
  const now = Date.parse("2026-11-22T22:30:00Z");
  expect(times.moment("2026-11-22T22:45:00Z", now)).toBe("23:45");
  expect(times.moment("2026-11-22T23:15:00Z", now)).toBe("23 Nov, 00:15");
});
