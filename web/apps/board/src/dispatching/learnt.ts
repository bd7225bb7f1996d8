import type { Kind, Model } from "./queries";

/** What a back-test measured: the same days without the lesson, as things are now, and with it. */
export interface BackTest {
  readonly since: string;
  readonly samples: number;
  /** With nothing learnt at all; null where that is what is in force. */
  readonly plain: number | null;
  readonly now: number;
  readonly learnt: number;
  readonly good: "less" | "more";
}

const FIGURES: Record<Kind, { plain: string | null; now: string; learnt: string; good: BackTest["good"] }> = {
  durations: {
    plain: "planned_mean_error_minutes",
    now: "in_force_mean_error_minutes",
    learnt: "mean_error_minutes",
    good: "less",
  },
  success: { plain: "overall_brier", now: "in_force_brier", learnt: "brier", good: "less" },
  weights: { plain: null, now: "in_force_first", learnt: "first", good: "more" },
};

/** Reads what the server kept of a back-test; null where it says something this page does not know. */
export function backTestOf(kind: Kind, said: Model["back_test"] | null): BackTest | null {
  const { plain, now, learnt, good } = FIGURES[kind];
  const number = (name: string | null) => (name !== null && typeof said?.[name] === "number" ? said[name] : null);
  const [before, after] = [number(now), number(learnt)];
  if (before === null || after === null) return null;
  const bare = number(plain);
  return {
    since: String(said?.held_since ?? ""),
    samples: number("held_samples") ?? 0,
    plain: bare === before ? null : bare,
    now: before,
    learnt: after,
    good,
  };
}

/** How much better, as a share of what it was; negative where it is worse. */
export function gainOf({ now, learnt, good }: BackTest): number {
  if (now === 0) return 0;
  return (good === "less" ? now - learnt : learnt - now) / now;
}

export interface Said {
  readonly name: string;
  readonly value: number;
  readonly samples: number | null;
}

/** What a model says about each kind of job, the most certain first: minutes of work, or chances of a first-time fix. */
export function typesOf(kind: Kind, parameters: Readonly<Record<string, unknown>>): readonly Said[] {
  const types = parameters.types;
  if (kind === "weights" || typeof types !== "object" || types === null) return [];
  return Object.entries(types as Record<string, { log?: number; rate?: number; n?: number }>)
    .map(([name, it]) => ({
      name,
      value: kind === "durations" ? Math.exp(it.log ?? 0) : (it.rate ?? 0),
      samples: it.n ?? null,
    }))
    .sort((a, b) => (b.samples ?? 0) - (a.samples ?? 0));
}

/** How long each engineer takes, in per cent of what work takes others; the slowest first. */
export function pacesOf(parameters: Readonly<Record<string, unknown>>): readonly Said[] {
  const engineers = parameters.engineers;
  if (typeof engineers !== "object" || engineers === null) return [];
  return Object.entries(engineers as Record<string, { percent?: number; n?: number }>)
    .flatMap(([name, it]) =>
      typeof it.percent === "number" ? [{ name, value: it.percent, samples: it.n ?? null }] : [],
    )
    .sort((a, b) => b.value - a.value);
}
