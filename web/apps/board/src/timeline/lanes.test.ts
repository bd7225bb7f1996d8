import { expect, it } from "vitest";
import { lanesOf } from "./lanes";

const item = (id: string, start: number, end: number) => ({ id, start, end });

it("keeps what follows one another in one lane", () => {
  const { of, count } = lanesOf([item("b", 10, 20), item("a", 0, 10)]);
  expect(count).toBe(1);
  expect([...of.values()]).toEqual([0, 0]);
});

it("gives what overlaps lanes of its own and goes back up as soon as there is room", () => {
  const { of, count } = lanesOf([item("a", 0, 30), item("b", 10, 40), item("c", 30, 50), item("d", 20, 25)]);
  expect(count).toBe(3);
  expect(Object.fromEntries(of)).toEqual({ a: 0, b: 1, d: 2, c: 0 });
});

it("has a lane for nothing", () => {
  expect(lanesOf([]).count).toBe(1);
});
