import { useEffect, useRef } from "react";
import { go, showOrder, whereabouts } from "../app/address";
import type { Order } from "../app/model";
import { fitMap } from "../map/fit";
import { NO_FILTER } from "./filter";
import { SEARCH_ID } from "./SearchField";

interface Board {
  readonly shown: readonly Order[];
  readonly openDialog: (dialog: "new" | "keys") => void;
  /** A dialog is open: it has the keys. */
  readonly asleep: boolean;
}

/** The board's keys. They act wherever the focus is, except in a field being written in. */
export function useKeys(board: Board): void {
  const latest = useRef(board);
  latest.current = board;
  useEffect(() => {
    const pressed = (event: KeyboardEvent) => {
      if (latest.current.asleep || dialogOpen() || event.ctrlKey || event.metaKey || event.altKey) return;
      if (
        isSearch(event.target)
          ? leaveSearch(event, latest.current)
          : !isField(event.target) && act(event, latest.current)
      ) {
        event.preventDefault();
      }
    };
    // On the way down: a dialog that closes itself on Escape must still be seen open here.
    window.addEventListener("keydown", pressed, { capture: true });
    return () => window.removeEventListener("keydown", pressed, { capture: true });
  }, []);
}

const dialogOpen = () => document.querySelector("[role=dialog]") !== null;

const isSearch = (target: EventTarget | null) => target instanceof HTMLElement && target.id === SEARCH_ID;

function isField(target: EventTarget | null): boolean {
  return (
    target instanceof HTMLElement &&
    (target.isContentEditable || target.closest("input, textarea, select, [role=dialog], [role=menu]") !== null)
  );
}

function leaveSearch(event: KeyboardEvent, { shown }: Board): boolean {
  const first = shown[0];
  const field = event.target as HTMLElement;
  if (event.key === "Escape") {
    go({ filter: { ...whereabouts().filter, text: "" } });
    field.blur();
    return true;
  }
  if ((event.key === "Enter" || event.key === "ArrowDown") && first) {
    showOrder(first.id);
    field.blur();
    return true;
  }
  return false;
}

/** Answers whether the key meant something. */
function act(event: KeyboardEvent, board: Board): boolean {
  const onControl = event.target instanceof Element && event.target.closest("button, a, [role=tab]") !== null;
  switch (event.key) {
    case "j":
      return step(board.shown, 1);
    case "k":
      return step(board.shown, -1);
    case "ArrowDown":
      return !inScroller(event.target) && step(board.shown, 1);
    case "ArrowUp":
      return !inScroller(event.target) && step(board.shown, -1);
    case "Enter":
      return !onControl && enter(board.shown);
    case "Escape":
      return stepOut();
    case "/":
      return focusSearch();
    case "?":
      board.openDialog("keys");
      return true;
    case "n":
      board.openDialog("new");
      return true;
    case "c":
      if (whereabouts().order) go({ tab: "candidates" });
      return true;
    case "f":
      fitMap();
      return true;
    default:
      return false;
  }
}

/** Arrows move the map and scroll the details when these have the focus. */
function inScroller(target: EventTarget | null): boolean {
  return target instanceof Element && target.closest(".maplibregl-map, [data-scroller]") !== null;
}

function step(shown: readonly Order[], by: 1 | -1): boolean {
  const at = shown.findIndex((order) => order.id === whereabouts().order);
  const next = at < 0 ? shown[by > 0 ? 0 : shown.length - 1] : shown[at + by];
  if (next) showOrder(next.id);
  return true;
}

function enter(shown: readonly Order[]): boolean {
  const { order } = whereabouts();
  if (!order) return step(shown, 1);
  document.querySelector<HTMLElement>("[data-detail-panel]")?.focus();
  return true;
}

function stepOut(): boolean {
  const { order, engineer, filter } = whereabouts();
  if (order) go({ order: null });
  else if (engineer) go({ engineer: null });
  else if (filter !== NO_FILTER) go({ filter: NO_FILTER });
  return true;
}

function focusSearch(): boolean {
  const search = document.getElementById(SEARCH_ID);
  if (!(search instanceof HTMLInputElement)) return false;
  search.focus();
  search.select();
  return true;
}
