import { useSyncExternalStore } from "react";

/**
 * One second hand for the whole page, on the server's time. A demo's server plays its day faster than the world's
 * clocks go, so the rate is measured too, from two samples some seconds apart.
 */
interface Reading {
  readonly local: number;
  readonly server: number;
  readonly rate: number;
}

const SURE_AFTER_MS = 3_000;
const REAL_TIME_WITHIN = 0.05;

let reading: Reading = { local: Date.now(), server: Date.now(), rate: 1 };
let first: Reading | null = null;
let now = wholeSecond();
let timer: ReturnType<typeof setInterval> | undefined;
const listeners = new Set<() => void>();

/** Takes in that it was `server` (milliseconds) when this machine's clock showed `local`. */
export function sampleClock(server: number, local: number): void {
  // The longer ago the first sample was, the better the rate is known.
  const sure = first !== null && local - first.local >= SURE_AFTER_MS;
  const rate = first && sure ? rateBetween(first, { local, server }) : reading.rate;
  reading = { local, server, rate };
  first ??= reading;
  tick();
}

export function rateBetween(
  before: Pick<Reading, "local" | "server">,
  after: Pick<Reading, "local" | "server">,
): number {
  const rate = (after.server - before.server) / (after.local - before.local);
  return Math.abs(rate - 1) < REAL_TIME_WITHIN ? 1 : Math.max(0, rate);
}

/** Server time, in milliseconds, when this machine's clock shows `local`. */
export function serverTimeAt(local: number): number {
  return reading.server + (local - reading.local) * reading.rate;
}

function wholeSecond(): number {
  return Math.floor(serverTimeAt(Date.now()) / 1000) * 1000;
}

function tick(): void {
  now = wholeSecond();
  for (const listener of listeners) listener();
}

function subscribe(listener: () => void): () => void {
  listeners.add(listener);
  timer ??= setInterval(tick, 1000);
  return () => {
    listeners.delete(listener);
    if (listeners.size > 0) return;
    clearInterval(timer);
    timer = undefined;
  };
}

const readSecond = () => now;
const readMinute = () => Math.floor(now / 60_000) * 60_000;
const readRate = () => reading.rate;

/** Server time in milliseconds, read every second. */
export const useServerNow = (): number => useSyncExternalStore(subscribe, readSecond);

/** Server time in whole minutes: redraws sixty times less. */
export const useServerMinute = (): number => useSyncExternalStore(subscribe, readMinute);

/** Server seconds per second; 1 but in a demo. */
export const useClockRate = (): number => useSyncExternalStore(subscribe, readRate);
