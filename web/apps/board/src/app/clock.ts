import { useSyncExternalStore } from "react";

/** One second hand for the whole page, on the server's time. */
let offset = 0;
let now = Math.floor(Date.now() / 1000) * 1000;
let timer: ReturnType<typeof setInterval> | undefined;
const listeners = new Set<() => void>();

export function setClockOffset(milliseconds: number): void {
  offset = milliseconds;
  tick();
}

function tick(): void {
  now = Math.floor((Date.now() + offset) / 1000) * 1000;
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

/** Server time in milliseconds, ticking every second. */
export const useServerNow = (): number => useSyncExternalStore(subscribe, readSecond);

/** Server time in whole minutes: redraws sixty times less. */
export const useServerMinute = (): number => useSyncExternalStore(subscribe, readMinute);
