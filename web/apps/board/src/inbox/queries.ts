import { type Answer, ApiProblem, answered, type Body } from "@callout/api";
import { useInfiniteQuery, useQuery } from "@tanstack/react-query";
import { useServices, useSession } from "../app/services";

type Listed = Answer<"/api/v1/inbox", "get">;
export type Item = Listed["items"][number];
export type Case = Answer<"/api/v1/inbox/{item_id}", "get">;
export type Choice = Body<"/api/v1/inbox/{item_id}/settle", "post">["choice"];
export type Kind = Item["kind"];
export type ItemState = Item["state"];

const PAGE = 50;
const LOOK_AGAIN_MS = 15_000;

/** How many items are open, for whoever may see them. */
export function useWaiting(): number {
  const { api } = useServices();
  const allowed = useSession()?.person.permissions.includes("orders.read") ?? false;
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
