import { ApiProblem, answered } from "@callout/api";
import { Button } from "@mantine/core";
import { notifications } from "@mantine/notifications";
import { useQueryClient } from "@tanstack/react-query";
import { Check, CircleAlert, Undo2 } from "lucide-react";
import { type ActionBody, type Order, orderOf } from "../app/model";
import { orderKeys } from "../app/queries";
import { type Services, useServices } from "../app/services";
import { type Translate, useWords } from "../i18n";
import { sentenceOf } from "../ui/Messages";
import type { Offer } from "./arranging";
import css from "./detail.module.css";

export interface OrderActions {
  readonly assign: (order: Order, engineer: { id: string; name: string }) => Promise<void>;
  /** Books what was offered, if there is room for it still. */
  readonly takeOffer: (order: Order, offer: Offer) => Promise<void>;
  /** Answers whether the server accepted it. */
  readonly act: (order: Order, body: ActionBody) => Promise<boolean>;
  /** Takes an order back, or brings it back. Answers whether the server accepted it. */
  readonly take: (order: Order, way: TakeWay, reason: string) => Promise<boolean>;
  readonly note: (order: Order, body: string) => Promise<boolean>;
}

export type TakeWay = "void" | "restore";

const UNDO_MS = 12_000;

export function useOrderActions(): OrderActions {
  const { t } = useWords();
  const services = useServices();
  const queries = useQueryClient();
  const refresh = (id: string) => queries.invalidateQueries({ queryKey: orderKeys.all(id) });

  async function told<Result>(id: string, work: () => Promise<Result>): Promise<Result | null> {
    try {
      return await work();
    } catch (problem) {
      complain(t, problem);
      return null;
    } finally {
      void refresh(id);
    }
  }

  return {
    assign: async (order, engineer) => {
      const done = await told(order.id, () => postAssign(services, order.id, engineer.id));
      if (done)
        sayUndo(
          t,
          t("done.assigned", { name: engineer.name, number: `#${order.number}` }),
          () => void told(order.id, () => postUndo(t, services, order.id)),
        );
    },
    takeOffer: async (order, offer) => {
      const done = await told(order.id, () => postTaken(t, services, order.id, offer));
      if (done)
        sayUndo(
          t,
          t("done.assigned", { name: offer.name, number: `#${order.number}` }),
          () => void told(order.id, () => postUndo(t, services, order.id)),
        );
    },
    act: async (order, body) => {
      const done = await told(order.id, () => postAction(services, order.id, body));
      if (done) say(t("done.action", { number: String(order.number), action: t(`act.${body.action}`) }));
      return done !== null;
    },
    take: async (order, way, reason) => {
      const done = await told(order.id, () => postTake(services, order.id, way, reason));
      void queries.invalidateQueries({ queryKey: ["archive"] });
      if (done) say(t("done.action", { number: String(order.number), action: t(`act.${way}`) }));
      return done !== null;
    },
    note: async (order, body) => {
      const { api } = services;
      const params = { path: { work_order_id: order.id } };
      const done = await told(order.id, () =>
        answered(api.POST("/api/v1/work-orders/{work_order_id}/notes", { params, body: { body } })),
      );
      return done !== null;
    },
  };
}

async function postAction({ api, board }: Services, id: string, body: ActionBody): Promise<Order> {
  const params = { path: { work_order_id: id } };
  const order = orderOf(await answered(api.POST("/api/v1/work-orders/{work_order_id}/actions", { params, body })));
  board.learn(order);
  return order;
}

async function postTake({ api, board }: Services, id: string, way: TakeWay, reason: string): Promise<Order> {
  const asked = { params: { path: { work_order_id: id } }, body: { reason } };
  if (way === "void") {
    const order = orderOf(await answered(api.POST("/api/v1/work-orders/{work_order_id}/void", asked)));
    board.forget(id);
    return order;
  }
  const order = orderOf(await answered(api.POST("/api/v1/work-orders/{work_order_id}/restore", asked)));
  board.recall(order);
  return order;
}

async function postAssign({ api, board }: Services, id: string, engineer: string): Promise<Order> {
  const params = { path: { work_order_id: id } };
  const body = { engineer_id: engineer };
  const order = orderOf(await answered(api.POST("/api/v1/work-orders/{work_order_id}/assign", { params, body })));
  board.learn(order);
  return order;
}

async function postTaken(t: Translate, { api, board }: Services, id: string, offer: Offer): Promise<Order> {
  const body = {
    work_order_id: id,
    engineer_id: offer.engineer_id,
    begins_at: offer.begins_at,
    delay_seconds: offer.delay_seconds,
    width_minutes: 240,
  };
  try {
    const order = orderOf(await answered(api.POST("/api/v1/slots/take", { body })));
    board.learn(order);
    return order;
  } catch (problem) {
    if (problem instanceof ApiProblem && problem.code === "slot.taken") throw new TooLate(t("offers.overtaken"));
    throw problem;
  }
}

async function postUndo(t: Translate, services: Services, id: string): Promise<void> {
  try {
    const order = await postAction(services, id, { action: "unschedule", reason: t("done.undoReason") });
    say(t("done.undone", { number: String(order.number) }));
  } catch (problem) {
    if (problem instanceof ApiProblem && problem.status === 409) throw new TooLate(t("done.undoLate"));
    throw problem;
  }
}

/** An undo that the order's state no longer allows, or an offer that is gone. */
class TooLate extends Error {}

/** No question before, but a way back after: quicker for the many right clicks, kinder for the few wrong ones. */
export function sayUndo(t: Translate, message: string, undo: () => void): void {
  const id = notifications.show({
    icon: <Check size={18} aria-hidden="true" />,
    color: "accent",
    autoClose: UNDO_MS,
    withBorder: true,
    closeButtonProps: { "aria-label": t("close") },
    message: (
      <span className={css.undo}>
        {message}
        <Button
          size="compact-sm"
          variant="light"
          leftSection={<Undo2 size={14} />}
          onClick={() => {
            notifications.hide(id);
            undo();
          }}
        >
          {t("done.undo")}
        </Button>
      </span>
    ),
  });
}

export function say(message: string): void {
  notifications.show({
    icon: <Check size={18} aria-hidden="true" />,
    color: "accent",
    message,
    autoClose: 4000,
    withBorder: true,
    withCloseButton: false,
  });
}

export function complain(t: Translate, problem: unknown): void {
  const conflict = problem instanceof ApiProblem && (problem.status === 409 || problem.status === 412);
  notifications.show({
    icon: <CircleAlert size={18} aria-hidden="true" />,
    color: "red",
    withBorder: true,
    title: conflict ? t("fail.conflict") : t("fail.title"),
    message: problem instanceof TooLate ? problem.message : sentenceOf(t, problem),
    closeButtonProps: { "aria-label": t("close") },
  });
}
