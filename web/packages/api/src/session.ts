import { problemIn, SignedOut, Unreachable } from "./problem";
import type { components } from "./schema";

type SessionOut = components["schemas"]["SessionOut"];

export interface Session {
  readonly accessToken: string;
  /** Milliseconds of this machine's clock; 0 when the access token must be renewed first. */
  readonly expiresAt: number;
  readonly refreshToken: string;
  readonly person: SessionOut["person"];
  readonly organisation: SessionOut["organisation"];
}

export interface Credentials {
  readonly email: string;
  readonly password: string;
  readonly organisation?: string;
}

const KEY = "callout.session";
const RENEW_EARLY_MS = 20_000;
const NEIGHBOUR_WAIT_MS = 120;

type Neighbourly =
  | { readonly kind: "who" }
  | { readonly kind: "session"; readonly session: Session }
  | { readonly kind: "signed-out" };

/**
 * Who is signed in, and a fetch that acts in their name.
 *
 * Where the tokens live: the access token (10 minutes) only in memory; the refresh token in `sessionStorage`, so a
 * reload keeps the sign-in while closing the tab ends it and nothing stays on a shared dispatch desk's disk, as it would
 * in `localStorage`. An HttpOnly cookie would hide it from injected scripts too, but the API hands the token out in the
 * body to serve other clients alike; the strict content security policy is what keeps foreign scripts out. A second tab
 * asks its living neighbours over a BroadcastChannel, and all tabs renew one after the other under one Web Lock: a
 * rotating refresh token is never spent twice.
 */
export class SessionKeeper {
  private session: Session | null = null;
  private readonly listeners = new Set<() => void>();
  private renewal: Promise<Session> | null = null;
  private readonly neighbours = new BroadcastChannel("callout-session");

  constructor(private readonly base: string = "") {
    this.session = remembered();
    this.neighbours.onmessage = (message: MessageEvent<Neighbourly>) => this.hear(message.data);
  }

  readonly current = (): Session | null => this.session;

  readonly subscribe = (listener: () => void): (() => void) => {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  };

  /** Resolves once this tab knows whether it, or a neighbouring tab, is signed in. */
  async settle(): Promise<void> {
    if (this.session) return;
    this.neighbours.postMessage({ kind: "who" } satisfies Neighbourly);
    await new Promise<void>((done) => {
      const stop = this.subscribe(done);
      setTimeout(() => {
        stop();
        done();
      }, NEIGHBOUR_WAIT_MS);
    });
  }

  async signIn(credentials: Credentials): Promise<void> {
    this.adopt(await this.ask("login", credentials));
  }

  async signOut(): Promise<void> {
    const leaving = this.session;
    this.end();
    this.neighbours.postMessage({ kind: "signed-out" } satisfies Neighbourly);
    if (!leaving) return;
    // Signing out must succeed here whether or not the server hears of it: its token then simply runs out.
    await this.post("logout", { refresh_token: leaving.refreshToken }).catch(() => undefined);
  }

  /** `fetch` with the access token, renewed before it runs out and once more when the server refuses it. */
  readonly fetch = async (input: Request | string, init?: RequestInit): Promise<Response> => {
    const request = new Request(input, init);
    const again = request.clone();
    const session = await this.fresh();
    const answer = await reach(withToken(request, session));
    if (answer.status !== 401) return answer;
    return reach(withToken(again, await this.renew(session)));
  };

  private async fresh(): Promise<Session> {
    if (!this.session) throw new SignedOut();
    const lasts = this.session.expiresAt - Date.now() > RENEW_EARLY_MS;
    return lasts ? this.session : this.renew(this.session);
  }

  private renew(stale: Session): Promise<Session> {
    this.renewal ??= this.exchangeAlone(stale).finally(() => {
      this.renewal = null;
    });
    return this.renewal;
  }

  private async exchangeAlone(stale: Session): Promise<Session> {
    return navigator.locks.request("callout-session", () => this.exchange(stale));
  }

  private async exchange(stale: Session): Promise<Session> {
    const now = this.session;
    if (!now) throw new SignedOut();
    if (now.accessToken !== stale.accessToken) return now; // renewed while we waited for the lock
    try {
      return this.adopt(await this.ask("refresh", { refresh_token: now.refreshToken }));
    } catch (problem) {
      if (problem instanceof Error && "status" in problem && Number(problem.status) < 500) {
        this.end();
        throw new SignedOut();
      }
      throw problem;
    }
  }

  private async ask(what: "login" | "refresh", body: object): Promise<SessionOut> {
    const answer = await this.post(what, body);
    if (!answer.ok) throw await problemIn(answer);
    return answer.json();
  }

  private post(what: string, body: object): Promise<Response> {
    return reach(
      new Request(new URL(`${this.base}/api/v1/auth/${what}`, location.href), {
        method: "POST",
        headers: { "Content-Type": "application/json" },
        body: JSON.stringify(body),
      }),
    );
  }

  private adopt(answer: SessionOut): Session {
    const session: Session = {
      accessToken: answer.access_token,
      expiresAt: Date.now() + answer.expires_in * 1000,
      refreshToken: answer.refresh_token,
      person: answer.person,
      organisation: answer.organisation,
    };
    this.set(session);
    this.neighbours.postMessage({ kind: "session", session } satisfies Neighbourly);
    return session;
  }

  private hear(message: Neighbourly): void {
    if (message.kind === "who" && this.session) {
      this.neighbours.postMessage({ kind: "session", session: this.session } satisfies Neighbourly);
    }
    if (message.kind === "session" && this.sameSignIn(message.session)) this.set(message.session);
    if (message.kind === "signed-out") this.end();
  }

  /** A tab signed in as somebody else keeps its own session. */
  private sameSignIn(other: Session): boolean {
    return !this.session || this.session.person.id === other.person.id;
  }

  private end(): void {
    this.set(null);
  }

  private set(session: Session | null): void {
    this.session = session;
    if (session) sessionStorage.setItem(KEY, JSON.stringify({ ...session, accessToken: "", expiresAt: 0 }));
    else sessionStorage.removeItem(KEY);
    for (const listener of this.listeners) listener();
  }
}

function remembered(): Session | null {
  try {
    return JSON.parse(sessionStorage.getItem(KEY) ?? "null") as Session | null;
  } catch {
    return null;
  }
}

function withToken(request: Request, session: Session): Request {
  request.headers.set("Authorization", `Bearer ${session.accessToken}`);
  return request;
}

async function reach(request: Request): Promise<Response> {
  try {
    return await fetch(request);
  } catch (problem) {
    if (problem instanceof DOMException && problem.name === "AbortError") throw problem;
    throw new Unreachable();
  }
}
