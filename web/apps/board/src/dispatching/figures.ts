import type { Times } from "../app/time";

/** A share with one decimal where it has one: weights are set in halves of a per cent. */
export const percentWords = (times: Times, share: number): string => `${times.number(share * 100, 1)}%`;
