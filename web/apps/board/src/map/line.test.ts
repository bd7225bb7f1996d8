import { expect, it } from "vitest";
import { metresBetween, remaining } from "./line";

const LINE = [
  [0, 0],
  [1, 0],
  [1, 1],
];

it("keeps only what lies ahead of somebody on the way", () => {
  expect(remaining(LINE, { lon: 0.5, lat: 0 })).toEqual([
    [0.5, 0],
    [1, 0],
    [1, 1],
  ]);
});

it("starts at the nearest point for somebody beside the way", () => {
  expect(remaining(LINE, { lon: 1.2, lat: 0.5 })[0]).toEqual([1, 0.5]);
  expect(remaining(LINE, { lon: 1.2, lat: 0.5 })).toHaveLength(2);
});

it("measures a degree of latitude as about 111 km", () => {
  expect(metresBetween({ lon: 7, lat: 43 }, { lon: 7, lat: 44 })).toBeCloseTo(111_195, -2);
});
