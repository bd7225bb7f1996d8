import createClient, { type Client } from "openapi-fetch";
import { ApiProblem, problemOf } from "./problem";
import type { paths } from "./schema";
import type { SessionKeeper } from "./session";

export type Api = Client<paths>;

export function apiFor(session: SessionKeeper, base = location.origin): Api {
  return createClient<paths>({ baseUrl: base, fetch: session.fetch });
}

/** The body of a good answer; an ApiProblem is thrown for any other. */
export async function answered<T>(call: Promise<{ data?: T; error?: unknown; response: Response }>): Promise<T> {
  const { data, error, response } = await call;
  if (!response.ok) throw problemOf(response.status, error);
  if (data === undefined) throw new ApiProblem(response.status, "http.empty", "The server sent no body.");
  return data;
}

type Content<Answer> = Answer extends { content: { "application/json": infer Body } } ? Body : never;
type Responses<Operation> = Operation extends { responses: infer R } ? R : never;

/** The JSON of an operation's success, by path and method: `Answer<"/api/v1/me", "get">`. */
export type Answer<Path extends keyof paths, Method extends keyof paths[Path]> = Content<
  Responses<paths[Path][Method]>[keyof Responses<paths[Path][Method]> & (200 | 201)]
>;

type RequestContent<Operation> = Operation extends {
  requestBody?: { content: { "application/json": infer Body } };
}
  ? Body
  : never;

/** The JSON an operation takes: `Body<"/api/v1/work-orders", "post">`. */
export type Body<Path extends keyof paths, Method extends keyof paths[Path]> = RequestContent<paths[Path][Method]>;
