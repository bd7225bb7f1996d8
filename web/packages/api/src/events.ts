/** One server-sent event. `id` is the position to resume from. */
export interface ServerEvent {
  readonly id: string | null;
  readonly name: string;
  readonly data: string;
}

/** Reads `text/event-stream` bytes as they come: comments skipped, CRLF and split lines understood. */
export async function* readEvents(body: ReadableStream<Uint8Array>): AsyncGenerator<ServerEvent | "beat"> {
  let rest = "";
  let open = newEvent();
  const decoder = new TextDecoder();
  for await (const bytes of body) {
    rest += decoder.decode(bytes, { stream: true });
    const lines = rest.split(/\r\n|\n|\r(?!$)/);
    rest = lines.pop() ?? "";
    for (const line of lines) {
      if (line !== "") {
        take(open, line);
        continue;
      }
      // An id may come alone, with a comment: it moves the position and tells nothing.
      if (open.data.length > 0 || open.id !== null) yield { id: open.id, name: open.name, data: open.data.join("\n") };
      open = newEvent();
    }
    yield "beat";
  }
}

interface OpenEvent {
  id: string | null;
  name: string;
  data: string[];
}

const newEvent = (): OpenEvent => ({ id: null, name: "message", data: [] });

function take(event: OpenEvent, line: string): void {
  const colon = line.indexOf(":");
  const field = colon < 0 ? line : line.slice(0, colon);
  const value = colon < 0 ? "" : line.slice(colon + 1).replace(/^ /, "");
  if (field === "id") event.id = value;
  if (field === "event") event.name = value;
  if (field === "data") event.data.push(value);
}

export type LinkState = "connecting" | "live" | "broken";

export interface Listening {
  readonly fetch: (url: string, init: RequestInit) => Promise<Response>;
  readonly url: string;
  /** Position of the snapshot at hand: what happened after it is sent first. */
  readonly after: string;
  readonly onEvent: (event: ServerEvent) => void;
  readonly onState: (state: LinkState) => void;
  readonly signal: AbortSignal;
  /** Silence for this long counts as a broken link; the server sends a comment every few seconds. */
  readonly silenceMs?: number;
  readonly wait?: (attempt: number, signal: AbortSignal) => Promise<void>;
}

const SILENCE_MS = 45_000;
const LONGEST_WAIT_MS = 15_000;

/** Listens until `signal` aborts, coming back after every break where it left off. Ends early only by a thrown error of `fetch` that is fatal for good, such as a sign-out. */
export async function listen(options: Listening): Promise<void> {
  const { signal, onState } = options;
  const wait = options.wait ?? waitForReturn;
  const place = { after: options.after };
  let attempt = 0;
  onState("connecting");
  while (!signal.aborted) {
    const heard = await attend(options, place).catch(passUnlessSignedOut);
    if (signal.aborted) return;
    attempt = heard ? 0 : attempt + 1;
    onState("broken");
    await wait(attempt, signal);
  }
}

function passUnlessSignedOut(problem: unknown): boolean {
  if (problem instanceof Error && problem.name === "SignedOut") throw problem;
  return false;
}

/** One connection, from open to break; answers whether it ever opened. */
async function attend(options: Listening, place: { after: string }): Promise<boolean> {
  const alive = new AbortController();
  const signal = AbortSignal.any([options.signal, alive.signal]);
  const watchdog = silenceWatch(() => alive.abort(), options.silenceMs ?? SILENCE_MS);
  let opened = false;
  try {
    const headers = { Accept: "text/event-stream", "Last-Event-ID": place.after };
    const answer = await options.fetch(options.url, { headers, signal, cache: "no-store" });
    if (!answer.ok || !answer.body) return false;
    opened = true;
    options.onState("live");
    for await (const event of readEvents(answer.body)) {
      watchdog.heard();
      if (event === "beat") continue;
      if (event.id !== null) place.after = event.id;
      if (event.data !== "") options.onEvent(event);
    }
  } catch (problem) {
    passUnlessSignedOut(problem);
  } finally {
    watchdog.stop();
  }
  return opened;
}

function silenceWatch(broken: () => void, after: number): { heard: () => void; stop: () => void } {
  let timer = setTimeout(broken, after);
  return {
    heard: () => {
      clearTimeout(timer);
      timer = setTimeout(broken, after);
    },
    stop: () => clearTimeout(timer),
  };
}

/** Doubling pauses with jitter, cut short when the browser says the network is back or the tab is looked at again. */
function waitForReturn(attempt: number, signal: AbortSignal): Promise<void> {
  const longest = Math.min(LONGEST_WAIT_MS, 500 * 2 ** attempt);
  return new Promise((done) => {
    const timer = setTimeout(end, longest * (0.5 + Math.random() / 2));
    function end(): void {
      clearTimeout(timer);
      window.removeEventListener("online", end);
      document.removeEventListener("visibilitychange", whenSeen);
      signal.removeEventListener("abort", end);
      done();
    }
    function whenSeen(): void {
      if (document.visibilityState === "visible") end();
    }
    window.addEventListener("online", end);
    document.addEventListener("visibilitychange", whenSeen);
    signal.addEventListener("abort", end);
  });
}
