import { useSyncExternalStore } from "react";
import { type Filter, NO_FILTER } from "../board/filter";
import { PRIORITIES, STATES } from "./model";

export const TABS = ["overview", "candidates", "work", "timeline"] as const;
export type Tab = (typeof TABS)[number];

export const PANES = ["orders", "map", "engineers"] as const;
export type Pane = (typeof PANES)[number];

export const PAGES = ["board", "timeline", "plans", "dispatching", "inbox", "devices"] as const;
export type Page = (typeof PAGES)[number];

/** What waits for somebody, by who clears it up. */
export const GROUPS = ["decisions", "files", "stock"] as const;
export type Group = (typeof GROUPS)[number];

/** How dispatch decides, part by part. */
export const PARTS = ["weights", "rules", "learning", "results", "planning"] as const;
export type Part = (typeof PARTS)[number];

/** How many days the timeline shows. */
export const SPANS = [1, 3, 7] as const;
export type Span = (typeof SPANS)[number];

/** Where the reader is, kept in the address bar: reloads, back and forward, and a copied link lead to the same view. */
export interface Whereabouts {
  readonly page: Page;
  /** Of the inbox. */
  readonly group: Group;
  /** Of the page about how dispatch decides. */
  readonly part: Part;
  /** What is chosen on a page other than the board. */
  readonly item: string | null;
  /** The first day of the timeline, as `2026-11-22`; null is today. */
  readonly day: string | null;
  readonly span: Span;
  readonly order: string | null;
  readonly tab: Tab;
  readonly engineer: string | null;
  readonly pane: Pane;
  readonly filter: Filter;
}

const DAY = /^\d{4}-\d{2}-\d{2}$/;

export function readAddress(search: string): Whereabouts {
  const query = new URLSearchParams(search);
  return {
    page: oneOf(PAGES, query.get("page")) ?? "board",
    group: oneOf(GROUPS, query.get("group")) ?? "decisions",
    part: oneOf(PARTS, query.get("part")) ?? "weights",
    item: query.get("item"),
    day: DAY.exec(query.get("day") ?? "")?.[0] ?? null,
    span: SPANS.find((days) => String(days) === query.get("days")) ?? 1,
    order: query.get("order"),
    tab: oneOf(TABS, query.get("tab")) ?? "overview",
    engineer: query.get("engineer"),
    pane: oneOf(PANES, query.get("pane")) ?? "orders",
    filter: {
      text: query.get("q") ?? NO_FILTER.text,
      states: several(STATES, query.get("state")),
      priorities: several(PRIORITIES, query.get("priority")),
      voided: query.has("voided"),
    },
  };
}

export function writeAddress(where: Whereabouts): string {
  const query = new URLSearchParams();
  const put = (name: string, value: string | null) => value && query.set(name, value);
  put("page", where.page === "board" ? null : where.page);
  put("group", where.page === "inbox" && where.group !== "decisions" ? where.group : null);
  put("part", where.page === "dispatching" && where.part !== "weights" ? where.part : null);
  put("item", where.page === "board" ? null : where.item);
  put("day", where.page === "timeline" ? where.day : null);
  put("days", where.page === "timeline" && where.span !== 1 ? String(where.span) : null);
  put("pane", where.pane === "orders" ? null : where.pane);
  put("q", where.filter.text);
  put("state", where.filter.states.join(" "));
  put("priority", where.filter.priorities.join(" "));
  put("voided", where.filter.voided ? "1" : null);
  put("engineer", where.engineer);
  put("order", where.order);
  put("tab", where.order === null || where.tab === "overview" ? null : where.tab);
  const text = query.toString();
  return text ? `?${text}` : "";
}

function oneOf<Word extends string>(words: readonly Word[], word: string | null): Word | null {
  return words.find((known) => known === word) ?? null;
}

function several<Word extends string>(words: readonly Word[], text: string | null): Word[] {
  const wanted = new Set(text?.split(" "));
  return words.filter((word) => wanted.has(word));
}

const listeners = new Set<() => void>();

function subscribe(listener: () => void): () => void {
  listeners.add(listener);
  window.addEventListener("popstate", listener);
  return () => {
    listeners.delete(listener);
    window.removeEventListener("popstate", listener);
  };
}

let known: { search: string; where: Whereabouts } | null = null;

export function whereabouts(): Whereabouts {
  const { search } = location;
  if (known?.search !== search) known = { search, where: readAddress(search) };
  return known.where;
}

export const useWhereabouts = (): Whereabouts => useSyncExternalStore(subscribe, whereabouts);

/** Goes elsewhere. Opening and closing are steps that "back" takes back; a filter, a tab and the next order are not. */
export function go(change: Partial<Whereabouts>): void {
  const before = whereabouts();
  const next = { ...before, ...change };
  move(next, isStep(before, next));
}

/** Stands here instead of where the reader asked to be: not a step, so "back" does not lead into it again. */
export function redirect(change: Partial<Whereabouts>): void {
  move({ ...whereabouts(), ...change }, false);
}

function move(next: Whereabouts, step: boolean): void {
  const search = writeAddress(next);
  if (search === location.search) return;
  history[step ? "pushState" : "replaceState"](null, "", location.pathname + search);
  for (const listener of listeners) listener();
}

function isStep(before: Whereabouts, next: Whereabouts): boolean {
  return (
    before.page !== next.page ||
    before.group !== next.group ||
    before.part !== next.part ||
    (before.item === null) !== (next.item === null) ||
    (before.order === null) !== (next.order === null) ||
    (before.engineer === null) !== (next.engineer === null) ||
    before.pane !== next.pane
  );
}

export function showOrder(id: string, tab?: Tab): void {
  const { order, tab: open } = whereabouts();
  go({ order: id, engineer: null, tab: tab ?? (order === id ? open : keptTab(open)) });
}

/** Whoever compares candidates of several orders keeps comparing; other tabs begin at the start. */
function keptTab(open: Tab): Tab {
  return open === "candidates" ? "candidates" : "overview";
}
