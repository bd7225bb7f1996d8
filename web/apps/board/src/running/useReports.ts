import { ApiProblem, answered, type Body } from "@callout/api";
import { useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { type Order, orderOf, stageOf } from "../app/model";
import { orderKeys } from "../app/queries";
import { type Services, useServices } from "../app/services";
import { complain, say, sayUndo } from "../detail/useOrderActions";
import { useWords } from "../i18n";
import { plansKey } from "../plans/queries";
import { DAYS } from "../timeline/queries";
import type { Disruption } from "./model";
import { DISRUPTIONS } from "./queries";

export type Said =
  | { readonly kind: "absence"; readonly body: Body<"/api/v1/disruptions/absence", "post"> }
  | { readonly kind: "breakdown"; readonly body: Body<"/api/v1/disruptions/breakdown", "post"> }
  | { readonly kind: "delay"; readonly body: Body<"/api/v1/disruptions/delay", "post"> }
  | { readonly kind: "no_show"; readonly body: Body<"/api/v1/disruptions/no-show", "post">; readonly order: Order };

/** Refusals that a report can be answered with, each with words of ours. */
export const REFUSALS = [
  "disruption.no_shift",
  "disruption.not_at_work",
  "disruption.times_backwards",
  "disruption.nobody_waited",
] as const;
export type Refusal = (typeof REFUSALS)[number];

export interface Reports {
  readonly busy: boolean;
  /** Answers "told", what it was refused for, or null for trouble that was told already. `key`: one for each form. */
  readonly report: (said: Said, name: string, key: string) => Promise<"told" | Refusal | null>;
  /** No plan counts with it any more. Answers whether the server accepted it. */
  readonly withdraw: (one: Pick<Disruption, "id" | "engineer_name">) => Promise<boolean>;
}

export function useReports(): Reports {
  const { t } = useWords();
  const services = useServices();
  const queries = useQueryClient();
  const [busy, setBusy] = useState(false);

  async function attempt<Result>(work: () => Promise<Result>, order?: string): Promise<Result | Refusal | null> {
    setBusy(true);
    try {
      return await work();
    } catch (problem) {
      const refusal = problem instanceof ApiProblem ? REFUSALS.find((one) => one === problem.code) : undefined;
      if (!refusal) complain(t, problem);
      return refusal ?? null;
    } finally {
      setBusy(false);
      const keys = [DISRUPTIONS, plansKey, DAYS, ...(order ? [orderKeys.all(order)] : [])];
      for (const queryKey of keys) void queries.invalidateQueries({ queryKey });
    }
  }

  async function withdraw(one: Pick<Disruption, "id" | "engineer_name">): Promise<boolean> {
    const done = await attempt(() => ignored(services, one.id));
    if (typeof done !== "object" || done === null) return false;
    say(t("running.withdrawnDone", { name: one.engineer_name }));
    return true;
  }

  async function undo(made: Disruption, before: Order | null): Promise<void> {
    if (!(await withdraw(made)) || before === null || stageOf(before.state) !== "planned") return;
    await attempt(() => givenBack(services, before), before.id);
  }

  return {
    busy,
    withdraw,
    report: async (said, name, key) => {
      const before = said.kind === "no_show" ? said.order : null;
      const made = await attempt(() => told(services, said, key), before?.id);
      if (made === null || typeof made === "string") return made;
      const words = t(`running.told.${said.kind}`, { name, number: before ? `#${before.number}` : "" });
      // Who had set out has stopped by now, and only they can go on.
      if (before !== null && stageOf(before.state) !== "planned") say(words);
      else sayUndo(t, words, () => void undo(made, before));
      return "told";
    },
  };
}

function told({ api }: Services, said: Said, key: string): Promise<Disruption> {
  const params = { header: { "Idempotency-Key": key } };
  switch (said.kind) {
    case "absence":
      return answered(api.POST("/api/v1/disruptions/absence", { body: said.body, params }));
    case "breakdown":
      return answered(api.POST("/api/v1/disruptions/breakdown", { body: said.body, params }));
    case "delay":
      return answered(api.POST("/api/v1/disruptions/delay", { body: said.body, params }));
    case "no_show":
      return answered(api.POST("/api/v1/disruptions/no-show", { body: said.body, params }));
  }
}

function ignored({ api }: Services, id: string): Promise<Disruption> {
  const params = { path: { disruption_id: id } };
  return answered(api.POST("/api/v1/disruptions/{disruption_id}/ignore", { params }));
}

/** Sends the same person at the same time again. */
async function givenBack({ api, board }: Services, was: Order): Promise<Order> {
  const params = { path: { work_order_id: was.id } };
  const body = { engineer_id: was.engineer_id ?? "", planned_start: was.planned_start, planned_end: was.planned_end };
  const order = orderOf(await answered(api.POST("/api/v1/work-orders/{work_order_id}/assign", { params, body })));
  board.learn(order);
  return order;
}
