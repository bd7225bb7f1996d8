import type { Answer, Body } from "@callout/api";

/** The words of the board, taken from the contract in this one place. */
type WireSnapshot = Answer<"/api/v1/board/snapshot", "get">;
type WireDetail = Answer<"/api/v1/work-orders/{work_order_id}", "get">;
type WireOrder = WireSnapshot["orders"][number];

export type ActionBody = Body<"/api/v1/work-orders/{work_order_id}/actions", "post">;
export type Action = ActionBody["action"];
export type State = Answer<"/api/v1/work-order-states", "get">["states"][number]["state"];
export type Priority = NonNullable<Body<"/api/v1/work-orders", "post">["priority"]>;

// The wire calls these plain text; what they may say stands in the tables of the contract used above.
type Told<Wire> = Omit<Wire, "state" | "priority"> & { readonly state: State; readonly priority: Priority };

export type Order = Told<WireOrder>;
export type OrderDetail = Told<WireDetail>;
export type Signature = NonNullable<OrderDetail["signature"]>;
export type Snapshot = Omit<WireSnapshot, "orders"> & { readonly orders: readonly Order[] };

export type Engineer = WireSnapshot["engineers"][number];
export type EngineerState = Engineer["state"];
export type Place = WireOrder["place"];
export type ChecklistItem = WireDetail["checklist"][number];
export type Visit = WireDetail["visits"][number];
export type TimelineEntry = Answer<"/api/v1/work-orders/{work_order_id}/timeline", "get">["items"][number];
export type Candidates = Answer<"/api/v1/work-orders/{work_order_id}/candidates", "get">;
export type Candidate = Candidates["items"][number];
export type Factor = Candidate["factors"][number];
export type Route = Answer<"/api/v1/geo/route", "get">;
export type Customer = Answer<"/api/v1/customers", "get">["items"][number];
export type NewOrder = Body<"/api/v1/work-orders", "post">;

/** Reads an order of the wire as one of ours. A state that this page does not know yet is shown as its raw word. */
export const orderOf = (wire: WireOrder): Order => wire as Order;
export const detailOf = (wire: WireDetail): OrderDetail => wire as OrderDetail;

export const PRIORITIES = ["urgent", "high", "normal"] as const satisfies readonly Priority[];

/** What a dispatcher has to do about an order, coarser than its state. */
export const STAGES = ["open", "planned", "underway", "hold", "confirm", "closed"] as const;
export type Stage = (typeof STAGES)[number];

export const STATES_OF: Record<Stage, readonly State[]> = {
  open: ["new", "triaged", "reopened"],
  planned: ["scheduled", "dispatched", "accepted"],
  underway: ["travelling", "on_site", "working"],
  hold: ["on_hold"],
  confirm: ["completed_disputed", "resolved", "awaiting_confirmation"],
  closed: ["closed", "cancelled"],
};

export const STATES: readonly State[] = STAGES.flatMap((stage) => [...STATES_OF[stage]]);

const STAGE_BY_STATE = new Map(STAGES.flatMap((stage) => STATES_OF[stage].map((state) => [state, stage] as const)));

export const stageOf = (state: State): Stage => STAGE_BY_STATE.get(state) ?? "open";

/** Neither closed nor cancelled: somebody still has to do something. */
export const isActive = (state: State): boolean => stageOf(state) !== "closed";

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
