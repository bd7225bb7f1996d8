import { instantOf } from "../app/time";

const DAY_MS = 86_400_000;

/** The calendar day of an instant in a time zone, as `2026-11-22`. */
export function dayOf(instant: number, timeZone: string): string {
  const parts = new Intl.DateTimeFormat("en-CA", { timeZone, year: "numeric", month: "2-digit", day: "2-digit" });
  return parts.format(instant);
}

/** The day so many days later; negative is earlier. */
export function dayAfter(day: string, days: number): string {
  return new Date(Date.parse(`${day}T00:00:00Z`) + days * DAY_MS).toISOString().slice(0, 10);
}

/** So many days in a row. */
export function daysFrom(first: string, many: number): string[] {
  return Array.from({ length: many }, (_, at) => dayAfter(first, at));
}

/** Midnight at which a day begins, in milliseconds. */
export const startOf = (day: string, timeZone: string): number => instantOf(`${day}T00:00`, timeZone).getTime();
