import { describe, expect, it } from "vitest";
import { localeOf, timesFor } from "../app/time";
import { translatorFor } from "../i18n/catalogue";
import { type Broken, brokenWords } from "./broken";

const reader = (language: "en" | "zh") => ({
  t: translatorFor(language, localeOf(language)),
  times: timesFor(language, "Europe/Monaco"),
  now: Date.parse("2026-11-23T08:00:00Z"),
  name: "Anna",
  skills: new Map([["hvac", language === "en" ? "Heating" : "暖通"]]),
});

const broken = (given: Partial<Broken>): Broken => ({
  code: "shift",
  sentence: "Said by the server.",
  seconds: null,
  at: null,
  side: null,
  skills: [],
  ...given,
});

describe("what giving an order to somebody would break", () => {
  it("names times in the organisation's zone", () => {
    const free = broken({ seconds: 1_200, at: "2026-11-23T13:00:00Z", side: "early" });
    expect(brokenWords(free, reader("en"))).toBe("Anna is not free before 14:00");
    expect(brokenWords(free, reader("zh"))).toBe("Anna 14:00 之前没有空");
  });

  it("tells home after the shift from no shift at all", () => {
    const late = broken({ seconds: 1_200, at: "2026-11-23T16:00:00Z", side: "late" });
    expect(brokenWords(late, reader("en"))).toBe("Anna would be home 20m after the shift ends at 17:00");
    expect(brokenWords(broken({}), reader("en"))).toBe("Anna has no shift then");
  });

  it("tells before a window from after it", () => {
    const window = { code: "window", seconds: 600, at: "2026-11-23T11:00:00Z" } as const;
    expect(brokenWords(broken({ ...window, side: "early" }), reader("en"))).toBe(
      "Begins 10m before the customer’s window opens at 12:00",
    );
    expect(brokenWords(broken({ ...window, side: "late" }), reader("en"))).toBe(
      "Begins 10m after the customer’s window closed at 12:00",
    );
  });

  it("names the skills that are lacking, and the level there is", () => {
    const skills = [
      { key: "hvac", level: 3, has: 1 },
      { key: "gas", level: 2, has: 0 },
    ];
    expect(brokenWords(broken({ code: "skill", skills }), reader("en"))).toBe(
      "Anna lacks: Heating at level 3 (has 1), gas at level 2",
    );
    expect(brokenWords(broken({ code: "skill", skills }), reader("zh"))).toBe(
      "Anna 缺少：暖通 3 级（现为 1 级），gas 2 级",
    );
  });
});
