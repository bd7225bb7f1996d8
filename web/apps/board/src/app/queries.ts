import { answered } from "@callout/api";
import { useQuery } from "@tanstack/react-query";
import type { Place, Route } from "./model";
import { useServices } from "./services";

export const orderKeys = {
  all: (id: string) => ["order", id] as const,
  detail: (id: string) => ["order", id, "detail"] as const,
  timeline: (id: string) => ["order", id, "timeline"] as const,
  candidates: (id: string) => ["order", id, "candidates"] as const,
};

export function useOrderDetail(id: string) {
  const { api } = useServices();
  return useQuery({
    queryKey: orderKeys.detail(id),
    queryFn: ({ signal }) =>
      answered(api.GET("/api/v1/work-orders/{work_order_id}", { params: { path: { work_order_id: id } }, signal })),
  });
}

export function useTimeline(id: string) {
  const { api } = useServices();
  return useQuery({
    queryKey: orderKeys.timeline(id),
    queryFn: ({ signal }) =>
      answered(
        api.GET("/api/v1/work-orders/{work_order_id}/timeline", {
          params: { path: { work_order_id: id } },
          signal,
        }),
      ),
  });
}

export function useCandidates(id: string, enabled: boolean) {
  const { api } = useServices();
  return useQuery({
    queryKey: orderKeys.candidates(id),
    enabled,
    refetchInterval: 30_000, // people drive on while the dispatcher thinks
    queryFn: ({ signal }) =>
      answered(
        api.GET("/api/v1/work-orders/{work_order_id}/candidates", {
          params: { path: { work_order_id: id } },
          signal,
        }),
      ),
  });
}

const lonLat = (place: Place) => `${place.lon.toFixed(5)},${place.lat.toFixed(5)}`;

/** The drive between two places; the last answer stays while the next one, for a van that moved on, is fetched. */
export function useRoute(what: string | null, from: Place | null, to: Place | null) {
  const { api } = useServices();
  return useQuery<Route | null>({
    queryKey: ["route", what, from && lonLat(from), to && lonLat(to)],
    enabled: what !== null && from !== null && to !== null,
    staleTime: Number.POSITIVE_INFINITY,
    gcTime: 60_000,
    placeholderData: (before, query) => (query?.queryKey[1] === what ? before : undefined),
    queryFn: async ({ signal }) => {
      if (!from || !to) return null;
      return answered(
        api.GET("/api/v1/geo/route", { params: { query: { from: lonLat(from), to: lonLat(to) } }, signal }),
      );
    },
  });
}
