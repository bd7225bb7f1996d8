import { UserSearch, Users } from "lucide-react";
import { useEffect, useMemo, useRef, useState } from "react";
import { go, type Span, useWhereabouts, whereabouts } from "../app/address";
import { useServerMinute } from "../app/clock";
import type { Order } from "../app/model";
import { useNarrow } from "../app/screen";
import { DetailPanel } from "../detail/DetailPanel";
import { say } from "../detail/useOrderActions";
import { useWords } from "../i18n";
import { PlanDialog } from "../plans/PlanDialog";
import { useDisturbed } from "../running/queries";
import { Failure, Message, Skeleton } from "../ui/Messages";
import { type Axis, axisOf, hoursShown, STEP_MS, timeAt } from "./axis";
import { groupsOf, rowsOf } from "./crew";
import { dayAfter, dayOf, daysFrom, startOf } from "./days";
import { Gantt, HEAD_PX, type Item, itemsOf, NAME_PX, useRows } from "./Gantt";
import { MoveDialog } from "./MoveDialog";
import { boundsOf, type Days, type Subject, unbooked } from "./model";
import { concernsOf, endOf, hindranceOf, type Move } from "./moving";
import { PhoneDays } from "./PhoneDays";
import { useDays, useLiveDays, useTerritories } from "./queries";
import { Strip } from "./Strip";
import { ENGINEER_SEARCH, showDay, Toolbar } from "./Toolbar";
import { Tray, useUnassigned } from "./Tray";
import css from "./timeline.module.css";
import { type Moves, useMoves } from "./useMoves";
import { type Moving, type Spot, useMoving } from "./useMoving";
import type { Hands } from "./VisitBar";
import { type Opened, VisitMenu } from "./VisitMenu";

const LEAST_HOUR_PX: Record<Span, number> = { 1: 58, 3: 26, 7: 15 };
const EDGE_PX = 44;
const SCROLL_PX = 14;

/** The days shown: which ones, and from when to when. */
function useShownDays() {
  const { timeZone } = useWords();
  const narrow = useNarrow();
  const { day, span: asked } = useWhereabouts();
  const now = useServerMinute();
  const today = dayOf(now, timeZone);
  const first = day ?? today;
  const span: Span = narrow ? 1 : asked;
  return useMemo(() => {
    const days = daysFrom(first, span);
    return {
      today,
      first,
      span,
      days,
      from: startOf(first, timeZone),
      until: startOf(dayAfter(first, span), timeZone),
    };
  }, [today, first, span, timeZone]);
}

type Shown = ReturnType<typeof useShownDays>;

/** Who does what when: engineers down the page, hours across it, and what nobody has beside it. */
export function TimelinePage() {
  useLiveDays();
  const { t } = useWords();
  const narrow = useNarrow();
  const now = useServerMinute();
  const shown = useShownDays();
  const { order } = useWhereabouts();
  const found = useDays(shown.from, shown.until);
  const territories = useTerritories();
  const moves = useMoves();
  const [text, setText] = useState("");
  const [territory, setTerritory] = useState<string | null>(null);
  const [planning, setPlanning] = useState(false);
  const [menu, setMenu] = useState<Opened | null>(null);
  const [placing, setPlacing] = useState<Subject | null>(null);
  const days = found.data;
  const orders = useUnassigned(shown.from, shown.until, days);
  const rows = useMemo(() => (days ? rowsOf(days) : []), [days]);
  const groups = useMemo(() => groupsOf(rows, { text, territory }, territories), [rows, text, territory, territories]);
  usePageKeys(shown, moves);

  const nameOf = (id: string) => days?.engineers.find((one) => one.id === id)?.name ?? "";
  const perform = (move: Move) => void moves.perform(move, nameOf(move.engineerId));
  const parts = { shown, days, groups, orders, territories, moves, perform, now, onMenu: setMenu };
  return (
    <main className={css.page} data-open={order !== null} id={narrow ? "orders" : undefined}>
      <div className={css.desk}>
        <Toolbar
          day={shown.first}
          today={shown.today}
          text={text}
          onText={setText}
          territory={territory}
          onTerritory={setTerritory}
          territories={territories}
          onPlan={() => setPlanning(true)}
        />
        {found.isError && !days && (
          <Failure title={t("timeline.failed")} problem={found.error} onRetry={() => void found.refetch()} />
        )}
        {found.isPending && <Waiting />}
        {days && rows.length > 0 && groups.length === 0 && (
          <Message icon={UserSearch} title={t("engineer.noneFound")} />
        )}
        {days && rows.length === 0 && (
          <Message icon={Users} title={t("timeline.nobody")} hint={t("timeline.nobodyHint")} />
        )}
        {days && narrow && <Phone {...parts} days={days} onPlace={(one) => setPlacing(unbooked(one))} />}
        {days && !narrow && groups.length > 0 && <Desk {...parts} days={days} />}
      </div>
      {order && <DetailPanel key={order} id={order} onClose={() => go({ order: null })} />}
      <Strip done={moves.done} onClose={moves.forget} />
      <VisitMenu opened={menu} onClose={() => setMenu(null)} onMove={setPlacing} moves={moves} nameOf={nameOf} />
      {days && (
        <MoveDialog
          subject={placing}
          days={days}
          now={now}
          usual={usualStart(shown, now)}
          onClose={() => setPlacing(null)}
          onMove={perform}
        />
      )}
      <PlanDialog opened={planning} day={shown.first} days={shown.span} onClose={() => setPlanning(false)} />
    </main>
  );
}

/** Soon on the day of today, in the morning of any other. */
function usualStart({ first, today, from }: Shown, now: number): number {
  const soon = Math.ceil(now / STEP_MS) * STEP_MS;
  return first === today ? soon : from + 8 * 3_600_000;
}

function Waiting() {
  return (
    <div className={css.waiting} aria-busy="true">
      {["a", "b", "c", "d", "e", "f"].map((key) => (
        <Skeleton key={key} height={44} />
      ))}
    </div>
  );
}

interface Parts {
  readonly shown: Shown;
  readonly days: Days;
  readonly groups: ReturnType<typeof groupsOf>;
  readonly orders: readonly Order[];
  readonly territories: ReadonlyMap<string, string>;
  readonly moves: Moves;
  readonly perform: (move: Move) => void;
  readonly now: number;
  readonly onMenu: (opened: Opened) => void;
}

const openOrder = ({ orderId }: Subject) => go({ order: orderId, engineer: null });

function Phone(props: Parts & { readonly onPlace: (order: Order) => void }) {
  const { groups, orders, territories, now, onMenu, onPlace } = props;
  const nothing = () => undefined;
  const hands: Hands = {
    grab: nothing,
    nudge: nothing,
    drop: nothing,
    cancel: nothing,
    open: openOrder,
    menu: (subject, at) => onMenu({ subject, at }),
    hint: nothing,
    moves: () => false,
  };
  return (
    <PhoneDays groups={groups} orders={orders} territories={territories} now={now} hands={hands} onPlace={onPlace} />
  );
}

function Desk({ shown, days, groups, orders, territories, moves, perform, now, onMenu }: Parts) {
  const { t } = useWords();
  const { order } = useWhereabouts();
  const scroller = useRef<HTMLDivElement>(null);
  const room = useWidth(scroller);
  const items = useMemo(() => itemsOf(groups, now, shown.span), [groups, now, shown.span]);
  const axis = useAxis(shown, days, room, now);
  const [hint, setHint] = useState<Subject | null>(null);
  const stage = useStage({ scroller, items, axis, now, moves, perform, shown });
  const moving = useMoving(stage.stage);
  const rows = useRows(scroller, items, moving.move);
  stage.rowAt.current = (y) => rows.getVirtualItems().find(({ start, end }) => y >= start && y < end)?.index ?? null;
  stage.show.current = (at) => rows.scrollToIndex(at, { align: "auto" });
  const hands = useHands(moving, setHint, onMenu);
  const { note, bad, said } = useNote(moving.move, days, now);
  useFocusAfter(moving, days);
  const disturbed = useDisturbed();
  return (
    <div className={css.body} data-carrying={moving.by} data-side={order === null}>
      <p id="timeline-hint" className="visually-hidden">
        {t("timeline.hint")}
      </p>
      <p className="visually-hidden" aria-live="assertive">
        {moving.by === "keys" ? said : ""}
      </p>
      <Gantt
        scroller={scroller}
        items={items}
        axis={axis}
        span={shown.span}
        now={now}
        territories={territories}
        move={moving.overTray ? null : moving.move}
        note={note}
        bad={bad}
        hint={hint}
        chosen={order}
        hands={hands}
        disturbed={disturbed}
        rows={rows}
      />
      {order === null && (
        <Tray
          orders={orders}
          carried={moving.move?.subject.orderId ?? null}
          inviting={moving.by === "pointer" && moving.move?.subject.visit != null}
          hands={hands}
        />
      )}
      {moving.by === "keys" && moving.move && (
        <p className={css.keysHint}>
          {said} — {t("timeline.keysHint")}
        </p>
      )}
    </div>
  );
}

function useWidth(element: { readonly current: HTMLElement | null }): number {
  const [width, setWidth] = useState(1000);
  useEffect(() => {
    const seen = element.current;
    if (!seen) return;
    const observer = new ResizeObserver(() => setWidth(seen.clientWidth));
    observer.observe(seen);
    return () => observer.disconnect();
  }, [element]);
  return width;
}

function useAxis({ days: shownDays, span }: Shown, days: Days, room: number, now: number): Axis {
  const { timeZone } = useWords();
  const [first, last] = useMemo(() => {
    const shifts = days.shifts.map(({ starts_at, ends_at, overtime_minutes }) => ({
      start: Date.parse(starts_at),
      end: Date.parse(ends_at) + overtime_minutes * 60_000,
    }));
    return hoursShown(shownDays, timeZone, [...shifts, ...days.visits.map((visit) => boundsOf(visit, now))]);
  }, [shownDays, days, timeZone, now]);
  return useMemo(
    () => axisOf(shownDays, timeZone, [first, last], room - NAME_PX - 2, LEAST_HOUR_PX[span]),
    [shownDays, timeZone, first, last, room, span],
  );
}

interface Scene {
  readonly scroller: { readonly current: HTMLDivElement | null };
  readonly items: readonly Item[];
  readonly axis: Axis;
  readonly now: number;
  readonly moves: Moves;
  readonly perform: (move: Move) => void;
  readonly shown: Shown;
}

/** Where pointers and keys lead on this page. */
function useStage({ scroller, items, axis, now, moves, perform, shown }: Scene) {
  const { t } = useWords();
  const rowAt = useRef<(y: number) => number | null>(() => null);
  const show = useRef<(at: number) => void>(() => undefined);
  const personAt = (at: number | null) => {
    const item = at === null ? undefined : items[at];
    return item?.kind === "row" ? item.row.person.id : null;
  };
  const stage = {
    spotAt: (x: number, y: number): Spot => {
      const sheet = scroller.current;
      const box = sheet?.getBoundingClientRect();
      if (!sheet || !box) return null;
      if (document.elementFromPoint(x, y)?.closest("[data-tray]")) return "tray";
      if (x > box.right || y < box.top || y > box.bottom) return null;
      const engineerId = personAt(rowAt.current(y - box.top + sheet.scrollTop));
      if (engineerId === null) return null;
      return { engineerId, at: timeAt(axis, x - box.left + sheet.scrollLeft - NAME_PX) };
    },
    follow: (x: number, y: number) => {
      const box = scroller.current?.getBoundingClientRect();
      if (!box || x > box.right || y < box.top || y > box.bottom) return;
      const across = x > box.right - EDGE_PX ? 1 : x < box.left + NAME_PX + EDGE_PX / 2 ? -1 : 0;
      const down = y > box.bottom - EDGE_PX ? 1 : y < box.top + HEAD_PX + EDGE_PX / 2 ? -1 : 0;
      scroller.current?.scrollBy(across * SCROLL_PX, down * SCROLL_PX);
    },
    neighbour: (engineerId: string, by: number) => {
      const people = items.flatMap((item, at) => (item.kind === "row" ? [{ id: item.row.person.id, at }] : []));
      const next = people[people.findIndex(({ id }) => id === engineerId) + by];
      if (next) show.current(next.at);
      return next?.id ?? null;
    },
    entry: () => {
      const first = items.find((item) => item.kind === "row");
      if (first?.kind !== "row") return null;
      const [shift] = first.row.shifts;
      const soon = Math.max(now, shift ? Date.parse(shift.starts_at) : (axis.stretches[0]?.from ?? now));
      return { engineerId: first.row.person.id, at: Math.min(soon, shown.until - STEP_MS) };
    },
    onDrop: perform,
    onRelease: (subject: Subject) => {
      if (subject.visit?.pin) say(t("hindered.pinnedEngineer", { number: subject.number }));
      else void moves.release(subject);
    },
    onHindered: (subject: Subject) => {
      const why = hindranceOf(subject);
      if (why) say(t(`hindered.${why}`, { number: subject.number }));
    },
  };
  return { stage, rowAt, show };
}

/** The same functions for as long as the page is shown, so that a row is drawn only when what it shows changes. */
function useHands(moving: Moving, onHint: (subject: Subject | null) => void, onMenu: (opened: Opened) => void): Hands {
  const latest = useRef({ moving, onMenu });
  latest.current = { moving, onMenu };
  return useMemo(() => {
    const now = () => latest.current.moving;
    return {
      grab: (event, subject) => now().grab(event, subject),
      nudge: (subject, steps, rows) => now().nudge(subject, steps, rows),
      drop: () => now().drop(),
      cancel: () => now().cancel(),
      open: (subject) => {
        if (!now().wasDragged()) openOrder(subject);
      },
      menu: (subject, at) => latest.current.onMenu({ subject, at }),
      hint: onHint,
      moves: (orderId) => now().by === "keys" && now().move?.subject.orderId === orderId,
    };
  }, [onHint]);
}

/** What a move would come to, beside what is carried and for ears. */
function useNote(move: Move | null, days: Days, now: number) {
  const { t, times } = useWords();
  return useMemo(() => {
    if (move === null) return { note: "", bad: false, said: "" };
    const name = days.engineers.find((one) => one.id === move.engineerId)?.name ?? "";
    const span = `${times.moment(new Date(move.start), now)}–${times.clock(new Date(endOf(move)))}`;
    const concerns = concernsOf(move, days, now).map((one) => t(`concern.${one}`));
    const note = [span, name, ...concerns].join(" · ");
    return { note, bad: concerns.length > 0, said: `#${move.subject.number} ${note}` };
  }, [move, days, now, t, times]);
}

/** Keeps the focus on what was moved by keys, wherever it has come to. */
function useFocusAfter({ move, by }: Moving, days: Days): void {
  const carried = useRef<string | null>(null);
  useEffect(() => {
    if (by === "keys" && move) {
      carried.current = move.subject.orderId;
      return;
    }
    const order = carried.current;
    const lost = document.activeElement === null || document.activeElement === document.body;
    if (order === null || days.visits.length === 0 || !lost) return;
    const bar = document.querySelector<HTMLElement>(`[data-testid=visit][data-order="${order}"]`);
    if (!bar) return;
    carried.current = null;
    bar.focus({ preventScroll: true });
  }, [move, by, days]);
}

/** [ and ] show other days, t today, / searches, u undoes, Escape closes the order. */
function usePageKeys(shown: Shown, moves: Moves): void {
  const latest = useRef({ shown, moves });
  latest.current = { shown, moves };
  useEffect(() => {
    const pressed = (event: KeyboardEvent) => {
      if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey || inUse(event.target)) return;
      const { shown: now, moves: made } = latest.current;
      const acts: Record<string, () => void> = {
        "[": () => showDay(dayAfter(now.first, -now.span), now.today),
        "]": () => showDay(dayAfter(now.first, now.span), now.today),
        t: () => showDay(now.today, now.today),
        u: () => made.done?.undo?.(),
        "/": () => document.getElementById(ENGINEER_SEARCH)?.focus(),
        Escape: () => whereabouts().order && go({ order: null }),
      };
      const act = acts[event.key];
      if (!act) return;
      event.preventDefault();
      act();
    };
    window.addEventListener("keydown", pressed);
    return () => window.removeEventListener("keydown", pressed);
  }, []);
}

function inUse(target: EventTarget | null): boolean {
  if (document.querySelector("[role=dialog], [role=menu]")) return true;
  return target instanceof Element && target.closest("input, textarea, select") !== null;
}
