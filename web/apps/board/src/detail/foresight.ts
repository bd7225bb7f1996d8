import type { Slot, WhatIf } from "./arranging";

type Tour = NonNullable<WhatIf["tour"]>["before"];

export interface Delay {
  readonly orderId: string;
  readonly seconds: number;
}

const NOTICED_S = 60;

/** Whose visits would begin later, the latest first; the order itself is none of them. */
export function delaysOf(before: Tour, after: Tour, order: string): readonly Delay[] {
  const began = new Map(before.stops.map((stop) => [stop.work_order_id, Date.parse(stop.begins_at)] as const));
  return after.stops
    .flatMap(({ work_order_id: id, begins_at }) => {
      const was = began.get(id);
      if (id === null || id === order || was === undefined) return [];
      const seconds = (Date.parse(begins_at) - was) / 1000;
      return seconds >= NOTICED_S ? [{ orderId: id, seconds }] : [];
    })
    .sort((a, b) => b.seconds - a.seconds);
}

/** Slots by day, in the order they came. */
export function byDay(slots: readonly Slot[]): readonly (readonly [string, readonly Slot[]])[] {
  const days = new Map<string, Slot[]>();
  for (const slot of slots) {
    const day = days.get(slot.day);
    if (day) day.push(slot);
    else days.set(slot.day, [slot]);
  }
  return [...days];
}

export const slotKey = (slot: Slot): string => `${slot.opens_at}/${slot.closes_at}`;

/** The day some days later, as `2026-11-22`. */
export function dayAfter(day: string, by: number): string {
  const at = new Date(`${day}T12:00:00Z`);
  at.setUTCDate(at.getUTCDate() + by);
  return at.toISOString().slice(0, 10);
}

/** The day it is at an instant in a time zone, as `2026-11-22`. */
export const dayIn = (at: number, timeZone: string): string =>
  new Intl.DateTimeFormat("en-CA", { timeZone, year: "numeric", month: "2-digit", day: "2-digit" }).format(at);
