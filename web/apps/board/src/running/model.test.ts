import { describe, expect, it } from "vitest";
import { byEngineer, isOpen, standOf, waitingIn } from "./model";
import { aDisruption, aRepair } from "./samples";

const NOON = Date.parse("2026-11-23T12:00:00Z");
const EVENING = Date.parse("2026-11-23T20:00:00Z");

describe("how the repair of a disruption stands", () => {
  it("says whether somebody decided it or it put itself into effect", () => {
    const done = { state: "done", applied: 2 } as const;
    expect(standOf(aDisruption({ state: "repaired", repair: aRepair(done) }))).toBe("accepted");
    expect(standOf(aDisruption({ state: "repaired", repair: aRepair({ ...done, by_itself: true }) }))).toBe("itself");
  });

  it("tells a repair that was declined from a report that was withdrawn", () => {
    const declined = aRepair({ state: "done", declined: 2 });
    expect(standOf(aDisruption({ state: "ignored", repair: declined }))).toBe("declined");
    expect(standOf(aDisruption({ state: "ignored", repair: aRepair({ state: "cancelled" }) }))).toBe("withdrawn");
    expect(standOf(aDisruption({ state: "ignored" }))).toBe("withdrawn");
  });

  it("knows a day that needs no change, whether a plan said so or none could be made of it", () => {
    expect(standOf(aDisruption({ state: "repaired", repair: aRepair({ state: "done", changes: 0 }) }))).toBe("nothing");
    expect(standOf(aDisruption({ state: "repaired", repair: aRepair({ state: "failed", changes: 0 }) }))).toBe(
      "nothing",
    );
    expect(standOf(aDisruption({ repair: aRepair({ state: "failed", changes: 0 }) }))).toBe("failed");
  });
});

it("keeps in sight what lasts, and what waits for a decision even when it is over", () => {
  expect(isOpen(aDisruption({ state: "repaired" }), NOON)).toBe(true);
  expect(isOpen(aDisruption({ state: "repaired" }), EVENING)).toBe(false);
  expect(isOpen(aDisruption({ repair: aRepair() }), EVENING)).toBe(true);
  expect(isOpen(aDisruption({ state: "ignored" }), NOON)).toBe(false);
});

it("draws in people's days only what keeps them from their work", () => {
  const visit = aDisruption({ id: "d2", kind: "no_show" });
  const over = aDisruption({ id: "d3", engineer_id: "bruno", until_at: "2026-11-23T11:00:00Z" });
  expect([...byEngineer([aDisruption(), visit, over], NOON)]).toEqual([["anna", [aDisruption()]]]);
});

it("counts one decision for all that one plan mends", () => {
  const repair = { plan_id: "p1", repair: aRepair() };
  const both = [aDisruption(repair), aDisruption({ id: "d2", engineer_id: "bruno", ...repair })];
  expect(waitingIn(both)).toEqual([{ planId: "p1", changes: 2, mends: both }]);
  expect(waitingIn([aDisruption()])).toEqual([]);
});
