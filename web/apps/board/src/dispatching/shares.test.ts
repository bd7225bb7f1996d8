import { describe, expect, it } from "vitest";
import { isKey } from "../i18n/catalogue";
import { FACTORS, mostOf, moved, type Shares, sharesOf, WHOLE, weightsOf } from "./shares";
import { TONES } from "./tones";

const NOTHING_HELD = new Set<never>();
const total = (shares: Shares) => FACTORS.reduce((sum, name) => sum + shares[name], 0);

const USUAL = sharesOf({
  eta: 0.26,
  skill: 0.12,
  load: 0.12,
  sla: 0.14,
  continuity: 0.07,
  preferred: 0.06,
  territory: 0.03,
  overtime: 0.03,
  parts: 0.06,
  success: 0.05,
  cost: 0.03,
  fairness: 0.03,
});

describe("shares of the factors", () => {
  it("add up to the whole, also where the weights were learnt and do not quite", () => {
    expect(total(USUAL)).toBe(WHOLE);
    expect(total(sharesOf({ eta: 0.33333, sla: 0.33333, load: 0.33333 }))).toBe(WHOLE);
    expect(total(sharesOf({}))).toBe(WHOLE);
  });

  it("go back to weights that add up to one", () => {
    const sum = Object.values(weightsOf(USUAL)).reduce((before, weight) => before + weight, 0);
    expect(sum).toBeCloseTo(1, 9);
    expect(weightsOf(USUAL).eta).toBe(0.26);
  });

  it("stay whole wherever a slider is moved", () => {
    for (const factor of FACTORS) {
      for (const to of [-50, 0, 1, 7, 333, 999, 1000, 4000]) {
        const next = moved(USUAL, factor, to, NOTHING_HELD);
        expect(total(next)).toBe(WHOLE);
        expect(next[factor]).toBe(Math.min(WHOLE, Math.max(0, to)));
        for (const name of FACTORS) expect(next[name]).toBeGreaterThanOrEqual(0);
      }
    }
  });

  it("leave alone what is held, and go no further than it allows", () => {
    const held = new Set(["eta", "sla"] as const);
    const next = moved(USUAL, "load", 900, held);
    expect([next.eta, next.sla]).toEqual([USUAL.eta, USUAL.sla]);
    expect(next.load).toBe(mostOf(USUAL, "load", held));
    expect(total(next)).toBe(WHOLE);
  });

  it("do not move when everything else is held", () => {
    const held = new Set(FACTORS.filter((name) => name !== "eta"));
    expect(moved(USUAL, "eta", 500, held)).toBe(USUAL);
  });

  it("take from the others in proportion", () => {
    const next = moved(sharesOf({ eta: 0.2, sla: 0.6, load: 0.2 }), "eta", 600, NOTHING_HELD);
    expect([next.eta, next.sla, next.load]).toEqual([600, 300, 100]);
  });

  it("share evenly again when one had everything", () => {
    const next = moved(sharesOf({ eta: 1 }), "eta", 120, NOTHING_HELD);
    expect(next.eta).toBe(120);
    for (const name of FACTORS.slice(1)) expect(next[name]).toBe(80);
  });
});

it("knows every factor of the contract, by a name and what it means", () => {
  expect([...FACTORS].sort()).toEqual(Object.keys(TONES).sort());
  for (const name of FACTORS) for (const group of ["factor", "means"]) expect(isKey(`${group}.${name}`)).toBe(true);
});
