import { type PointerEvent as ReactPointerEvent, useEffect, useRef, useState } from "react";
import { STEP_MS, snapped } from "./axis";
import type { Subject } from "./model";
import { changes, hindranceOf, type Move, nudged } from "./moving";

/** Where a pointer is: over an engineer's row at an instant, over the tray, or nowhere that counts. */
export type Spot = { readonly engineerId: string; readonly at: number } | "tray" | null;

export interface Stage {
  readonly spotAt: (x: number, y: number) => Spot;
  /** Scrolls when the pointer is near an edge. */
  readonly follow: (x: number, y: number) => void;
  /** The engineer so many rows further down, or up. */
  readonly neighbour: (engineerId: string, rows: number) => string | null;
  /** Where an order that nobody has begins its way by keys. */
  readonly entry: () => { readonly engineerId: string; readonly at: number } | null;
  readonly onDrop: (move: Move) => void;
  readonly onRelease: (subject: Subject) => void;
  readonly onHindered: (subject: Subject) => void;
}

export interface Moving {
  readonly move: Move | null;
  /** By which hand: a pointer that is down, or keys. */
  readonly by: "pointer" | "keys" | null;
  readonly overTray: boolean;
  readonly grab: (event: ReactPointerEvent, subject: Subject) => void;
  readonly nudge: (subject: Subject, steps: number, rows: number) => void;
  readonly drop: () => void;
  readonly cancel: () => void;
  /** Whether a drag has just ended: the click that follows it means nothing. */
  readonly wasDragged: () => boolean;
}

const FAR_PX = 5;
const HOLD_MS = 260;
const TICK_MS = 40;

interface Hand {
  readonly move: Move | null;
  readonly by: "pointer" | "keys" | null;
  readonly overTray: boolean;
}

const EMPTY: Hand = { move: null, by: null, overTray: false };

/** Carries a visit or an order about, by pointer or by keys, until it is dropped or put back. */
export function useMoving(stage: Stage): Moving {
  const [hand, setHand] = useState(EMPTY);
  const latest = useRef({ hand, stage });
  latest.current = { hand, stage };
  const dragged = useRef(false);
  const stop = useRef<(() => void) | null>(null);
  useEffect(() => () => stop.current?.(), []);

  const show = (next: Hand) => {
    const before = latest.current.hand;
    const same = next.overTray === before.overTray && next.by === before.by && isSame(next.move, before.move);
    latest.current.hand = next;
    if (!same) setHand(next);
  };
  const drop = () => {
    const { move, overTray } = latest.current.hand;
    show(EMPTY);
    if (move && overTray && move.subject.visit) latest.current.stage.onRelease(move.subject);
    else if (move && !overTray && changes(move)) latest.current.stage.onDrop(move);
  };
  const cancel = () => show(EMPTY);

  const grab = (event: ReactPointerEvent, subject: Subject) => {
    if (event.button !== 0) return;
    stop.current?.();
    const box = event.currentTarget.getBoundingClientRect();
    const grip = subject.visit === null ? 0 : event.clientX - box.left;
    stop.current = dragging(event.nativeEvent, {
      begins: () => {
        const hindered = hindranceOf(subject) !== null;
        if (hindered) latest.current.stage.onHindered(subject);
        return !hindered;
      },
      moves: (x, y) => {
        const spot = latest.current.stage.spotAt(x - grip, y);
        latest.current.stage.follow(x, y);
        show(carried(subject, spot, latest.current.hand));
      },
      ends: (kept) => {
        dragged.current = true;
        setTimeout(() => {
          dragged.current = false;
        }, 50);
        if (kept) drop();
        else cancel();
      },
    });
  };

  const nudge = (subject: Subject, steps: number, rows: number) => {
    const { hand: now, stage: here } = latest.current;
    const begun = now.move?.subject.orderId === subject.orderId ? now.move : begin(subject, here);
    if (begun === null) return;
    const engineerId = rows === 0 ? begun.engineerId : here.neighbour(begun.engineerId, rows);
    if (engineerId === null || hindranceOf(subject, engineerId) !== null) return;
    show({ move: nudged({ ...begun, engineerId }, steps), by: "keys", overTray: false });
  };

  return { ...hand, grab, nudge, drop, cancel, wasDragged: () => dragged.current };
}

function isSame(a: Move | null, b: Move | null): boolean {
  if (a === null || b === null) return a === b;
  return a.subject === b.subject && a.engineerId === b.engineerId && a.start === b.start;
}

/** The hand above a spot; where it can't go it stays where it was last. */
function carried(subject: Subject, spot: Spot, before: Hand): Hand {
  if (spot === null) return { ...before, by: "pointer", overTray: false };
  const { visit } = subject;
  if (spot === "tray") {
    const move = before.move ?? (visit && { subject, engineerId: visit.engineerId, start: visit.start });
    return { move, by: "pointer", overTray: visit !== null };
  }
  const held = hindranceOf(subject, spot.engineerId) === "pinnedEngineer";
  const engineerId = held && visit ? visit.engineerId : spot.engineerId;
  return { move: { subject, engineerId, start: snapped(spot.at) }, by: "pointer", overTray: false };
}

function begin(subject: Subject, stage: Stage): Move | null {
  if (hindranceOf(subject) !== null) {
    stage.onHindered(subject);
    return null;
  }
  const { visit } = subject;
  if (visit) return { subject, engineerId: visit.engineerId, start: visit.start };
  const entry = stage.entry();
  return entry && { subject, engineerId: entry.engineerId, start: Math.ceil(entry.at / STEP_MS) * STEP_MS };
}

interface Drag {
  /** Answers whether it may go on. */
  readonly begins: () => boolean;
  readonly moves: (x: number, y: number) => void;
  readonly ends: (kept: boolean) => void;
}

/**
 * Follows one pointer. A mouse drags as soon as it has moved a little; a finger after it has rested, since one that
 * moves at once scrolls. Answers how to stop it.
 */
function dragging(down: PointerEvent, drag: Drag): () => void {
  const touch = down.pointerType === "touch";
  let [x, y] = [down.clientX, down.clientY];
  let under: "way" | null = null;
  let tick: ReturnType<typeof setInterval> | undefined;
  const start = () => {
    clearTimeout(rest);
    if (!drag.begins()) {
      finish();
      return;
    }
    under = "way";
    drag.moves(x, y);
    tick = setInterval(() => drag.moves(x, y), TICK_MS); // the page scrolls under a pointer that rests at its edge
  };
  const rest = touch ? setTimeout(start, HOLD_MS) : undefined;
  const moved = (event: PointerEvent) => {
    if (event.pointerId !== down.pointerId) return;
    const far = Math.hypot(event.clientX - down.clientX, event.clientY - down.clientY) > FAR_PX;
    [x, y] = [event.clientX, event.clientY];
    if (under) drag.moves(x, y);
    else if (far && touch) finish();
    else if (far) start();
  };
  const ended = (event: PointerEvent) => {
    if (event.pointerId !== down.pointerId) return;
    const was = under;
    finish();
    if (was) drag.ends(event.type === "pointerup");
  };
  const pressed = (event: KeyboardEvent) => {
    if (event.key !== "Escape" || !under) return;
    event.preventDefault();
    event.stopPropagation();
    finish();
    drag.ends(false);
  };
  const held = (event: TouchEvent) => under && event.preventDefault();
  const menu = (event: Event) => touch && event.preventDefault();
  function finish(): void {
    under = null;
    clearTimeout(rest);
    clearInterval(tick);
    window.removeEventListener("pointermove", moved);
    window.removeEventListener("pointerup", ended);
    window.removeEventListener("pointercancel", ended);
    window.removeEventListener("keydown", pressed, { capture: true });
    window.removeEventListener("touchmove", held);
    window.removeEventListener("contextmenu", menu, { capture: true });
  }
  window.addEventListener("pointermove", moved);
  window.addEventListener("pointerup", ended);
  window.addEventListener("pointercancel", ended);
  window.addEventListener("keydown", pressed, { capture: true });
  window.addEventListener("touchmove", held, { passive: false });
  window.addEventListener("contextmenu", menu, { capture: true });
  return finish;
}
