import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { SignedOut } from "./problem";
import { SessionKeeper } from "./session";

const kept = new Map<string, string>();
let calls: string[] = [];
let answer: (url: string, request: Request) => Response | Promise<Response>;
let minted = 0;

function session(expiresIn = 600): Response {
  minted += 1;
  return Response.json({
    access_token: `access-${minted}`,
    refresh_token: `refresh-${minted}`,
    expires_in: expiresIn,
    person: { id: "p", name: "Ada", language: "en", roles: [], permissions: [] },
    organisation: { id: "o", name: "Riviera", slug: "riviera", timezone: "UTC", language: "en" },
  });
}

beforeEach(() => {
  kept.clear();
  calls = [];
  minted = 0;
  vi.stubGlobal("location", { href: "http://board.test/", origin: "http://board.test" });
  vi.stubGlobal("sessionStorage", {
    getItem: (key: string) => kept.get(key) ?? null,
    setItem: (key: string, value: string) => kept.set(key, value),
    removeItem: (key: string) => kept.delete(key),
  });
  vi.stubGlobal(
    "BroadcastChannel",
    class {
      postMessage() {}
    },
  );
  vi.stubGlobal("fetch", async (request: Request) => {
    calls.push(new URL(request.url).pathname);
    return answer(request.url, request);
  });
});

afterEach(() => vi.unstubAllGlobals());

async function signedIn(expiresIn?: number): Promise<SessionKeeper> {
  answer = () => session(expiresIn);
  const keeper = new SessionKeeper();
  await keeper.signIn({ email: "ada@example.com", password: "x" });
  calls = [];
  return keeper;
}

it("keeps the access token out of the storage", async () => {
  await signedIn();
  expect([...kept.values()].join()).not.toContain("access-1");
});

it("renews once for many requests that are refused at the same time", async () => {
  const keeper = await signedIn();
  answer = (url, request) => {
    if (url.endsWith("/refresh")) return session();
    return new Response(null, { status: request.headers.get("Authorization") === "Bearer access-2" ? 200 : 401 });
  };
  const answers = await Promise.all([1, 2, 3].map((n) => keeper.fetch(`http://board.test/api/${n}`)));
  expect(answers.map((one) => one.status)).toEqual([200, 200, 200]);
  expect(calls.filter((path) => path.endsWith("/refresh"))).toHaveLength(1);
});

it("renews before the token runs out, and sends a body again that was refused", async () => {
  const keeper = await signedIn(5);
  const bodies: string[] = [];
  answer = async (url, request) => {
    if (url.endsWith("/refresh")) return session();
    bodies.push(await request.text());
    return new Response(null, { status: bodies.length === 1 ? 401 : 201 });
  };
  const sent = await keeper.fetch("http://board.test/api/notes", { method: "POST", body: "hello" });
  expect(sent.status).toBe(201);
  expect(bodies).toEqual(["hello", "hello"]);
});

it("ends the session when the refresh token is refused, not when the server is in trouble", async () => {
  const keeper = await signedIn(5);
  answer = () => new Response("{}", { status: 503 });
  await expect(keeper.fetch("http://board.test/api/me")).rejects.toThrow();
  expect(keeper.current()).not.toBeNull();
  answer = () => new Response("{}", { status: 401 });
  await expect(keeper.fetch("http://board.test/api/me")).rejects.toThrow(SignedOut);
  expect(keeper.current()).toBeNull();
  expect(kept.size).toBe(0);
});
