import type { Answer, Body } from "@callout/api";

export type Plan = Answer<"/api/v1/plans/{plan_id}", "get">;
export type Line = Answer<"/api/v1/plans/{plan_id}/lines", "get">["items"][number];
export type Tours = Answer<"/api/v1/plans/{plan_id}/tours", "get">;
export type Tour = Tours["tours"][number];
export type Figures = NonNullable<Plan["before"]>;
export type NewPlan = Body<"/api/v1/plans", "post">;
export type Effort = Plan["effort"];
export type Change = Line["change"];

export const isBusy = (plan: Pick<Plan, "state">): boolean =>
  plan.state === "queued" || plan.state === "running" || plan.state === "applying";

/** Whether there is an outcome to look at. */
export const hasOutcome = (plan: Pick<Plan, "before" | "after">): boolean =>
  plan.before !== null && plan.after !== null;

/** What asks for a decision, then what doesn't, in the order it is shown. */
export const ASKS = ["assign", "move", "retime", "unassign"] as const satisfies readonly Change[];
export const CHANGES = [...ASKS, "leave_out", "keep"] as const satisfies readonly Change[];

const asks = (change: string): boolean => (ASKS as readonly string[]).includes(change);

export const isProposed = (line: Pick<Line, "change" | "state">): boolean =>
  line.state === "proposed" && asks(line.change);

/** How many lines have these states, of those that change something. */
export function countOf(plan: Pick<Plan, "lines">, ...states: readonly Line["state"][]): number {
  let sum = 0;
  for (const [name, many] of Object.entries(plan.lines)) {
    const [change = "", state = ""] = name.split(":");
    if (asks(change) && (states.length === 0 || (states as readonly string[]).includes(state))) sum += many;
  }
  return sum;
}

export const leftOut = (plan: Pick<Plan, "lines">): number =>
  Object.entries(plan.lines).reduce((sum, [name, many]) => sum + (name.startsWith("leave_out:") ? many : 0), 0);

/** What the facts of a line say that is known; they come as loose JSON. */
export interface Details {
  readonly driveSeconds: number | null;
  readonly driveMetres: number | null;
  readonly lateSeconds: number;
  readonly riskSeconds: number;
  readonly reason: string | null;
  readonly wouldCost: number | null;
  readonly wouldGo: string | null;
  readonly others: Others | null;
}

/** Who else could have made a visit, and how much dearer in seconds of driving; how many can't at all. */
export interface Others {
  readonly others: readonly { readonly engineer_id: string; readonly name: string; readonly extra: number }[];
  readonly unable: number;
  readonly full: number;
}

export function detailsOf({ details }: Pick<Line, "details">): Details {
  const number = (name: string) => (typeof details[name] === "number" ? details[name] : null);
  const text = (name: string) => (typeof details[name] === "string" ? details[name] : null);
  return {
    driveSeconds: number("drive_seconds"),
    driveMetres: number("drive_metres"),
    lateSeconds: number("late_seconds") ?? 0,
    riskSeconds: number("risk_seconds") ?? 0,
    reason: text("reason"),
    wouldCost: number("would_cost"),
    wouldGo: text("would_go"),
    others: isOthers(details.alternatives) ? details.alternatives : null,
  };
}

const isOthers = (told: unknown): told is Others =>
  typeof told === "object" && told !== null && Array.isArray((told as Partial<Others>).others);

export interface Group {
  readonly change: Change;
  readonly lines: readonly Line[];
}

/** Lines by what they change, of one engineer or of all; groups without lines are left out. */
export function groupsOf(lines: readonly Line[], engineer: string | null): Group[] {
  const wanted = lines.filter((line) => engineer === null || concerns(line, engineer));
  return CHANGES.map((change) => ({ change, lines: wanted.filter((line) => line.change === change) })).filter(
    (group) => group.lines.length > 0,
  );
}

const concerns = ({ before, after }: Line, engineer: string): boolean =>
  before?.engineer_id === engineer || after?.engineer_id === engineer;

/** Everybody whose day a line touches, by name. */
export function engineersIn(lines: readonly Line[]): { readonly id: string; readonly name: string }[] {
  const names = new Map<string, string>();
  for (const { before, after } of lines)
    for (const one of [before, after]) if (one) names.set(one.engineer_id, one.engineer_name);
  return [...names].map(([id, name]) => ({ id, name })).sort((a, b) => a.name.localeCompare(b.name));
}

/** What a time is told beside: within one day the day need not be repeated. */
export function referenceOf({ begins, until }: Pick<Plan, "begins" | "until">): number {
  const [first, last] = [Date.parse(begins), Date.parse(until)];
  return last - first > 25 * 3_600_000 ? 0 : (first + last) / 2;
}

/** By how many seconds a visit begins later; negative is earlier, null where it had no time. */
export function shiftOf({ before, after }: Pick<Line, "before" | "after">): number | null {
  return before && after ? (Date.parse(after.start) - Date.parse(before.start)) / 1000 : null;
}

/** How a figure changes for the people concerned. */
export type Verdict = "better" | "worse" | "same";

export interface Comparison {
  readonly name: FigureName;
  readonly before: number;
  readonly after: number;
  readonly verdict: Verdict;
}

export const FIGURES = [
  "visits",
  "left_out",
  "travel_seconds",
  "travel_a_visit",
  "travel_metres",
  "late_visits",
  "late_seconds",
  "overtime_seconds",
  "engineers",
] as const;
export type FigureName = (typeof FIGURES)[number];

/** More of these is good, of the others bad; of some nobody can say. */
const GOOD: readonly FigureName[] = ["visits"];
const NEITHER: readonly FigureName[] = ["engineers"];

export function compare(before: Figures, after: Figures): Comparison[] {
  return FIGURES.map((name) => {
    const [was, is] = [figure(before, name), figure(after, name)];
    return { name, before: was, after: is, verdict: verdictOf(name, is - was, before, after) };
  });
}

function figure(of: Figures, name: FigureName): number {
  if (name !== "travel_a_visit") return of[name];
  return of.visits > 0 ? Math.round(of.travel_seconds / of.visits) : 0;
}

/** Who makes more visits may drive more: that alone is not worse. */
function verdictOf(name: FigureName, difference: number, before: Figures, after: Figures): Verdict {
  if (difference === 0 || NEITHER.includes(name)) return "same";
  const travels = name === "travel_seconds" || name === "travel_metres";
  if (travels && difference > 0 && after.visits > before.visits) return "same";
  if (name === "travel_a_visit" && (before.visits === 0 || after.visits === 0)) return "same";
  return difference > 0 === GOOD.includes(name) ? "better" : "worse";
}

/** Seconds less behind the wheel for the same work; negative is more. Null while nobody knows. */
export const travelSaved = ({ before, after }: Pick<Plan, "before" | "after">): number | null =>
  before && after ? before.travel_seconds - after.travel_seconds : null;
