import type { Figure } from "./queries";

/** What two figures tell beside each other. */
export type Verdict = "nothing" | "few" | "unclear" | "system" | "manual";

/** Fewer samples than this on a side say little, however far apart the figures lie. */
export const FEW = 30;

/** `good`: whether more of it is better. Clear is a difference only where the intervals do not touch. */
export function verdictOf(system: Figure, manual: Figure, good: "more" | "less"): Verdict {
  if (system.value === null || manual.value === null) return "nothing";
  if (Math.min(system.samples, manual.samples) < FEW) return "few";
  const [mine, theirs] = [rangeOf(system), rangeOf(manual)];
  if (mine[0] <= theirs[1] && theirs[0] <= mine[1]) return "unclear";
  const higher = system.value > manual.value;
  return higher === (good === "more") ? "system" : "manual";
}

const rangeOf = ({ value, low, high }: Figure): readonly [number, number] => [low ?? value ?? 0, high ?? value ?? 0];

/** The scale both figures fit on; a share keeps its own from none to all. */
export function scaleOf(
  figures: readonly Figure[],
  whole: readonly [number, number] | null,
): readonly [number, number] {
  if (whole) return whole;
  const ends = figures.flatMap((one) => (one.value === null ? [] : rangeOf(one)));
  const most = Math.max(0, ...ends);
  return [0, most === 0 ? 1 : most * 1.12];
}

/** Where a value stands on a scale, in per cent of its length. */
export function at(value: number, [low, high]: readonly [number, number]): number {
  return (100 * (Math.min(high, Math.max(low, value)) - low)) / (high - low);
}
