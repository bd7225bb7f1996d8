import { type Api, answered, type LinkState, listen, type ServerEvent, type SessionKeeper } from "@callout/api";
import { sampleClock } from "../app/clock";
import { type Engineer, type Order, orderOf, type Snapshot } from "../app/model";

export interface Board {
  readonly status: "loading" | "ready" | "failed";
  readonly problem: unknown;
  readonly orders: ReadonlyMap<string, Order>;
  readonly engineers: ReadonlyMap<string, Engineer>;
  /** Orders that were taken back while we listened, with the last news of each: only a restoration brings it back. */
  readonly voided: ReadonlyMap<string, Order | null>;
  readonly region: Snapshot["region"];
  readonly link: LinkState;
  /** When the link broke, in milliseconds of this machine's clock. */
  readonly brokenSince: number | null;
}

const EMPTY: Board = {
  status: "loading",
  problem: null,
  orders: new Map(),
  engineers: new Map(),
  voided: new Map(),
  region: null,
  link: "connecting",
  brokenSince: null,
};

type Listener = (id: string) => void;

/**
 * The board as the server last told it: one snapshot, then events on top. Events are gathered and shown once per frame;
 * orders and engineers are separate maps, so a moving van never redraws the list.
 */
export class BoardStore {
  private board: Board = EMPTY;
  private readonly listeners = new Set<() => void>();
  private readonly orderListeners = new Set<Listener>();
  private readonly planListeners = new Set<Listener>();
  private readonly disruptionListeners = new Set<Listener>();
  private pending: ServerEvent[] = [];
  private flushing = false;
  private visit: AbortController | null = null;

  constructor(
    private readonly api: Api,
    private readonly session: SessionKeeper,
  ) {}

  readonly current = (): Board => this.board;

  readonly subscribe = (listener: () => void): (() => void) => {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  };

  /** Calls back with the id of each order that something happened to, be it only a note. */
  readonly onOrder = (listener: Listener): (() => void) => {
    this.orderListeners.add(listener);
    return () => this.orderListeners.delete(listener);
  };

  /** Calls back with the id of each plan that came a step further. */
  readonly onPlan = (listener: Listener): (() => void) => {
    this.planListeners.add(listener);
    return () => this.planListeners.delete(listener);
  };

  /** Calls back with the id of each disruption that was told or settled. */
  readonly onDisruption = (listener: Listener): (() => void) => {
    this.disruptionListeners.add(listener);
    return () => this.disruptionListeners.delete(listener);
  };

  /** Starts (or starts over): fetches the snapshot, then listens from its position on. */
  readonly open = (): void => {
    this.visit?.abort();
    const visit = new AbortController();
    this.visit = visit;
    this.run(visit.signal).catch((problem: unknown) => {
      if (!visit.signal.aborted) this.fail(problem);
    });
  };

  readonly close = (): void => {
    this.visit?.abort();
    this.visit = null;
    this.pending = [];
    this.board = EMPTY;
  };

  /** An answer of the server to our own change: shown at once, without waiting for the event. */
  readonly learn = (order: Order): void => {
    if (this.board.voided.has(order.id)) return;
    const known = this.board.orders.get(order.id);
    if (known && known.version > order.version) return;
    this.set({ orders: new Map(this.board.orders).set(order.id, order) });
  };

  /** We took an order back. */
  readonly forget = (id: string): void => {
    const voided = new Map(this.board.voided).set(id, null);
    this.set({ voided, orders: without(this.board.orders, voided) });
  };

  /** We brought an order back. */
  readonly recall = (order: Order): void => {
    const voided = new Map(this.board.voided);
    voided.delete(order.id);
    this.set({ voided });
    this.learn(order);
  };

  private async run(signal: AbortSignal): Promise<void> {
    const position = await this.load(signal);
    await listen({
      url: new URL("/api/v1/board/events", location.origin).href,
      fetch: this.session.fetch,
      after: position,
      signal,
      onState: (link) => this.linkIs(link),
      onEvent: (event) => this.hear(event),
    });
  }

  private async load(signal: AbortSignal): Promise<string> {
    const asked = Date.now();
    const snapshot = await answered(this.api.GET("/api/v1/board/snapshot", { signal }));
    sampleClock(Date.parse(snapshot.server_time), (asked + Date.now()) / 2);
    this.pending = [];
    this.set({
      status: "ready",
      problem: null,
      orders: new Map(snapshot.orders.map((order) => [order.id, orderOf(order)])),
      engineers: new Map(snapshot.engineers.map((engineer) => [engineer.id, engineer])),
      voided: new Map(),
      region: snapshot.region,
    });
    return String(snapshot.position);
  }

  private fail(problem: unknown): void {
    // A board that was shown stays on screen with the news that it is no longer live.
    if (this.board.status === "ready") this.linkIs("broken");
    else this.set({ status: "failed", problem });
  }

  private linkIs(link: LinkState): void {
    const brokenSince = link === "broken" ? (this.board.brokenSince ?? Date.now()) : null;
    this.set({ link, brokenSince });
  }

  private hear(event: ServerEvent): void {
    if (event.name === "resync") {
      this.open();
      return;
    }
    this.pending.push(event);
    if (this.flushing) return;
    this.flushing = true;
    // A hidden tab gets no animation frames, yet its board must not fall behind.
    if (document.visibilityState === "visible") requestAnimationFrame(this.flush);
    else setTimeout(this.flush, 250);
  }

  private readonly flush = (): void => {
    this.flushing = false;
    const events = this.pending;
    this.pending = [];
    const next = applied(this.board, events);
    this.set(next.board);
    for (const id of next.touched) for (const listener of this.orderListeners) listener(id);
    for (const id of next.plans) for (const listener of this.planListeners) listener(id);
    for (const id of next.disruptions) for (const listener of this.disruptionListeners) listener(id);
  };

  private set(change: Partial<Board>): void {
    this.board = { ...this.board, ...change };
    for (const listener of this.listeners) listener();
  }
}

interface Happening {
  readonly name: string;
  readonly subject_id: string;
  readonly payload: Readonly<Record<string, unknown>>;
}

interface Applied {
  readonly board: Pick<Board, "orders" | "engineers" | "voided">;
  readonly touched: ReadonlySet<string>;
  readonly plans: ReadonlySet<string>;
  readonly disruptions: ReadonlySet<string>;
}

interface News {
  readonly orders: Map<string, Order>;
  readonly engineers: Map<string, Engineer>;
  readonly voided: Map<string, Order | null>;
  readonly touched: Set<string>;
  readonly plans: Set<string>;
  readonly disruptions: Set<string>;
}

/** The board after these events; a map without news keeps its identity, so nothing that shows it is drawn again. */
export function applied(
  board: Pick<Board, "orders" | "engineers" | "voided">,
  events: readonly ServerEvent[],
): Applied {
  const news: News = {
    orders: new Map(),
    engineers: new Map(),
    voided: new Map(board.voided),
    touched: new Set(),
    plans: new Set(),
    disruptions: new Set(),
  };
  for (const event of events) gather(event, news);
  const { orders, engineers, voided, touched, plans, disruptions } = news;
  return {
    touched,
    plans,
    disruptions,
    board: {
      orders: without(merged(board.orders, orders, isNews), voided),
      voided,
      engineers: merged(board.engineers, engineers, () => true),
    },
  };
}

function gather(event: ServerEvent, news: News): void {
  const said: unknown = JSON.parse(event.data);
  if (event.name === "order") {
    const { order } = said as { order: Order };
    if (news.voided.has(order.id)) news.voided.set(order.id, order);
    else news.orders.set(order.id, order);
    news.touched.add(order.id);
  } else if (event.name === "engineer") {
    const { engineer } = said as { engineer: Engineer };
    news.engineers.set(engineer.id, engineer);
  } else if (event.name === "event") {
    happened(said as Happening, news);
  }
}

function happened({ name, subject_id, payload }: Happening, news: News): void {
  const { orders, voided, touched } = news;
  if (name.startsWith("plan.") || name.startsWith("disruption.")) {
    (name.startsWith("plan.") ? news.plans : news.disruptions).add(subject_id);
    return;
  }
  touched.add(typeof payload.work_order_id === "string" ? payload.work_order_id : subject_id);
  if (name === "work_order.voided") voided.set(subject_id, null);
  if (name !== "work_order.restored") return;
  const kept = voided.get(subject_id);
  if (kept) orders.set(subject_id, kept);
  voided.delete(subject_id);
}

function without(orders: ReadonlyMap<string, Order>, gone: ReadonlyMap<string, unknown>): ReadonlyMap<string, Order> {
  const none = [...gone.keys()].every((id) => !orders.has(id));
  return none ? orders : new Map([...orders].filter(([id]) => !gone.has(id)));
}

/** An answer to our own action may have come before the news of an older change. */
const isNews = (known: Order, told: Order): boolean => known.version <= told.version;

function merged<Item>(
  known: ReadonlyMap<string, Item>,
  told: ReadonlyMap<string, Item>,
  news: (known: Item, told: Item) => boolean,
): ReadonlyMap<string, Item> {
  const fresh = [...told].filter(([id, item]) => {
    const before = known.get(id);
    return before === undefined || news(before, item);
  });
  return fresh.length > 0 ? new Map([...known, ...fresh]) : known;
}
