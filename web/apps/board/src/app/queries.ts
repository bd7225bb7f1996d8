import { type Answer, answered } from "@callout/api";
import { useQuery } from "@tanstack/react-query";
import { useMemo } from "react";
import type { Filter } from "../board/filter";
import { textIn, useWords } from "../i18n";
import { detailOf, isActive, type Order, type OrderDetail, orderOf, type Place, type Route, STATES_OF } from "./model";
import { useMay } from "./pages";
import { useServices } from "./services";

export const orderKeys = {
  all: (id: string) => ["order", id] as const,
  detail: (id: string) => ["order", id, "detail"] as const,
  timeline: (id: string) => ["order", id, "timeline"] as const,
  candidates: (id: string) => ["order", id, "candidates"] as const,
};

const COPIES_MS = 4_000;
const FILES_MS = 12_000;

/** A file comes when its phone has a network and small copies are made in seconds; no event tells of either. */
function photosDueIn(detail: OrderDetail | undefined): number | false {
  const states = new Set(detail?.photos.map((photo) => photo.state));
  if (states.has("ready")) return COPIES_MS;
  return states.has("pending_blob") && FILES_MS;
}

/** `id` null: there is no order to ask about. */
export function useOrderDetail(id: string | null) {
  const { api } = useServices();
  return useQuery<OrderDetail>({
    queryKey: orderKeys.detail(id ?? ""),
    enabled: id !== null,
    refetchInterval: ({ state }) => photosDueIn(state.data),
    queryFn: ({ signal }) =>
      answered(
        api.GET("/api/v1/work-orders/{work_order_id}", { params: { path: { work_order_id: id ?? "" } }, signal }),
      ).then(detailOf),
  });
}

/** `id` null: there is no order to ask about. */
export function useTimeline(id: string | null) {
  const { api } = useServices();
  return useQuery({
    queryKey: orderKeys.timeline(id ?? ""),
    enabled: id !== null,
    queryFn: ({ signal }) =>
      answered(
        api.GET("/api/v1/work-orders/{work_order_id}/timeline", {
          params: { path: { work_order_id: id ?? "" } },
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

/** Orders that the board no longer holds because they are over or were taken back; nothing while none are asked for. */
export function useArchive(filter: Filter): readonly Order[] {
  const { api } = useServices();
  const wanted = filter.states.filter((state) => filter.voided || !isActive(state));
  const q = filter.text.trim();
  const asked = wanted.length > 0 || q.length > 1 || filter.voided;
  const { data } = useQuery<readonly Order[]>({
    queryKey: ["archive", wanted, q, filter.voided],
    enabled: asked,
    placeholderData: (before, query) => (query?.queryKey[3] === filter.voided ? before : undefined),
    queryFn: async ({ signal }) => {
      const over = filter.voided ? {} : { state: [...STATES_OF.closed] };
      const query = {
        ...(wanted.length > 0 ? { state: wanted } : over),
        limit: ARCHIVE_PAGE,
        ...(q && { q }),
        ...(filter.voided && { voided: true }),
      };
      const found = await answered(api.GET("/api/v1/work-orders", { params: { query }, signal }));
      return found.items.map(orderOf);
    },
  });
  return asked ? (data ?? NOTHING) : NOTHING;
}

const NOTHING: readonly Order[] = [];

type TextField = "description" | "findings";

/** Every version of a text of an order, the first one first. */
export function useRevisions(id: string, field: TextField, enabled = true) {
  const { api } = useServices();
  return useQuery({
    queryKey: [...orderKeys.all(id), "revisions", field],
    enabled,
    queryFn: ({ signal }) =>
      answered(
        api.GET("/api/v1/work-orders/{work_order_id}/texts/{field}/revisions", {
          params: { path: { work_order_id: id, field } },
          signal,
        }),
      ).then((found) => found.items),
  });
}

/** The names of skills by key, in the reader's language. */
export function useSkillNames(): ReadonlyMap<string, string> {
  const { api } = useServices();
  const { language } = useWords();
  const { data } = useQuery({
    queryKey: ["skills"],
    staleTime: 10 * 60_000,
    queryFn: ({ signal }) => answered(api.GET("/api/v1/skills", { signal })),
  });
  return useMemo(
    () => new Map((data?.items ?? []).map((one) => [one.key, textIn(language, one.name)] as const)),
    [data, language],
  );
}

const MOST = 200;

/** The names of the organisation's people by id. */
export function useNames(): ReadonlyMap<string, string> {
  const { api } = useServices();
  const allowed = useMay("people.read");
  const { data } = useQuery({
    queryKey: ["people", "names"],
    enabled: allowed,
    staleTime: 10 * 60_000,
    queryFn: async ({ signal }) => {
      const names = new Map<string, string>();
      let cursor: string | null = null;
      do {
        const query: { limit: number; cursor?: string } = { limit: MOST, ...(cursor && { cursor }) };
        const page: Answer<"/api/v1/people", "get"> = await answered(
          api.GET("/api/v1/people", { params: { query }, signal }),
        );
        for (const person of page.items) names.set(person.id, person.name);
        cursor = page.next_cursor;
      } while (cursor !== null);
      return names;
    },
  });
  return data ?? NOBODY;
}

const NOBODY: ReadonlyMap<string, string> = new Map();
