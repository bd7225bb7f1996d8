import { useSyncExternalStore } from "react";

const narrow = window.matchMedia("(max-width: 860px)");

function subscribe(listener: () => void): () => void {
  narrow.addEventListener("change", listener);
  return () => narrow.removeEventListener("change", listener);
}

/** A phone, or a window as small as one. */
export const useNarrow = (): boolean => useSyncExternalStore(subscribe, () => narrow.matches);

export const prefersStillness = (): boolean => window.matchMedia("(prefers-reduced-motion: reduce)").matches;
