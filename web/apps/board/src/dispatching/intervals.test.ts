import { describe, expect, it } from "vitest";
import { at, scaleOf, verdictOf } from "./intervals";
import type { Figure } from "./queries";

const figure = (samples: number, value: number | null, low: number | null, high: number | null): Figure => ({
  samples,
  value,
  low,
  high,
});

describe("system against people", () => {
  it("says nothing without figures, and little with few", () => {
    expect(verdictOf(figure(0, null, null, null), figure(90, 0.5, 0.4, 0.6), "more")).toBe("nothing");
    expect(verdictOf(figure(29, 0.9, 0.8, 1), figure(90, 0.5, 0.4, 0.6), "more")).toBe("few");
  });

  it("calls a difference clear only where the intervals do not touch", () => {
    expect(verdictOf(figure(90, 0.7, 0.55, 0.8), figure(90, 0.5, 0.4, 0.6), "more")).toBe("unclear");
    expect(verdictOf(figure(90, 0.9, 0.8, 0.95), figure(90, 0.5, 0.4, 0.6), "more")).toBe("system");
    expect(verdictOf(figure(90, 0.9, 0.8, 0.95), figure(90, 0.5, 0.4, 0.6), "less")).toBe("manual");
  });
});

it("draws both on one scale that holds their intervals", () => {
  const figures = [figure(9, 2, 1, 4), figure(9, 3, 2.5, 3.5)];
  const [low, high] = scaleOf(figures, null);
  expect(low).toBe(0);
  expect(high).toBeGreaterThan(4);
  expect(scaleOf(figures, [1, 5])).toEqual([1, 5]);
  expect(at(3, [1, 5])).toBe(50);
  expect(at(9, [1, 5])).toBe(100);
});
