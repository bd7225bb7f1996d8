import { describe, expect, it } from "vitest";
import { timesFor } from "../app/time";
import { translatorFor } from "../i18n/catalogue";
import {
  EMPTY_RULE,
  lacksOf,
  limitWords,
  type Named,
  type RuleDraft,
  reordered,
  requestOf,
  thenWords,
  whenWords,
} from "./ruleWords";

const NAMED: Named = {
  t: translatorFor("en", "en-GB"),
  times: timesFor("en", "Europe/Paris"),
  territories: new Map([["t1", "Monte-Carlo"]]),
  problems: new Map([["lift", "Lifts"]]),
};

const RULE: RuleDraft = {
  ...EMPTY_RULE,
  name: "Night",
  conditions: {
    ...EMPTY_RULE.conditions,
    priorities: ["urgent", "high"],
    problem_types: ["lift"],
    territories: ["t1"],
    hours: { start: "22:00", end: "06:00" },
  },
  limits: { ...EMPTY_RULE.limits, min_score: 0.5, max_eta_minutes: 45 },
  treatment: { do: "assign", minutes: null },
};

describe("a rule in words", () => {
  it("says what an order must be like", () => {
    expect(whenWords(RULE.conditions, NAMED)).toBe(
      "When an order is of priority Urgent or High and is about Lifts and lies in Monte-Carlo and comes between 22:00 and 06:00",
    );
    expect(whenWords(EMPTY_RULE.conditions, NAMED)).toBe("Whatever the order");
  });

  it("says what happens, and what keeps it from happening", () => {
    expect(thenWords({ do: "wait", minutes: 90 }, NAMED)).toBe("wait 1h 30m for a person, then send the best");
    expect(limitWords(RULE.limits, RULE.treatment, NAMED)).toBe(
      "but only if the best has at least 50 points and can be there within 45m",
    );
    expect(limitWords(RULE.limits, { do: "pool", minutes: 60 }, NAMED)).toBeNull();
  });
});

describe("a rule on its way to the server", () => {
  it("carries limits and minutes only where they mean something", () => {
    expect(requestOf({ ...RULE, treatment: { do: "never", minutes: 15 } })).toMatchObject({
      limits: {},
      treatment: { do: "never" },
    });
    expect(requestOf({ ...RULE, treatment: { do: "pool", minutes: 60 } }).treatment).toEqual({
      do: "pool",
      minutes: 60,
    });
    expect(requestOf(RULE).limits).toMatchObject({ min_score: 0.5 });
  });

  it("is not sent while something is missing", () => {
    expect(lacksOf(RULE)).toEqual([]);
    expect(lacksOf({ ...RULE, name: " ", treatment: { do: "wait", minutes: null } })).toEqual(["name", "minutes"]);
    const conditions = { ...RULE.conditions, hours: { start: "08:00", end: "08:00" } };
    expect(lacksOf({ ...RULE, conditions })).toEqual(["hours"]);
  });
});

it("takes one thing of a list to another place", () => {
  expect(reordered(["a", "b", "c"], 0, 2)).toEqual(["b", "c", "a"]);
  expect(reordered(["a", "b", "c"], 2, 0)).toEqual(["c", "a", "b"]);
  expect(reordered(["a", "b"], 1, 1)).toEqual(["a", "b"]);
});
