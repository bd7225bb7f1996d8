import {
  Camera,
  CircleDot,
  Coins,
  History,
  ListChecks,
  type LucideIcon,
  MapPin,
  MessageSquareText,
  Package,
  PenLine,
  Radar,
  Smartphone,
  Timer,
  Undo2,
} from "lucide-react";
import type { State, TimelineEntry } from "../app/model";
import { STATES } from "../app/model";
import { useTimeline } from "../app/queries";
import { useBoard } from "../app/services";
import { isKey, useWords, wordOf } from "../i18n";
import { lookAt } from "../map/look";
import { Failure, Message, Skeleton } from "../ui/Messages";
import { StateGlyph } from "../ui/StateGlyph";
import css from "./detail.module.css";

/** A record that reached the server this long after it was made tells of a stretch without signal. */
const LATE_S = 60;

export function TimelineTab({ id }: { id: string }) {
  const { t } = useWords();
  const timeline = useTimeline(id);
  if (timeline.data) {
    const newestFirst = grouped(timeline.data.items).reverse();
    if (newestFirst.length === 0) return <Message icon={History} title={t("timeline.none")} />;
    return (
      <ol className={css.timeline}>
        {newestFirst.map(({ entry, times }) => (
          <Entry key={entry.id} entry={entry} times={times} />
        ))}
      </ol>
    );
  }
  if (timeline.error) {
    return <Failure title={t("timeline.failed")} problem={timeline.error} onRetry={() => void timeline.refetch()} />;
  }
  return (
    <div className={css.stack} aria-busy="true">
      <Skeleton height={44} />
      <Skeleton height={44} />
      <Skeleton height={44} />
    </div>
  );
}

const ICONS: Readonly<Record<string, LucideIcon>> = {
  note: MessageSquareText,
  answer: ListChecks,
  photo: Camera,
  time: Timer,
  cost: Coins,
  part: Package,
  approached: Radar,
  returned: Radar,
  dwelt: Radar,
  left_site: Radar,
  presence_amended: Radar,
  signature: PenLine,
  withdraw: Undo2,
};

const EVIDENCE = new Set(["answer", "photo", "time", "cost", "part"]);

interface Group {
  readonly entry: TimelineEntry;
  readonly times: number;
}

/** Ten answers given one after the other are one line that says ten; it stands where the last of them does. */
function grouped(entries: readonly TimelineEntry[]): Group[] {
  const groups: Group[] = [];
  for (const entry of entries) {
    const before = groups.at(-1);
    const same =
      before &&
      EVIDENCE.has(entry.action) &&
      before.entry.action === entry.action &&
      before.entry.actor_name === entry.actor_name;
    if (same) groups[groups.length - 1] = { entry, times: before.times + 1 };
    else groups.push({ entry, times: 1 });
  }
  return groups;
}

const stateOf = (word: string | null): State | undefined => STATES.find((state) => state === word);

function Entry({ entry, times: many }: Group) {
  const { t, times } = useWords();
  const state = stateOf(entry.to_state);
  const Icon = ICONS[entry.action] ?? CircleDot;
  return (
    <li data-testid="timeline-entry">
      <span className={css.dot}>
        {state ? <StateGlyph state={state} size={18} /> : <Icon size={16} aria-hidden="true" />}
      </span>
      <div>
        <p className={css.entryTop}>
          <strong>{wordOf(t, "act", entry.action, isKey)}</strong>
          <Facts entry={entry} many={many} />
          <time dateTime={entry.at} title={times.full(entry.at)}>
            {times.clockWithSeconds(entry.at)}
          </time>
        </p>
        <p className={css.faint}>
          {entry.actor_name || t("timeline.system")} · {times.date(entry.at)}
        </p>
        {entry.why && <blockquote>{entry.why}</blockquote>}
        <Evidence entry={entry} />
      </div>
    </li>
  );
}

const GIVEN = new Set(["dispatch", "schedule", "withdraw", "unschedule"]);

/** To whom it went, or how many there were. */
function Facts({ entry, many }: { entry: TimelineEntry; many: number }) {
  const { t } = useWords();
  const id = entry.facts.engineer_id;
  const name = useBoard((now) => (typeof id === "string" ? now.engineers.get(id)?.name : undefined));
  if (many > 1) return <span>{t("act.times", { count: many })}</span>;
  return name && GIVEN.has(entry.action) ? <span>→ {name}</span> : null;
}

/** From which device, when by its own clock, how late it came in, and where. */
function Evidence({ entry }: { entry: TimelineEntry }) {
  const { t, times } = useWords();
  const lateBy = (Date.parse(entry.recorded_at) - Date.parse(entry.at)) / 1000;
  const { place } = entry;
  if (!entry.device_id && !place) return null;
  return (
    <p className={css.evidence}>
      {entry.device_id && (
        <span title={t("timeline.recorded", { time: times.full(entry.recorded_at) })}>
          <Smartphone size={13} aria-hidden="true" />
          {entry.at_device
            ? t("timeline.device", { time: times.clockWithSeconds(entry.at_device) })
            : t("timeline.fromDevice")}
        </span>
      )}
      {lateBy >= LATE_S && <span data-late>{t("timeline.late", { span: times.span(lateBy) })}</span>}
      {place && (
        <button type="button" onClick={() => lookAt(place)}>
          <MapPin size={13} aria-hidden="true" />
          {t("timeline.place")}
        </button>
      )}
    </p>
  );
}
