import { answered } from "@callout/api";
import { useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { useServerMinute } from "../app/clock";
import { type Order, orderOf } from "../app/model";
import { orderKeys } from "../app/queries";
import { useServices } from "../app/services";
import { complain } from "../detail/useOrderActions";
import { useWords } from "../i18n";
import type { Days, Pin, Subject } from "./model";
import { endOf, type Move, withMove, withoutVisit, withPin } from "./moving";
import { DAYS } from "./queries";

/** What was done last, for the strip that offers to undo it. */
export interface Done {
  readonly key: number;
  readonly message: string;
  readonly undo: (() => void) | null;
}

export interface Moves {
  readonly done: Done | null;
  readonly forget: () => void;
  readonly perform: (move: Move, name: string) => Promise<void>;
  /** Takes a visit off its engineer. */
  readonly release: (subject: Subject) => Promise<void>;
  readonly pin: (subject: Subject, pin: Pin | null) => Promise<void>;
}

/** Moves are made at once and shown before the server has agreed; each offers a way back. */
export function useMoves(): Moves {
  const { t, times } = useWords();
  const services = useServices();
  const queries = useQueryClient();
  const now = useServerMinute();
  const [done, setDone] = useState<Done | null>(null);

  async function attempt(expected: (days: Days) => Days, work: () => Promise<Order>): Promise<Order | null> {
    await queries.cancelQueries({ queryKey: DAYS });
    queries.setQueriesData<Days>({ queryKey: DAYS }, (days) => days && expected(days));
    try {
      const order = await work();
      services.board.learn(order);
      void queries.invalidateQueries({ queryKey: orderKeys.all(order.id) });
      return order;
    } catch (problem) {
      complain(t, problem);
      return null;
    } finally {
      void queries.invalidateQueries({ queryKey: DAYS });
    }
  }

  const place = (move: Move) =>
    attempt(
      (days) => withMove(days, move, now),
      () => posted(services, move),
    );
  const tell = (message: string, undo: (() => void) | null) => setDone({ key: Date.now(), message, undo });
  const takeBack = (subject: Subject, reason: string) =>
    attempt(
      (days) => withoutVisit(days, subject.orderId),
      () => unscheduled(services, subject.orderId, reason),
    );
  const held = (visitId: string, pin: Pin | null) =>
    attempt(
      (days) => withPin(days, visitId, pin),
      () => pinned(services, visitId, pin),
    );

  /** Puts a visit where it was; the one it has become may be another. */
  async function putBack(was: Subject, order: Order): Promise<void> {
    const { visit } = was;
    if (visit === null || order.visit_id === null || order.engineer_id === null) return;
    const is = {
      ...visit,
      id: order.visit_id,
      engineerId: order.engineer_id,
      start: Date.parse(order.planned_start ?? ""),
    };
    const back = await place({ subject: { ...was, visit: is }, engineerId: visit.engineerId, start: visit.start });
    if (back === null) return;
    if (visit.pin && visit.engineerId !== order.engineer_id && back.visit_id) await held(back.visit_id, visit.pin);
    tell(t("move.undone", { number: was.number }), null);
  }

  async function undoFirst(subject: Subject): Promise<void> {
    if (await takeBack(subject, t("move.undoReason"))) tell(t("move.undone", { number: subject.number }), null);
  }

  return {
    done,
    forget: () => setDone(null),
    perform: async (move, name) => {
      const { subject } = move;
      const order = await place(move);
      if (order === null) return;
      const undo = () => void (subject.visit === null ? undoFirst(subject) : putBack(subject, order));
      tell(t("move.done", { number: subject.number, name, time: times.moment(new Date(move.start), now) }), undo);
    },
    release: async (subject) => {
      const { visit } = subject;
      if (visit === null || (await takeBack(subject, t("move.releaseReason"))) === null) return;
      const again = { subject: { ...subject, visit: null }, engineerId: visit.engineerId, start: visit.start };
      const undo = async () => {
        if (await place(again)) tell(t("move.undone", { number: subject.number }), null);
      };
      tell(t("move.released", { number: subject.number }), () => void undo());
    },
    pin: async (subject, pin) => {
      const { visit } = subject;
      if (visit === null || (await held(visit.id, pin)) === null) return;
      const undo = () => void held(visit.id, visit.pin).then((back) => back && setDone(null));
      tell(t(pin === null ? "pin.gone" : `pin.done.${pin}`, { number: subject.number }), undo);
    },
  };
}

type Services = ReturnType<typeof useServices>;

async function posted({ api }: Services, move: Move): Promise<Order> {
  const { subject, engineerId } = move;
  const times = { planned_start: new Date(move.start).toISOString(), planned_end: new Date(endOf(move)).toISOString() };
  if (subject.visit?.engineerId === engineerId) {
    const params = { path: { visit_id: subject.visit.id } };
    return orderOf(await answered(api.POST("/api/v1/visits/{visit_id}/replan", { params, body: times })));
  }
  const params = { path: { work_order_id: subject.orderId } };
  const body = { engineer_id: engineerId, ...times };
  return orderOf(await answered(api.POST("/api/v1/work-orders/{work_order_id}/assign", { params, body })));
}

async function unscheduled({ api }: Services, orderId: string, reason: string): Promise<Order> {
  const params = { path: { work_order_id: orderId } };
  const body = { action: "unschedule", reason } as const;
  return orderOf(await answered(api.POST("/api/v1/work-orders/{work_order_id}/actions", { params, body })));
}

async function pinned({ api }: Services, visitId: string, pin: Pin | null): Promise<Order> {
  const params = { path: { visit_id: visitId } };
  return orderOf(await answered(api.POST("/api/v1/visits/{visit_id}/pin", { params, body: { pin } })));
}
