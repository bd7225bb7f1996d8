import { answered } from "@callout/api";
import { useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { useServices } from "../app/services";
import { complain, say } from "../detail/useOrderActions";
import { useWords } from "../i18n";
import type { NewPlan, Plan } from "./model";
import { plansKey } from "./queries";

export interface PlanActions {
  readonly busy: boolean;
  /** Answers the plan's id, or null when it was refused. */
  readonly request: (wanted: NewPlan, key: string) => Promise<string | null>;
  readonly cancel: (plan: Plan) => Promise<void>;
  /** `orders` null: all that is still proposed. */
  readonly accept: (plan: Plan, orders: readonly string[] | null) => Promise<void>;
  readonly decline: (plan: Plan, orders: readonly string[] | null) => Promise<void>;
  readonly undo: (plan: Plan) => Promise<void>;
}

export function usePlanActions(): PlanActions {
  const { t } = useWords();
  const { api } = useServices();
  const queries = useQueryClient();
  const [busy, setBusy] = useState(false);

  async function told(work: () => Promise<Plan>): Promise<Plan | null> {
    setBusy(true);
    try {
      const plan = await work();
      queries.setQueryData([...plansKey, "one", plan.id], plan);
      return plan;
    } catch (problem) {
      complain(t, problem);
      return null;
    } finally {
      setBusy(false);
      void queries.invalidateQueries({ queryKey: plansKey });
    }
  }

  const at = (plan: Plan) => ({ path: { plan_id: plan.id } });
  return {
    busy,
    request: async (wanted, key) => {
      const headers = { "Idempotency-Key": key };
      const plan = await told(() => answered(api.POST("/api/v1/plans", { body: wanted, headers })));
      return plan?.id ?? null;
    },
    cancel: async (plan) => {
      await told(() => answered(api.POST("/api/v1/plans/{plan_id}/cancel", { params: at(plan) })));
    },
    accept: async (plan, orders) => {
      const body = orders ? { work_orders: [...orders] } : {};
      const header = { "Idempotency-Key": crypto.randomUUID() };
      await told(() => answered(api.POST("/api/v1/plans/{plan_id}/accept", { params: { ...at(plan), header }, body })));
    },
    decline: async (plan, orders) => {
      const body = orders ? { work_orders: [...orders] } : {};
      const done = await told(() => answered(api.POST("/api/v1/plans/{plan_id}/decline", { params: at(plan), body })));
      if (done) say(t("plan.declined"));
    },
    undo: async (plan) => {
      await told(() => answered(api.POST("/api/v1/plans/{plan_id}/undo", { params: at(plan) })));
    },
  };
}
