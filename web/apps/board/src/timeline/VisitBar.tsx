import { Pin as PinIcon } from "lucide-react";
import { type KeyboardEvent, memo, type PointerEvent } from "react";
import { useWords } from "../i18n";
import { StateGlyph } from "../ui/StateGlyph";
import { latenessOf, lookOf, orderStateOf, type Subject, subjectOf, type Visit } from "./model";
import css from "./timeline.module.css";

/** What bars and cards call when somebody does something with them. */
export interface Hands {
  readonly grab: (event: PointerEvent, subject: Subject) => void;
  readonly nudge: (subject: Subject, steps: number, rows: number) => void;
  readonly drop: () => void;
  readonly cancel: () => void;
  readonly open: (subject: Subject) => void;
  readonly menu: (subject: Subject, at: DOMRect) => void;
  readonly hint: (subject: Subject | null) => void;
  /** Whether this order is being moved by keys. */
  readonly moves: (orderId: string) => boolean;
}

const HALF_HOUR = 6;

/** How much can be written on a bar: all, its number alone, or nothing. */
const sizeOf = (width: number) => (width < 26 ? "bare" : width < 62 ? "small" : "wide");

/** Arrow keys move, Enter drops or opens, Escape puts back, m opens the menu. Answers whether the key meant something. */
export function handled(event: KeyboardEvent<HTMLElement>, subject: Subject, hands: Hands): boolean {
  const steps = event.shiftKey ? HALF_HOUR : 1;
  const moves = hands.moves(subject.orderId);
  switch (event.key) {
    case "ArrowLeft":
      hands.nudge(subject, -steps, 0);
      return true;
    case "ArrowRight":
      hands.nudge(subject, steps, 0);
      return true;
    case "ArrowUp":
      hands.nudge(subject, 0, -1);
      return true;
    case "ArrowDown":
      hands.nudge(subject, 0, 1);
      return true;
    case "Enter":
      if (moves) hands.drop();
      return moves;
    case "Escape":
      if (moves) hands.cancel();
      return moves;
    case "m":
      if (subject.visit) hands.menu(subject, event.currentTarget.getBoundingClientRect());
      return subject.visit !== null;
    default:
      return false;
  }
}

export function keysFor(subject: Subject, hands: Hands) {
  return (event: KeyboardEvent<HTMLElement>) => {
    if (event.ctrlKey || event.metaKey || event.altKey || !handled(event, subject, hands)) return;
    event.preventDefault();
    event.stopPropagation();
  };
}

interface Props {
  readonly visit: Visit;
  readonly left: number;
  readonly width: number;
  readonly top: number;
  readonly height: number;
  readonly now: number;
  readonly moved: boolean;
  readonly chosen: boolean;
  readonly hands: Hands;
}

export const VisitBar = memo(function VisitBar({ visit, left, width, top, height, now, moved, chosen, hands }: Props) {
  const { t } = useWords();
  const label = useVisitLabel(visit, now);
  const subject = subjectOf(visit);
  const look = lookOf(visit.state);
  return (
    <div
      className={css.bar}
      style={{ left, width, top, height }}
      data-look={look}
      data-priority={visit.priority}
      data-late={latenessOf(visit, now) ?? undefined}
      data-moved={moved}
      data-chosen={chosen}
      data-size={sizeOf(width)}
    >
      <button
        type="button"
        className={css.face}
        aria-label={label}
        aria-describedby="timeline-hint"
        title={label}
        data-order={visit.work_order_id}
        data-testid="visit"
        onClick={() => hands.open(subject)}
        onPointerDown={(event) => hands.grab(event, subject)}
        onPointerEnter={() => hands.hint(subject)}
        onPointerLeave={() => hands.hint(null)}
        onFocus={() => hands.hint(subject)}
        onBlur={() => {
          hands.hint(null);
          if (hands.moves(visit.work_order_id)) hands.cancel();
        }}
        onKeyDown={keysFor(subject, hands)}
        onContextMenu={(event) => {
          event.preventDefault();
          hands.menu(subject, new DOMRect(event.clientX, event.clientY, 0, 0));
        }}
      >
        <span className={css.first}>
          {look === "underway" ? (
            <i className={css.pulse} />
          ) : (
            <StateGlyph state={orderStateOf(visit.state)} size={13} />
          )}
          <b>{width < 62 ? visit.number : `#${visit.number}`}</b> <span>{visit.title}</span>
        </span>
        {height > 30 && width >= 62 && <span className={css.second}>{visit.site_name}</span>}
      </button>
      {visit.pin && (
        <span className={css.pin} data-pin={visit.pin} title={t(`pin.${visit.pin}`)}>
          <PinIcon size={11} aria-hidden="true" />
        </span>
      )}
      <button
        type="button"
        className={css.more}
        tabIndex={-1}
        aria-label={t("timeline.menu", { number: visit.number })}
        onClick={(event) => hands.menu(subject, event.currentTarget.getBoundingClientRect())}
      >
        ⋮
      </button>
    </div>
  );
});

/** Everything a bar shows, in words. */
export function useVisitLabel(visit: Visit, now: number): string {
  const { t, times } = useWords();
  const late = latenessOf(visit, now);
  const words = [
    `#${visit.number} ${visit.title}`,
    visit.site_name,
    `${times.moment(visit.planned_start, now)}–${times.clock(visit.planned_end)}`,
    t(`look.${lookOf(visit.state)}`),
    t(`priority.${visit.priority}`),
    late && t(`late.${late}`),
    visit.pin && t(`pin.${visit.pin}`),
    visit.window_start && visit.window_end
      ? t("timeline.window", { from: times.moment(visit.window_start, now), to: times.clock(visit.window_end) })
      : null,
    lookOf(visit.state) !== "done" && t("promise.respondBy", { time: times.moment(visit.respond_by, now) }),
  ];
  return words.filter(Boolean).join(" · ");
}
