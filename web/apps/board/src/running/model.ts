import type { Answer } from "@callout/api";
import { type Order, stageOf } from "../app/model";

export type Disruption = Answer<"/api/v1/disruptions", "get">["items"][number];
export type Kind = Disruption["kind"];

/** What people report by hand; a cancellation tells itself. */
export const REPORTED = ["absence", "breakdown", "delay", "no_show"] as const satisfies readonly Kind[];
export type Reported = (typeof REPORTED)[number];

/** Somebody is to come to it, and nobody works there yet: the customer may be missing. */
export const isMissable = ({ state }: Pick<Order, "state">): boolean =>
  stageOf(state) === "planned" || state === "travelling" || state === "on_site";

/** Where its repair stands, in one word. */
export const STANDS = [
  "looking",
  "proposed",
  "applying",
  "itself",
  "accepted",
  "declined",
  "nothing",
  "failed",
  "cancelled",
  "withdrawn",
  "none",
] as const;
export type Stand = (typeof STANDS)[number];

export function standOf({ state, repair }: Pick<Disruption, "state" | "repair">): Stand {
  const decided = repair !== null && repair.changes > 0;
  if (decided && repair.declined === repair.changes) return "declined";
  if (state === "ignored") return "withdrawn";
  if (repair === null) return state === "repaired" ? "nothing" : "none";
  switch (repair.state) {
    case "queued":
    case "running":
      return "looking";
    case "ready":
      return "proposed";
    case "applying":
      return "applying";
    case "cancelled":
      return "cancelled";
    case "failed":
      return state === "repaired" ? "nothing" : "failed";
    case "done":
      if (!decided) return "nothing";
      return repair.by_itself ? "itself" : "accepted";
  }
}

/** Whether its repair comes a step further without anybody here. */
export const isMoving = (one: Disruption): boolean => ["looking", "applying"].includes(standOf(one));

/** It keeps somebody from their work now or later: plans count with it. */
export const lasts = (one: Pick<Disruption, "state" | "until_at">, now: number): boolean =>
  one.state !== "ignored" && Date.parse(one.until_at) > now;

/** Somebody still has to look: it lasts, or its repair is not over. */
export const isOpen = (one: Disruption, now: number): boolean =>
  lasts(one, now) || (one.state === "open" && ["looking", "proposed", "applying"].includes(standOf(one)));

/** Of people, not of a visit that is gone: it can be drawn in somebody's day. */
const AWAY: readonly Kind[] = ["absence", "breakdown", "delay"];
export const isOfPerson = ({ kind }: Pick<Disruption, "kind">): boolean => AWAY.includes(kind);

/** What keeps each engineer from their work, the newest first. */
export function byEngineer(items: readonly Disruption[], now: number): ReadonlyMap<string, readonly Disruption[]> {
  return Map.groupBy(
    items.filter((one) => isOfPerson(one) && lasts(one, now)),
    (one) => one.engineer_id,
  );
}

/** A repair that waits for a decision, and all that it mends. */
export interface Waiting {
  readonly planId: string;
  readonly changes: number;
  readonly mends: readonly Disruption[];
}

export function waitingIn(items: readonly Disruption[]): readonly Waiting[] {
  const proposed = items.filter((one) => one.state === "open" && standOf(one) === "proposed");
  return [...Map.groupBy(proposed, (one) => one.plan_id ?? "")].map(([planId, mends]) => ({
    planId,
    changes: mends[0]?.repair?.changes ?? 0,
    mends,
  }));
}
