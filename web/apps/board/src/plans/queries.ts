import { type Answer, answered } from "@callout/api";
import { useInfiniteQuery, useQuery, useQueryClient } from "@tanstack/react-query";
import { useEffect } from "react";
import { useServices } from "../app/services";
import type { Plan } from "./model";
import { isBusy } from "./model";

const PLANS = ["plans"] as const;
const PAGE = 30;
const PROGRESS_MS = 1_000;

type Listing = Answer<"/api/v1/plans/{plan_id}/lines", "get">;
type Listed = Answer<"/api/v1/plans", "get">;

/** The plans, newest first; while one is being made its progress is asked for. */
export function usePlans() {
  const { api } = useServices();
  return useInfiniteQuery({
    queryKey: [...PLANS, "list"],
    refetchInterval: ({ state }) => {
      const plans = state.data?.pages.flatMap((page: Listed) => page.items) ?? [];
      return plans.some(isBusy) ? 2 * PROGRESS_MS : false;
    },
    initialPageParam: null as string | null,
    getNextPageParam: (last: Listed) => last.next_cursor,
    queryFn: ({ pageParam, signal }): Promise<Listed> => {
      const query = { limit: PAGE, ...(pageParam && { cursor: pageParam }) };
      return answered(api.GET("/api/v1/plans", { params: { query }, signal }));
    },
  });
}

export function usePlan(id: string) {
  const { api } = useServices();
  return useQuery<Plan>({
    queryKey: [...PLANS, "one", id],
    refetchInterval: ({ state }) => (state.data && isBusy(state.data) ? PROGRESS_MS : false),
    queryFn: ({ signal }) =>
      answered(api.GET("/api/v1/plans/{plan_id}", { params: { path: { plan_id: id } }, signal })),
  });
}

/** `stand`: what its lines depend on; they are fetched anew when it changes. */
export function useLines(id: string, stand: string, enabled: boolean) {
  const { api } = useServices();
  return useQuery<Listing>({
    queryKey: [...PLANS, "lines", id, stand],
    enabled,
    placeholderData: (before, query) => (query?.queryKey[2] === id ? before : undefined),
    queryFn: ({ signal }) =>
      answered(api.GET("/api/v1/plans/{plan_id}/lines", { params: { path: { plan_id: id } }, signal })),
  });
}

export function useTours(id: string, enabled: boolean) {
  const { api } = useServices();
  return useQuery({
    queryKey: [...PLANS, "tours", id],
    enabled,
    staleTime: Number.POSITIVE_INFINITY,
    queryFn: ({ signal }) =>
      answered(api.GET("/api/v1/plans/{plan_id}/tours", { params: { path: { plan_id: id } }, signal })),
  });
}

/** Fetches a plan anew when it has come a step further. */
export function useLivePlans(): void {
  const { board } = useServices();
  const queries = useQueryClient();
  useEffect(() => board.onPlan(() => void queries.invalidateQueries({ queryKey: PLANS })), [board, queries]);
}

export const plansKey = PLANS;
