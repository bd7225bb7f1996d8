import { useEffect, useRef } from "react";
import { go, whereabouts } from "../app/address";

type Keys = Readonly<Record<string, () => void>>;

/** Keys of a page with a list and a chosen item: j and k step, Escape leaves, `more` are its own. */
export function useListKeys(ids: readonly string[], more: Keys = {}): void {
  const latest = useRef({ ids, more });
  latest.current = { ids, more };
  useEffect(() => {
    const pressed = (event: KeyboardEvent) => {
      // Several parts of a page have keys; what one of them has done, the next does not do again.
      if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey || inUse(event.target)) return;
      const act = meaning(event.key, latest.current.ids) ?? latest.current.more[event.key];
      if (!act) return;
      event.preventDefault();
      act();
    };
    window.addEventListener("keydown", pressed);
    return () => window.removeEventListener("keydown", pressed);
  }, []);
}

function inUse(target: EventTarget | null): boolean {
  if (document.querySelector("[role=dialog]")) return true;
  return target instanceof Element && target.closest("input, textarea, select, [role=menu]") !== null;
}

function meaning(key: string, ids: readonly string[]): (() => void) | undefined {
  if (ids.length > 0 && (key === "j" || key === "ArrowDown")) return () => step(ids, 1);
  if (ids.length > 0 && (key === "k" || key === "ArrowUp")) return () => step(ids, -1);
  if (key === "Escape") return () => go(whereabouts().item ? { item: null } : { page: "board" });
  return undefined;
}

function step(ids: readonly string[], by: 1 | -1): void {
  const at = ids.indexOf(whereabouts().item ?? "");
  const next = at < 0 ? ids[by > 0 ? 0 : ids.length - 1] : ids[at + by];
  if (!next) return;
  go({ item: next });
  document.querySelector(`[data-item="${next}"]`)?.scrollIntoView({ block: "nearest" });
}
