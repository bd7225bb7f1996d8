import { answered } from "@callout/api";
import { useQuery, useQueryClient } from "@tanstack/react-query";
import { useEffect } from "react";
import { useServices } from "../app/services";
import type { Days } from "./model";

const LOOK_AGAIN_MS = 60_000; // shifts change without an event
const GATHER_MS = 400;

export const DAYS = ["days"] as const;

/** Everybody's shifts and visits between two instants; what was shown stays while another day is fetched. */
export function useDays(from: number, until: number) {
  const { api } = useServices();
  const query = { from: new Date(from).toISOString(), to: new Date(until).toISOString() };
  return useQuery<Days>({
    queryKey: [...DAYS, query.from, query.to],
    refetchInterval: LOOK_AGAIN_MS,
    placeholderData: (before) => before,
    queryFn: ({ signal }) => answered(api.GET("/api/v1/timeline", { params: { query }, signal })),
  });
}

/** Fetches the days anew when something happened to an order, once for a whole flock of events. */
export function useLiveDays(): void {
  const { board } = useServices();
  const queries = useQueryClient();
  useEffect(() => {
    let timer: ReturnType<typeof setTimeout> | undefined;
    const stop = board.onOrder(() => {
      timer ??= setTimeout(() => {
        timer = undefined;
        void queries.invalidateQueries({ queryKey: DAYS });
      }, GATHER_MS);
    });
    return () => {
      stop();
      clearTimeout(timer);
    };
  }, [board, queries]);
}

export function useTerritories(): ReadonlyMap<string, string> {
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
