import { useSyncExternalStore } from "react";
import type { Reported } from "./model";

/** What is reported: of whom, and of which order where that is known already. */
export interface Report {
  readonly kind: Reported;
  readonly engineer: { readonly id: string; readonly name: string };
  readonly orderId: string | null;
}

/** What is open above the page: the form of a report, or the list of what is disturbed. */
export type Above = Report | "list" | null;

let above: Above = null;
const listeners = new Set<() => void>();

function show(next: Above): void {
  above = next;
  for (const listener of listeners) listener();
}

/** Reports are asked for in many places, and rows come and go: the form outlives where it was asked for. */
export const askReport = (report: Report): void => show(report);
export const showDisturbed = (): void => show("list");
export const closeAbove = (): void => show(null);

function subscribe(listener: () => void): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

export const useAbove = (): Above => useSyncExternalStore(subscribe, () => above);
