import type { Factor } from "../app/model";

export type FactorName = Factor["name"];

/** Tenths of a per cent, whole numbers: all of them together are always `WHOLE`. */
export type Shares = Readonly<Record<FactorName, number>>;

export const WHOLE = 1000;

/** In the order that people are shown them. */
export const FACTORS = [
  "eta",
  "sla",
  "skill",
  "load",
  "continuity",
  "preferred",
  "parts",
  "success",
  "territory",
  "overtime",
  "cost",
  "fairness",
] as const satisfies readonly FactorName[];

/** Weights that add up to about one, as shares that add up exactly. A factor that is not named weighs nothing. */
export function sharesOf(weights: Readonly<Record<string, number>>): Shares {
  return shared(
    WHOLE,
    FACTORS.map((name) => weights[name] ?? 0),
  );
}

export const weightsOf = (shares: Shares): Record<FactorName, number> =>
  named(FACTORS.map((name) => shares[name] / WHOLE));

export const same = (one: Shares, other: Shares): boolean => FACTORS.every((name) => one[name] === other[name]);

/** How far one factor can go while the held ones stay: they and it take what there is. */
export function mostOf(shares: Shares, factor: FactorName, held: ReadonlySet<FactorName>): number {
  const kept = FACTORS.filter((name) => name !== factor && held.has(name));
  return WHOLE - kept.reduce((sum, name) => sum + shares[name], 0);
}

/** One factor moved to `to`; the others that are not held give or take in proportion to what they have. */
export function moved(shares: Shares, factor: FactorName, to: number, held: ReadonlySet<FactorName>): Shares {
  const others = FACTORS.filter((name) => name !== factor && !held.has(name));
  if (others.length === 0) return shares;
  const room = mostOf(shares, factor, held);
  const wanted = Math.min(room, Math.max(0, Math.round(to)));
  const given = shared(
    room - wanted,
    FACTORS.map((name) => (others.includes(name) ? shares[name] : 0)),
    others,
  );
  return named(FACTORS.map((name) => (name === factor ? wanted : others.includes(name) ? given[name] : shares[name])));
}

/** `total` given out in proportion, in whole parts: those who lost most to rounding get what is left over. */
function shared(total: number, parts: readonly number[], among: readonly FactorName[] = FACTORS): Shares {
  const sum = parts.reduce((before, part) => before + part, 0);
  const exact = FACTORS.map((name, at) => {
    if (!among.includes(name)) return 0;
    return sum > 0 ? (total * (parts[at] ?? 0)) / sum : total / among.length;
  });
  const whole = exact.map(Math.floor);
  const byLoss = FACTORS.map((_, at) => at)
    .filter((at) => among.includes(FACTORS[at] as FactorName))
    .sort((a, b) => lossOf(exact, b) - lossOf(exact, a));
  let left = total - whole.reduce((before, part) => before + part, 0);
  for (const at of byLoss) {
    if (left <= 0) break;
    whole[at] = (whole[at] ?? 0) + 1;
    left -= 1;
  }
  return named(whole);
}

const lossOf = (exact: readonly number[], at: number): number => (exact[at] ?? 0) - Math.floor(exact[at] ?? 0);

function named(values: readonly number[]): Record<FactorName, number> {
  return Object.fromEntries(FACTORS.map((name, at) => [name, values[at] ?? 0])) as Record<FactorName, number>;
}
