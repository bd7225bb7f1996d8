import { answered } from "@callout/api";
import { useQuery } from "@tanstack/react-query";
import { detailOf, isActive, type Order, orderOf, type Place, type Route, STATES_OF, type State } from "./model";
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
      answered(
        api.GET("/api/v1/work-orders/{work_order_id}", { params: { path: { work_order_id: id } }, signal }),
      ).then(detailOf),
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

const ARCHIVE_PAGE = 100;

/** Orders that the board no longer holds because they are over, or nothing while none are asked for. */
export function useArchive(states: readonly State[], text: string): readonly Order[] {
  const { api } = useServices();
  const wanted = states.filter((state) => !isActive(state));
  const q = text.trim();
  const { data } = useQuery<readonly Order[]>({
    queryKey: ["archive", wanted, q],
    enabled: wanted.length > 0 || q.length > 1,
    placeholderData: (before) => before,
    queryFn: async ({ signal }) => {
      const state = wanted.length > 0 ? wanted : [...STATES_OF.closed];
      const query = { state, limit: ARCHIVE_PAGE, ...(q && { q }) };
      const found = await answered(api.GET("/api/v1/work-orders", { params: { query }, signal }));
      return found.items.map(orderOf);
    },
  });
  return wanted.length > 0 || q.length > 1 ? (data ?? NOTHING) : NOTHING;
}

const NOTHING: readonly Order[] = [];
