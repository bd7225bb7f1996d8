import { type Api, ApiProblem, apiFor, type Session, SessionKeeper, SignedOut } from "@callout/api";
import { QueryClient } from "@tanstack/react-query";
import { createContext, type ReactNode, use, useSyncExternalStore } from "react";
import { type Board, BoardStore } from "../board/store";

export interface Services {
  readonly session: SessionKeeper;
  readonly api: Api;
  readonly board: BoardStore;
  readonly queries: QueryClient;
}

export function startServices(): Services {
  const session = new SessionKeeper();
  const api = apiFor(session);
  const queries = new QueryClient({
    defaultOptions: { queries: { retry: retryable, staleTime: 5_000, refetchOnWindowFocus: false } },
  });
  return { session, api, board: new BoardStore(api, session), queries };
}

/** A refusal stays a refusal; only a server in trouble is asked again. */
function retryable(failures: number, problem: unknown): boolean {
  if (problem instanceof SignedOut) return false;
  if (problem instanceof ApiProblem && problem.status < 500) return false;
  return failures < 2;
}

const ServicesContext = createContext<Services | null>(null);

export function ServicesProvider(props: { services: Services; children: ReactNode }) {
  return <ServicesContext value={props.services}>{props.children}</ServicesContext>;
}

export function useServices(): Services {
  const services = use(ServicesContext);
  if (!services) throw new Error("useServices outside of ServicesProvider");
  return services;
}

export function useSession(): Session | null {
  const { session } = useServices();
  return useSyncExternalStore(session.subscribe, session.current);
}

/** One part of the board; redraws only when that part changes. */
export function useBoard<Part>(select: (board: Board) => Part): Part {
  const { board } = useServices();
  return useSyncExternalStore(board.subscribe, () => select(board.current()));
}
