import { useSyncExternalStore } from "react";

/** Which candidate's way the map draws while the dispatcher compares; none means the order's own engineer. */
let candidate: string | null = null;
const listeners = new Set<() => void>();

export function previewCandidate(engineer: string | null): void {
  if (candidate === engineer) return;
  candidate = engineer;
  for (const listener of listeners) listener();
}

function subscribe(listener: () => void): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

export const usePreviewedCandidate = (): string | null => useSyncExternalStore(subscribe, () => candidate);
