import { expect, it } from "vitest";
import { rateBetween, sampleClock, serverTimeAt } from "./clock";

it("takes a server that keeps real time for one, in spite of a slow network", () => {
  expect(rateBetween({ local: 0, server: 500 }, { local: 4000, server: 4620 })).toBe(1);
});

it("notices a day that is played thirty times faster", () => {
  sampleClock(1_000_000, 50_000);
  sampleClock(1_120_100, 54_000);
  expect(serverTimeAt(55_000)).toBeCloseTo(1_150_125, -1);
});
