import type { FactorName } from "./shares";

export const TONES: Readonly<Record<FactorName, string>> = {
  eta: "#0b6b66",
  sla: "#2f938c",
  skill: "#58a9c9",
  load: "#6f8fd6",
  continuity: "#9a8ad6",
  preferred: "#c98fb4",
  parts: "#d3a15c",
  success: "#b9785a",
  territory: "#8fa37a",
  overtime: "#b3a04a",
  cost: "#7d8a93",
  fairness: "#a9b4bb",
};

/** Each factor has one colour wherever it is shown; one of a newer server is grey. */
export const toneOf = (factor: string): string => (TONES as Record<string, string>)[factor] ?? "#9aa7af";
