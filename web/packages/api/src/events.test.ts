import { describe, expect, it } from "vitest";
import { type LinkState, listen, readEvents, type ServerEvent } from "./events";

function stream(...chunks: string[]): ReadableStream<Uint8Array> {
  const bytes = new TextEncoder();
  return new ReadableStream({
    start(controller) {
      for (const chunk of chunks) controller.enqueue(bytes.encode(chunk));
      controller.close();
    },
  });
}

async function all(body: ReadableStream<Uint8Array>): Promise<ServerEvent[]> {
  const heard: ServerEvent[] = [];
  for await (const event of readEvents(body)) if (event !== "beat") heard.push(event);
  return heard;
}

describe("reading server-sent events", () => {
  it("understands names, ids, comments and several data lines", async () => {
    const heard = await all(stream(": hello\n\nid: 7\nevent: order\ndata: {\ndata: }\n\n"));
    expect(heard).toEqual([{ id: "7", name: "order", data: "{\n}" }]);
  });

  it("puts together what the network cut apart, inside a character too", async () => {
    const bytes = new TextEncoder().encode("id: 1\r\ndata: 电梯\r\n\r\n");
    const body = new ReadableStream<Uint8Array>({
      start(controller) {
        for (const byte of bytes) controller.enqueue(Uint8Array.of(byte));
        controller.close();
      },
    });
    expect(await all(body)).toEqual([{ id: "1", name: "message", data: "电梯" }]);
  });

  it("drops an event that the break cut short", async () => {
    expect(await all(stream("data: whole\n\ndata: half"))).toHaveLength(1);
  });
});

describe("listening", () => {
  it("comes back after a break with the position of the last event", async () => {
    const asked: (string | null)[] = [];
    const states: LinkState[] = [];
    const stop = new AbortController();
    await listen({
      url: "/events",
      after: "40",
      signal: stop.signal,
      onEvent: () => undefined,
      onState: (state) => states.push(state),
      wait: async () => undefined,
      fetch: async (_url, init) => {
        asked.push(new Headers(init.headers).get("Last-Event-ID"));
        if (asked.length === 2) throw new TypeError("network down");
        if (asked.length === 3) stop.abort();
        return new Response(stream("id: 41\ndata: {}\n\n"));
      },
    });
    expect(asked).toEqual(["40", "41", "41"]);
    expect(states.slice(0, 4)).toEqual(["connecting", "live", "broken", "broken"]);
  });

  it("remembers a position that came alone and tells nobody", async () => {
    const heard: ServerEvent[] = [];
    const asked: (string | null)[] = [];
    const stop = new AbortController();
    await listen({
      url: "/events",
      after: "1",
      signal: stop.signal,
      onEvent: (event) => heard.push(event),
      onState: () => undefined,
      wait: async () => undefined,
      fetch: async (_url, init) => {
        asked.push(new Headers(init.headers).get("Last-Event-ID"));
        if (asked.length === 2) stop.abort();
        return new Response(stream(": listening\nid: 9\nretry: 1000\n\n"));
      },
    });
    expect(asked).toEqual(["1", "9"]);
    expect(heard).toEqual([]);
  });

  it("takes silence for a break", async () => {
    let connections = 0;
    const stop = new AbortController();
    await listen({
      url: "/events",
      after: "0",
      signal: stop.signal,
      silenceMs: 20,
      onEvent: () => undefined,
      onState: () => undefined,
      wait: async () => undefined,
      fetch: async (_url, init) => {
        connections += 1;
        if (connections === 2) {
          stop.abort();
          throw new DOMException("stopped", "AbortError");
        }
        const mute = new ReadableStream<Uint8Array>({
          start: (controller) => init.signal?.addEventListener("abort", () => controller.error(new Error("cut"))),
        });
        return new Response(mute);
      },
    });
    expect(connections).toBe(2);
  });
});
