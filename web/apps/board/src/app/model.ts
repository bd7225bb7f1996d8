import type { Answer, Body } from "@callout/api";

/** The words of the board, taken from the contract in this one place. */
export type Snapshot = Answer<"/api/v1/board/snapshot", "get">;
export type Order = Snapshot["orders"][number];
export type Engineer = Snapshot["engineers"][number];
export type Place = Order["place"];

export type OrderDetail = Answer<"/api/v1/work-orders/{work_order_id}", "get">;
export type ChecklistItem = OrderDetail["checklist"][number];
export type Visit = OrderDetail["visits"][number];
export type TimelineEntry = Answer<"/api/v1/work-orders/{work_order_id}/timeline", "get">["items"][number];
export type Candidates = Answer<"/api/v1/work-orders/{work_order_id}/candidates", "get">;
export type Candidate = Candidates["items"][number];
export type Factor = Candidate["factors"][number];
export type Route = Answer<"/api/v1/geo/route", "get">;
export type Customer = Answer<"/api/v1/customers", "get">["items"][number];
export type Site = Answer<"/api/v1/sites", "get">["items"][number];
export type Asset = Answer<"/api/v1/assets", "get">["items"][number];
export type Skill = Answer<"/api/v1/skills", "get">["items"][number];
export type NewOrder = Body<"/api/v1/work-orders", "post">;
export type ActionBody = Body<"/api/v1/work-orders/{work_order_id}/actions", "post">;

export type State = Order["state"];
export type Priority = Order["priority"];
export type Action = ActionBody["action"];
export type VisitState = Visit["state"];
export type EngineerState = Engineer["state"];

export const PRIORITIES = ["urgent", "high", "normal"] as const satisfies readonly Priority[];

/** What a dispatcher has to do about an order, coarser than its state. */
export const STAGES = ["open", "planned", "underway", "hold", "done", "cancelled"] as const;
export type Stage = (typeof STAGES)[number];

export const STATES_OF: Record<Stage, readonly State[]> = {
  open: ["new", "triaged", "reopened"],
  planned: ["scheduled", "dispatched", "accepted"],
  underway: ["travelling", "on_site", "working"],
  hold: ["on_hold"],
  done: ["resolved", "awaiting_confirmation", "closed"],
  cancelled: ["cancelled"],
};

export const STATES: readonly State[] = STAGES.flatMap((stage) => [...STATES_OF[stage]]);

const STAGE_BY_STATE = Object.fromEntries(
  STAGES.flatMap((stage) => STATES_OF[stage].map((state) => [state, stage])),
) as Record<State, Stage>;

export const stageOf = (state: State): Stage => STAGE_BY_STATE[state];

/** Nobody waits for the first response any more: somebody was there, or nobody will come. */
export function responseDue(state: State): boolean {
  const stage = stageOf(state);
  return stage === "open" || stage === "planned" || state === "travelling";
}

export const ENGINEER_STATES = [
  "working",
  "on_site",
  "travelling",
  "idle",
  "off_shift",
] as const satisfies readonly EngineerState[];
