import { type Answer, answered, type Body } from "@callout/api";
import { useQuery } from "@tanstack/react-query";
import { useMemo } from "react";
import { useServices } from "../app/services";
import { textIn, useWords } from "../i18n";
import { type Shares, weightsOf } from "./shares";

export type Versions = Answer<"/api/v1/score-weights", "get">;
export type Version = Versions["items"][number];
export type Preview = Answer<"/api/v1/score-weights/preview", "post">;
export type Rule = Answer<"/api/v1/assignment-rules", "get">["items"][number];
export type NewRule = Body<"/api/v1/assignment-rules", "post">;
export type Rehearsed = Answer<"/api/v1/assignment-rules/dry-run", "post">["items"][number];
export type Standing = Answer<"/api/v1/learning", "get">;
export type Model = Answer<"/api/v1/learning/models", "get">["items"][number];
export type WholeModel = Answer<"/api/v1/learning/models/{model_id}", "get">;
export type Learnt = Answer<"/api/v1/learning", "post">["items"][number];
export type Kind = Model["kind"];
export type Comparison = Answer<"/api/v1/dispatch/evaluation", "get">;
export type Side = Comparison["system"];
export type Figure = Side["first_time_fix"];
export type Policy = Answer<"/api/v1/planning-policy", "get">;
export type NewPolicy = Body<"/api/v1/planning-policy", "put">;

export const KEYS = {
  weights: ["dispatching", "weights"],
  rules: ["dispatching", "rules"],
  learning: ["dispatching", "learning"],
  models: ["dispatching", "models"],
  policy: ["dispatching", "policy"],
} as const;

export const DAY_MS = 86_400_000;

export function useVersions() {
  const { api } = useServices();
  return useQuery({
    queryKey: KEYS.weights,
    queryFn: ({ signal }) => answered(api.GET("/api/v1/score-weights", { signal })),
  });
}

/** What these weights would have made of the decisions since; `shares` null asks nothing. */
export function usePreview(shares: Shares | null, since: number, until: number) {
  const { api } = useServices();
  return useQuery<Preview>({
    queryKey: ["dispatching", "preview", shares, since, until],
    enabled: shares !== null,
    staleTime: Number.POSITIVE_INFINITY,
    gcTime: 60_000,
    placeholderData: (before) => before,
    queryFn: ({ signal }) => {
      const body = {
        weights: shares ? weightsOf(shares) : {},
        since: new Date(since).toISOString(),
        until: new Date(until).toISOString(),
      };
      return answered(api.POST("/api/v1/score-weights/preview", { body, signal }));
    },
  });
}

export function useRules() {
  const { api } = useServices();
  return useQuery({
    queryKey: KEYS.rules,
    queryFn: ({ signal }) => answered(api.GET("/api/v1/assignment-rules", { signal })).then((found) => found.items),
  });
}

export function useRehearsal(days: number, inactiveToo: boolean, rules: string, enabled: boolean) {
  const { api } = useServices();
  return useQuery({
    queryKey: ["dispatching", "rehearsal", days, inactiveToo, rules],
    enabled,
    queryFn: ({ signal }) =>
      answered(
        api.POST("/api/v1/assignment-rules/dry-run", { body: { days, inactive_too: inactiveToo }, signal }),
      ).then((found) => found.items),
  });
}

export function useStanding() {
  const { api } = useServices();
  return useQuery({
    queryKey: KEYS.learning,
    queryFn: ({ signal }) => answered(api.GET("/api/v1/learning", { signal })),
  });
}

export function useModels() {
  const { api } = useServices();
  return useQuery({
    queryKey: KEYS.models,
    queryFn: ({ signal }) => answered(api.GET("/api/v1/learning/models", { signal })).then((found) => found.items),
  });
}

export function useModel(id: string, enabled: boolean) {
  const { api } = useServices();
  return useQuery({
    queryKey: [...KEYS.models, id],
    enabled,
    staleTime: Number.POSITIVE_INFINITY,
    queryFn: ({ signal }) =>
      answered(api.GET("/api/v1/learning/models/{model_id}", { params: { path: { model_id: id } }, signal })),
  });
}

export function useComparison(from: number, until: number) {
  const { api } = useServices();
  const query = { from: new Date(from).toISOString(), until: new Date(until).toISOString() };
  return useQuery<Comparison>({
    queryKey: ["dispatching", "evaluation", query.from, query.until],
    placeholderData: (before) => before,
    queryFn: ({ signal }) => answered(api.GET("/api/v1/dispatch/evaluation", { params: { query }, signal })),
  });
}

export function usePolicy() {
  const { api } = useServices();
  return useQuery({
    queryKey: KEYS.policy,
    queryFn: ({ signal }) => answered(api.GET("/api/v1/planning-policy", { signal })),
  });
}

/** What orders can be about, as choices. */
export function useProblemTypes(): readonly { readonly value: string; readonly label: string }[] {
  const { api } = useServices();
  const { language } = useWords();
  const { data } = useQuery({
    queryKey: ["skills"],
    staleTime: 10 * 60_000,
    queryFn: ({ signal }) => answered(api.GET("/api/v1/skills", { signal })),
  });
  return useMemo(
    () => (data?.items ?? []).map((one) => ({ value: one.key, label: textIn(language, one.name) })),
    [data, language],
  );
}

/** Territories as choices. */
export function useTerritoryNames(): ReadonlyMap<string, string> {
  const { api } = useServices();
  const { data } = useQuery({
    queryKey: ["territories"],
    staleTime: 10 * 60_000,
    queryFn: async ({ signal }) => {
      const { items } = await answered(api.GET("/api/v1/territories", { signal }));
      return new Map(items.map(({ id, name }) => [id, name] as const));
    },
  });
  return data ?? NONE;
}

const NONE: ReadonlyMap<string, string> = new Map();
