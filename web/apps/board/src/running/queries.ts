import { answered } from "@callout/api";
import { useQuery, useQueryClient } from "@tanstack/react-query";
import { useEffect, useMemo } from "react";
import { useServerMinute } from "../app/clock";
import { useMay } from "../app/pages";
import { useServices } from "../app/services";
import { byEngineer, type Disruption, isMoving } from "./model";

export const DISRUPTIONS = ["disruptions"] as const;

const LOOK_AGAIN_MS = 60_000; // delays end with the clock and tell nobody
const PROGRESS_MS = 2_000;

/** What went wrong in the last day or is not over yet, the newest first. */
export function useDisruptions() {
  const { api } = useServices();
  const may = useMay("visits.dispatch");
  return useQuery<readonly Disruption[]>({
    queryKey: DISRUPTIONS,
    enabled: may,
    refetchInterval: ({ state }) => (state.data?.some(isMoving) ? PROGRESS_MS : LOOK_AGAIN_MS),
    queryFn: ({ signal }) => answered(api.GET("/api/v1/disruptions", { signal })).then((found) => found.items),
  });
}

/** Fetches them anew when one was reported or settled, or a plan that may be a repair came a step further. */
export function useLiveDisruptions(): void {
  const { board } = useServices();
  const queries = useQueryClient();
  useEffect(() => {
    const again = () => void queries.invalidateQueries({ queryKey: DISRUPTIONS });
    const stops = [board.onDisruption(again), board.onPlan(again)];
    return () => {
      for (const stop of stops) stop();
    };
  }, [board, queries]);
}

/** What keeps each engineer from their work now or later. */
export function useDisturbed(): ReadonlyMap<string, readonly Disruption[]> {
  const { data } = useDisruptions();
  const now = useServerMinute();
  return useMemo(() => byEngineer(data ?? NOTHING, now), [data, now]);
}

const NOTHING: readonly Disruption[] = [];

export function useDisturbing(engineer: string): readonly Disruption[] {
  return useDisturbed().get(engineer) ?? NOTHING;
}
