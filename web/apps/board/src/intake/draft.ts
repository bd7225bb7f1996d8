import type { NewOrder, Priority } from "../app/model";
import { instantOf } from "../app/time";
import type { MessageKey } from "../i18n";

export interface Draft {
  readonly customer: string | null;
  readonly site: string | null;
  readonly asset: string | null;
  readonly title: string;
  readonly description: string;
  readonly problemType: string;
  readonly priority: Priority;
  readonly minutes: number;
  /** Wall-clock times in the organisation's zone, as a `datetime-local` field gives them; empty for none. */
  readonly from: string;
  readonly to: string;
  readonly skills: readonly string[];
}

export const EMPTY_DRAFT: Draft = {
  customer: null,
  site: null,
  asset: null,
  title: "",
  description: "",
  problemType: "",
  priority: "normal",
  minutes: 60,
  from: "",
  to: "",
  skills: [],
};

/** Response promise by priority in seconds, as the server sets it by default. */
export const PROMISE_S: Record<Priority, number> = { urgent: 2 * 3600, high: 24 * 3600, normal: 72 * 3600 };

export type Problems = Partial<Record<keyof Draft, MessageKey>>;

const REQUIRED = ["customer", "site", "title", "problemType"] as const;

export function problemsOf(draft: Draft): Problems {
  const problems: Problems = {};
  for (const field of REQUIRED) if (!draft[field]?.trim()) problems[field] = "new.required";
  if (Boolean(draft.from) !== Boolean(draft.to)) problems.to = "new.required";
  else if (draft.from && draft.to <= draft.from) problems.to = "new.windowOrder";
  return problems;
}

/** The request for a draft without problems. */
export function requestOf(draft: Draft, timeZone: string): NewOrder {
  const instant = (wallClock: string) => instantOf(wallClock, timeZone).toISOString();
  return {
    site_id: draft.site ?? "",
    title: draft.title.trim(),
    description: draft.description.trim(),
    problem_type: draft.problemType,
    priority: draft.priority,
    duration_minutes: draft.minutes,
    skills: draft.skills.map((key) => ({ key, level: 1 })),
    channel: "phone",
    ...(draft.asset && { asset_id: draft.asset }),
    ...(draft.from && { window_start: instant(draft.from), window_end: instant(draft.to) }),
  };
}
