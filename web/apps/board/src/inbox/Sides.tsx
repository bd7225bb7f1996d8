import type { OrderDetail, State, TimelineEntry } from "../app/model";
import { STATES } from "../app/model";
import { useNames, useOrderDetail, useRevisions, useTimeline } from "../app/queries";
import { localeOf } from "../app/time";
import { useAnswerWords } from "../detail/answers";
import { isKey, textIn, useWords, wordOf } from "../i18n";
import { StateBadge } from "../ui/Badges";
import { Marked } from "../ui/Marked";
import { compared } from "../ui/words";
import { Fields } from "./Fields";
import css from "./inbox.module.css";
import { HoursSides, SerialSides } from "./MoreSides";
import type { Case } from "./queries";
import { Pair, Recorder } from "./Side";

type Holds = Readonly<Record<string, unknown>>;

export interface BothSides {
  readonly it: Case;
  readonly mine: Holds;
  readonly theirs: Holds;
}

/** Both sides of a conflict as a person would tell them; a code this page does not know yet, field by field. */
export function Sides(both: BothSides) {
  switch (both.it.code) {
    case "TEXT_OVERLAP":
      return <TextSides {...both} />;
    case "ILLEGAL_TRANSITION":
    case "REASSIGNED":
    case "TAKEN_BACK":
    case "COMPLETED_DISPUTED":
    case "BOTH_COMPLETED":
      return <StepSides {...both} />;
    case "SAFETY_ANSWER":
      return <AnswerSides {...both} />;
    case "PRIORITY_RAISED":
      return <FieldSides {...both} />;
    case "SERIAL_TAKEN":
      return <SerialSides {...both} />;
    case "TIME_APPROVED":
      return <HoursSides {...both} />;
    case "SIGNED_BUT_NOT_CLOSED":
      return <SignedSides {...both} />;
    default:
      return <PlainSides {...both} />;
  }
}

export const textOf = (value: unknown): string => (typeof value === "string" ? value : "");

const stateOf = (value: unknown): State | undefined => STATES.find((state) => state === value);

function PlainSides({ it, mine, theirs }: BothSides) {
  const { t } = useWords();
  return (
    <Pair
      it={it}
      mine={{ by: <Recorder it={it} />, says: <Fields of={mine} comparedTo={theirs} /> }}
      theirs={{ by: t("inbox.asItStood"), says: <Fields of={theirs} comparedTo={mine} /> }}
    />
  );
}

/** Who did something and when, from the order's timeline; whoever the timeline does not name stays unnamed. */
function Doer({ entry, does = false }: { entry: TimelineEntry | undefined; does?: boolean }) {
  const { t, times } = useWords();
  if (!entry) return t("inbox.asItStood");
  return (
    <>
      <strong>{entry.actor_name || t("timeline.system")}</strong>, {times.full(entry.at)}
      {does && <>: {wordOf(t, "act", entry.action, isKey)}</>}
    </>
  );
}

/** The last thing of its kind that somebody else had done when this came in. */
function useOther(it: Case, fits: (entry: TimelineEntry) => boolean): TimelineEntry | undefined {
  const entries = useTimeline(it.work_order_id).data?.items ?? [];
  return entries.findLast(
    (entry) => entry.recorded_at <= it.received_at && entry.actor_name !== it.person_name && fits(entry),
  );
}

const HAPPENINGS = new Set(["note", "photo", "part", "cost", "answer", "time", "time_start", "time_stop"]);

function StepSides({ it, mine, theirs }: BothSides) {
  const { t, times } = useWords();
  const names = useNames();
  const state = stateOf(theirs.state);
  const exact = useOther(it, (entry) => entry.to_state === state);
  const lately = useOther(it, (entry) => !HAPPENINGS.has(entry.action));
  const entry = exact ?? lately;
  const engineer = names.get(textOf(theirs.engineer_id));
  const [from, to] = [textOf(theirs.planned_start), textOf(theirs.planned_end)];
  const sent = textOf(mine.to);
  return (
    <Pair
      it={it}
      mine={{
        by: <Recorder it={it} />,
        says: (
          <>
            <p className={css.big}>{wordOf(t, "act", sent, isKey)}</p>
            {textOf(mine.hold_reason) && <p>{wordOf(t, "hold", textOf(mine.hold_reason), isKey)}</p>}
            {[textOf(mine.note), textOf(mine.reason)].filter(Boolean).map((said) => (
              <blockquote key={said}>{said}</blockquote>
            ))}
          </>
        ),
      }}
      theirs={{
        by: <Doer entry={entry} does />,
        says: (
          <>
            <p className={css.big}>{state ? <StateBadge state={state} /> : textOf(theirs.state)}</p>
            {entry?.why && <blockquote>{entry.why}</blockquote>}
            {engineer && (
              <p>
                {t("side.with", { name: engineer })}
                {textOf(theirs.visit_state) && ` · ${wordOf(t, "visit", textOf(theirs.visit_state), isKey)}`}
              </p>
            )}
            {from && <p>{t("side.planned", { time: `${times.full(from)}${to ? `–${times.clock(to)}` : ""}` })}</p>}
          </>
        ),
      }}
    />
  );
}

function TextSides({ it, mine, theirs }: BothSides) {
  const { t, times, language } = useWords();
  const field = mine.field === "findings" ? "findings" : "description";
  const revisions = useRevisions(it.work_order_id ?? "", field, it.work_order_id !== null).data ?? [];
  const [ours, others] = compared(textOf(mine.text), textOf(theirs.text), localeOf(language));
  const base = revisions.find((one) => one.rev === mine.base_rev);
  const other = revisions.find((one) => one.rev === theirs.rev);
  return (
    <>
      <Pair
        it={it}
        mine={{
          by: <Recorder it={it} />,
          says: (
            <p className={css.prose}>
              <Marked stretches={ours} />
            </p>
          ),
        }}
        theirs={{
          by: other ? (
            <>
              <strong>{other.author_name ?? t("timeline.system")}</strong>, {times.full(other.at)}
            </>
          ) : (
            t("inbox.asItStood")
          ),
          says: (
            <p className={css.prose}>
              <Marked stretches={others} />
            </p>
          ),
        }}
      />
      {base && (
        <details className={css.before}>
          <summary>{t("side.before", { field: t(`field.${field}`) })}</summary>
          <p className={css.prose}>{base.body || t("text.nothing")}</p>
        </details>
      )}
    </>
  );
}

function AnswerSides({ it, mine, theirs }: BothSides) {
  const { t, times, language } = useWords();
  const names = useNames();
  const written = useAnswerWords();
  const detail: OrderDetail | undefined = useOrderDetail(it.work_order_id).data;
  const item = detail?.checklist.find((one) => one.id === mine.item_id) ?? null;
  const all = item ? [item.answer, ...item.against, ...item.earlier] : [];
  const other = all.find((one) => one?.id === theirs.answer_id);
  const name = other?.answered_by_name ?? names.get(textOf(theirs.answered_by)) ?? t("side.somebody");
  return (
    <>
      {item && <p className={css.lead}>{textIn(language, item.label)}</p>}
      <Pair
        it={it}
        mine={{ by: <Recorder it={it} />, says: <p className={css.big}>{written(item, mine.value)}</p> }}
        theirs={{
          by: (
            <>
              <strong>{name}</strong>
              {other && `, ${times.full(other.at)}`}
            </>
          ),
          says: <p className={css.big}>{written(item, theirs.value)}</p>,
        }}
      />
    </>
  );
}

function FieldSides({ it, mine, theirs }: BothSides) {
  const ours = fieldsOf(mine);
  const others = fieldsOf(theirs);
  const entry = useOther(it, ({ action, facts }) => {
    const taken = facts.taken;
    return (
      action === "amend" && taken !== null && typeof taken === "object" && Object.keys(ours).some((k) => k in taken)
    );
  });
  return (
    <Pair
      it={it}
      mine={{ by: <Recorder it={it} />, says: <Fields of={ours} comparedTo={others} /> }}
      theirs={{ by: <Doer entry={entry} />, says: <Fields of={others} comparedTo={ours} /> }}
    />
  );
}

const fieldsOf = (side: Holds): Record<string, unknown> =>
  side.fields !== null && typeof side.fields === "object" ? { ...side.fields } : { ...side };

function SignedSides({ it, mine, theirs }: BothSides) {
  const { t } = useWords();
  const state = stateOf(theirs.state);
  return (
    <Pair
      it={it}
      mine={{
        by: <Recorder it={it} />,
        says: (
          <>
            <p className={css.big}>{t("sign.by", { name: textOf(mine.signer_name) })}</p>
            {typeof mine.rating === "number" && <p>{t("sign.rating", { rating: mine.rating })}</p>}
          </>
        ),
      }}
      theirs={{
        by: t("inbox.asItStood"),
        says: (
          <>
            <p className={css.big}>{state ? <StateBadge state={state} /> : textOf(theirs.state)}</p>
            <p>{textOf(theirs.why)}</p>
          </>
        ),
      }}
    />
  );
}
