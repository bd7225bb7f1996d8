import { describe, expect, it } from "vitest";
import { backTestOf, gainOf, pacesOf, typesOf } from "./learnt";

const DURATIONS = {
  held_since: "2026-11-01",
  held_samples: 120,
  planned_mean_error_minutes: 20,
  in_force_mean_error_minutes: 16,
  mean_error_minutes: 12,
};

describe("a back-test", () => {
  it("is read with what would be without anything learnt", () => {
    expect(backTestOf("durations", DURATIONS)).toMatchObject({ plain: 20, now: 16, learnt: 12, samples: 120 });
  });

  it("has no third figure where nothing learnt is what is in force", () => {
    expect(backTestOf("durations", { ...DURATIONS, in_force_mean_error_minutes: 20 })?.plain).toBeNull();
  });

  it("tells the gain by whether less or more is better", () => {
    const errors = backTestOf("durations", DURATIONS);
    const choices = backTestOf("weights", { in_force_first: 0.5, first: 0.6 });
    expect(errors && gainOf(errors)).toBeCloseTo(0.25);
    expect(choices && gainOf(choices)).toBeCloseTo(0.2);
  });

  it("is nothing where the server says something else", () => {
    expect(backTestOf("success", { other: 1 })).toBeNull();
    expect(backTestOf("weights", null)).toBeNull();
  });
});

it("reads minutes and chances by kind of job, the most certain first", () => {
  const types = { lift: { log: Math.log(50), n: 10 }, hvac: { log: Math.log(80), n: 40 } };
  const [first] = typesOf("durations", { types });
  expect(first?.name).toBe("hvac");
  expect(first?.value).toBeCloseTo(80);
  expect(typesOf("success", { types: { lift: { rate: 0.8, n: 3 } } })).toEqual([
    { name: "lift", value: 0.8, samples: 3 },
  ]);
  expect(typesOf("weights", { weights: {} })).toEqual([]);
});

it("reads paces, the slowest first", () => {
  expect(
    pacesOf({ engineers: { a: { percent: 90, n: 4 }, b: { percent: 120, n: 2 } } }).map((one) => one.name),
  ).toEqual(["b", "a"]);
});
