import { type Answer, ApiProblem, answered, type Body } from "@callout/api";
import { useInfiniteQuery, useQuery } from "@tanstack/react-query";
import { useMay } from "../app/pages";
import { useServices } from "../app/services";

type Listed = Answer<"/api/v1/inbox", "get">;
export type Item = Listed["items"][number];
export type Case = Answer<"/api/v1/inbox/{item_id}", "get">;
export type Choice = Body<"/api/v1/inbox/{item_id}/settle", "post">["choice"];
export type Kind = Item["kind"];
export type ItemState = Item["state"];

const PAGE = 50;
const LOOK_AGAIN_MS = 15_000;

/** How much waits for this person: decisions, and at the stock desk its discrepancies. */
export function useWaiting(): number {
  const decisions = useOpenDecisions();
  const mayResolve = useMay("stock.move");
  const stock = useDiscrepancies("open", mayResolve);
  return decisions + (mayResolve ? countOf(stock.data).count : 0);
}

/** How many are known by the first page, and whether there are more. */
export function countOf(data: { pages: { items: unknown[]; next_cursor: string | null }[] } | undefined) {
  const pages = data?.pages ?? [];
  return { count: pages.reduce((sum, page) => sum + page.items.length, 0), more: !!pages.at(-1)?.next_cursor };
}

export function useOpenDecisions(): number {
  const { api } = useServices();
  const allowed = useMay("orders.read");
  const { data } = useQuery({
    queryKey: ["inbox", "counts"],
    enabled: allowed,
    refetchInterval: LOOK_AGAIN_MS,
    queryFn: ({ signal }) => answered(api.GET("/api/v1/inbox/counts", { signal })),
  });
  return data ? data.conflict + data.quarantine : 0;
}

export function useInbox(state: ItemState, kind: Kind | null) {
  const { api } = useServices();
  return useInfiniteQuery({
    queryKey: ["inbox", "list", state, kind],
    refetchInterval: LOOK_AGAIN_MS,
    initialPageParam: null as string | null,
    getNextPageParam: (last: Listed) => last.next_cursor,
    queryFn: ({ pageParam, signal }): Promise<Listed> => {
      const query = { state, limit: PAGE, ...(kind && { kind }), ...(pageParam && { cursor: pageParam }) };
      return answered(api.GET("/api/v1/inbox", { params: { query }, signal }));
    },
  });
}

export function useCase(id: string) {
  const { api } = useServices();
  return useQuery({
    queryKey: ["inbox", "case", id],
    queryFn: ({ signal }) =>
      answered(api.GET("/api/v1/inbox/{item_id}", { params: { path: { item_id: id } }, signal })),
  });
}

/** Whoever was quicker, when somebody else settled it first. */
export function quicker(problem: unknown): { by: string; verdict: string } | null {
  if (!(problem instanceof ApiProblem) || problem.code !== "review.already_settled") return null;
  return { by: String(problem.facts.by), verdict: String(problem.facts.verdict) };
}

type Missing = Answer<"/api/v1/missing-files", "get">;
export type MissingFile = Missing["items"][number];
type Differences = Answer<"/api/v1/stock-discrepancies", "get">;
export type Discrepancy = Differences["items"][number];
export type DiscrepancyState = Discrepancy["state"];

/** Photos that were recorded and whose files nobody has sent, the oldest first. */
export function useMissingFiles(enabled = true) {
  const { api } = useServices();
  return useInfiniteQuery({
    queryKey: ["missing-files"],
    enabled,
    refetchInterval: LOOK_AGAIN_MS,
    initialPageParam: null as string | null,
    getNextPageParam: (last: Missing) => last.next_cursor,
    queryFn: ({ pageParam, signal }): Promise<Missing> => {
      const query = { limit: PAGE, ...(pageParam && { cursor: pageParam }) };
      return answered(api.GET("/api/v1/missing-files", { params: { query }, signal }));
    },
  });
}

export function useDiscrepancies(state: DiscrepancyState, enabled = true) {
  const { api } = useServices();
  return useInfiniteQuery({
    queryKey: ["discrepancies", "list", state],
    enabled,
    refetchInterval: LOOK_AGAIN_MS,
    initialPageParam: null as string | null,
    getNextPageParam: (last: Differences) => last.next_cursor,
    queryFn: ({ pageParam, signal }): Promise<Differences> => {
      const query = { state, limit: PAGE, ...(pageParam && { cursor: pageParam }) };
      return answered(api.GET("/api/v1/stock-discrepancies", { params: { query }, signal }));
    },
  });
}

export function useDiscrepancy(id: string) {
  const { api } = useServices();
  return useQuery({
    queryKey: ["discrepancies", "one", id],
    queryFn: ({ signal }) =>
      answered(
        api.GET("/api/v1/stock-discrepancies/{discrepancy_id}", { params: { path: { discrepancy_id: id } }, signal }),
      ),
  });
}

/** The part behind a discrepancy: its name and unit stand in the catalogue. */
export function usePart(id: string, sku: string) {
  const { api } = useServices();
  return useQuery({
    queryKey: ["part", id],
    staleTime: 10 * 60_000,
    queryFn: async ({ signal }) => {
      const found = await answered(api.GET("/api/v1/parts", { params: { query: { q: sku, limit: PAGE } }, signal }));
      return found.items.find((part) => part.id === id) ?? null;
    },
  });
}
