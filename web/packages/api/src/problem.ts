/** An answer of the server that is not a success, as RFC 9457 describes it. */
export class ApiProblem extends Error {
  override readonly name = "ApiProblem";

  constructor(
    readonly status: number,
    readonly code: string,
    readonly detail: string,
    readonly facts: Record<string, unknown> = {},
  ) {
    super(detail || code);
  }
}

/** The server could not be reached at all. */
export class Unreachable extends Error {
  override readonly name = "Unreachable";
}

/** The sign-in is over: the refresh token was refused or there is none. */
export class SignedOut extends Error {
  override readonly name = "SignedOut";
}

export function problemOf(status: number, body: unknown): ApiProblem {
  const said = (typeof body === "object" && body !== null ? body : {}) as Record<string, unknown>;
  const text = (key: string) => (typeof said[key] === "string" ? said[key] : "");
  const facts = typeof said.facts === "object" && said.facts !== null ? said.facts : {};
  return new ApiProblem(
    status,
    text("code") || `http.${status}`,
    text("detail") || text("title"),
    facts as Record<string, unknown>,
  );
}

export async function problemIn(response: Response): Promise<ApiProblem> {
  return problemOf(response.status, await response.json().catch(() => null));
}
