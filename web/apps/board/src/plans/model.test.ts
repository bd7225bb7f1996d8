import { describe, expect, it } from "vitest";
import {
  compare,
  countOf,
  detailsOf,
  engineersIn,
  type Figures,
  groupsOf,
  isProposed,
  type Line,
  leftOut,
  shiftOf,
} from "./model";

const figures = (given: Partial<Figures> = {}): Figures => ({
  visits: 4,
  left_out: 2,
  engineers: 2,
  travel_seconds: 4000,
  travel_metres: 9000,
  late_visits: 1,
  late_seconds: 600,
  overtime_seconds: 0,
  waiting_seconds: 0,
  working_seconds: 14400,
  ...given,
});

const booking = (engineer: string, clock: string) => ({
  engineer_id: engineer,
  engineer_name: engineer,
  start: `2026-11-23T${clock}:00Z`,
  end: "2026-11-23T18:00:00Z",
});

const line = (given: Partial<Line> = {}): Line => ({
  work_order_id: "w1",
  number: 1,
  title: "No hot water",
  priority: "normal",
  site_name: "Main building",
  place: { lon: 7.4, lat: 43.7 },
  change: "assign",
  state: "proposed",
  before: null,
  after: booking("Anna", "08:00"),
  details: {},
  why: null,
  ...given,
});

const verdicts = (before: Figures, after: Figures) =>
  Object.fromEntries(compare(before, after).map(({ name, verdict }) => [name, verdict]));

describe("figures", () => {
  it("are better when less is driven for the same visits", () => {
    const found = verdicts(figures(), figures({ travel_seconds: 3000, late_visits: 0 }));
    expect(found).toMatchObject({ travel_seconds: "better", travel_a_visit: "better", late_visits: "better" });
  });

  it("are not worse only because more visits are driven to", () => {
    const found = verdicts(figures(), figures({ visits: 8, travel_seconds: 6000, engineers: 3, left_out: 0 }));
    expect(found).toMatchObject({
      visits: "better",
      left_out: "better",
      travel_seconds: "same",
      travel_a_visit: "better",
      engineers: "same",
    });
  });

  it("are worse when more is driven for the same visits", () => {
    expect(verdicts(figures(), figures({ travel_seconds: 5000 })).travel_seconds).toBe("worse");
  });

  it("compare nothing per visit where there were none", () => {
    expect(verdicts(figures({ visits: 0, travel_seconds: 0 }), figures()).travel_a_visit).toBe("same");
  });
});

describe("lines", () => {
  const lines = [
    line(),
    line({
      work_order_id: "w2",
      change: "retime",
      before: booking("Bruno", "08:00"),
      after: booking("Bruno", "08:35"),
    }),
    line({ work_order_id: "w3", change: "leave_out", after: null, details: { reason: "no_room" } }),
  ];

  it("are grouped by what they change, in a fixed order, without empty groups", () => {
    expect(groupsOf(lines, null).map(({ change }) => change)).toEqual(["assign", "retime", "leave_out"]);
  });

  it("are those of one engineer, before or after", () => {
    expect(groupsOf(lines, "Bruno").map(({ change }) => change)).toEqual(["retime"]);
    expect(engineersIn(lines).map(({ name }) => name)).toEqual(["Anna", "Bruno"]);
  });

  it("can be decided while they are proposed and change something", () => {
    expect(lines.map(isProposed)).toEqual([true, true, false]);
    expect(isProposed(line({ state: "applied" }))).toBe(false);
  });

  it("say by how much a visit begins later", () => {
    expect(lines.map(shiftOf)).toEqual([null, 35 * 60, null]);
  });

  it("say what is known of their facts, and nothing of what is not", () => {
    expect(detailsOf(line({ details: { drive_seconds: 120, late_seconds: "much", reason: 7 } }))).toMatchObject({
      driveSeconds: 120,
      lateSeconds: 0,
      reason: null,
    });
  });
});

it("counts the lines that change something by their state", () => {
  const plan = { lines: { "assign:applied": 3, "retime:proposed": 2, "keep:proposed": 40, "leave_out:proposed": 5 } };
  expect(countOf(plan)).toBe(5);
  expect(countOf(plan, "applied")).toBe(3);
  expect(leftOut(plan)).toBe(5);
});
