import { Checkbox } from "@mantine/core";
import {
  ArrowRight,
  Car,
  ChevronDown,
  CircleAlert,
  CircleCheckBig,
  PartyPopper,
  TriangleAlert,
  UserRoundSearch,
} from "lucide-react";
import { memo, type ReactNode, useState } from "react";
import { go } from "../app/address";
import { useWords } from "../i18n";
import { PriorityMark } from "../ui/Badges";
import { Message } from "../ui/Messages";
import {
  detailsOf,
  type Group,
  groupsOf,
  isProposed,
  type Line,
  type Others,
  type Plan,
  referenceOf,
  shiftOf,
} from "./model";
import css from "./plans.module.css";
import { useReasonWords } from "./words";

type Choose = (orders: readonly string[], on: boolean) => void;

interface Props {
  readonly plan: Plan;
  readonly lines: readonly Line[];
  readonly engineer: string | null;
  readonly chosen: ReadonlySet<string>;
  readonly onChoose: Choose;
}

/** What the plan would change, by kind; nothing is done by ticking alone. */
export function Changes({ plan, lines, engineer, chosen, onChoose }: Props) {
  const { t } = useWords();
  const groups = groupsOf(lines, engineer);
  const decidable = plan.state === "ready";
  const reference = referenceOf(plan);
  if (groups.every(({ change }) => change === "keep")) {
    return (
      <>
        <Message icon={PartyPopper} title={t("plan.nothingChanges")} hint={t("plan.nothingChangesHint")} />
        {groups.map((group) => (
          <Section
            key={group.change}
            group={group}
            decidable={false}
            reference={reference}
            chosen={chosen}
            onChoose={onChoose}
          />
        ))}
      </>
    );
  }
  return groups.map((group) => (
    <Section
      key={group.change}
      group={group}
      decidable={decidable}
      reference={reference}
      chosen={chosen}
      onChoose={onChoose}
    />
  ));
}

interface SectionProps {
  readonly group: Group;
  /** The instant that times are told beside. */
  readonly reference: number;
  readonly decidable: boolean;
  readonly chosen: ReadonlySet<string>;
  readonly onChoose: Choose;
}

function Section({ group, reference, decidable, chosen, onChoose }: SectionProps) {
  const { t } = useWords();
  const { change, lines } = group;
  const [open, setOpen] = useState(change !== "keep");
  const proposed = decidable ? lines.filter(isProposed).map((line) => line.work_order_id) : [];
  const ticked = proposed.filter((id) => chosen.has(id)).length;
  return (
    <section className={css.section} data-change={change}>
      <header>
        {proposed.length > 0 && (
          <Checkbox
            size="xs"
            aria-label={t("plan.tickAll", { kind: t(`change.${change}`) })}
            checked={ticked === proposed.length}
            indeterminate={ticked > 0 && ticked < proposed.length}
            onChange={(event) => onChoose(proposed, event.currentTarget.checked)}
          />
        )}
        <button type="button" aria-expanded={open} onClick={() => setOpen(!open)}>
          <i className={css.dot} aria-hidden="true" />
          <strong>{t(`change.${change}`)}</strong>
          <small>{lines.length}</small>
          <span>{t(`change.${change}Hint`)}</span>
          <ChevronDown size={16} aria-hidden="true" />
        </button>
      </header>
      {open && (
        <ul>
          {lines.map((line) => (
            <ChangeLine
              key={line.work_order_id}
              line={line}
              reference={reference}
              tickable={decidable && isProposed(line)}
              ticked={chosen.has(line.work_order_id)}
              onChoose={onChoose}
            />
          ))}
        </ul>
      )}
    </section>
  );
}

interface LineProps {
  readonly line: Line;
  readonly reference: number;
  readonly tickable: boolean;
  readonly ticked: boolean;
  readonly onChoose: Choose;
}

const ChangeLine = memo(function ChangeLine({ line, reference, tickable, ticked, onChoose }: LineProps) {
  const { t } = useWords();
  const [why, setWhy] = useState(false);
  const { others } = detailsOf(line);
  const id = line.work_order_id;
  return (
    <li className={css.change} data-testid="plan-line" data-state={line.state}>
      <span className={css.tick}>
        {tickable && (
          <Checkbox
            size="xs"
            aria-label={t("plan.tick", { number: line.number, title: line.title })}
            checked={ticked}
            onChange={(event) => onChoose([id], event.currentTarget.checked)}
          />
        )}
      </span>
      <button type="button" className={css.order} onClick={() => go({ order: id })}>
        <span>
          <PriorityMark priority={line.priority} />
          <strong>{line.title}</strong>
        </span>
        <small>
          #{line.number} · {line.site_name}
        </small>
      </button>
      <Ways line={line} reference={reference} />
      <Marks line={line}>
        {others && isProposed(line) && (
          <button type="button" className={css.why} aria-expanded={why} onClick={() => setWhy(!why)}>
            {t("plan.why")}
          </button>
        )}
      </Marks>
      {why && others && <Alternatives others={others} />}
    </li>
  );
});

/** From whom and when, to whom and when. */
function Ways({ line, reference }: { line: Line; reference: number }) {
  const { t, times } = useWords();
  const reasonWords = useReasonWords();
  const { change, before, after } = line;
  if (change === "leave_out" || change === "unassign") {
    return (
      <div className={css.ways}>
        {before && (
          <Booked name={before.engineer_name} start={before.start} end={before.end} reference={reference} gone />
        )}
        <p className={css.reason}>{reasonWords(detailsOf(line))}</p>
        <button type="button" className={css.who} onClick={() => go({ order: line.work_order_id, tab: "candidates" })}>
          <UserRoundSearch size={13} aria-hidden="true" /> {t("plan.whoCould")}
        </button>
      </div>
    );
  }
  const by = shiftOf(line);
  return (
    <div className={css.ways}>
      <div className={css.fromTo}>
        {before ? (
          change === "retime" || change === "keep" ? (
            <span className={css.booked}>
              <b>{before.engineer_name}</b> {times.moment(before.start, reference)}
            </span>
          ) : (
            <Booked name={before.engineer_name} start={before.start} end={before.end} reference={reference} gone />
          )
        ) : (
          <span className={css.nobody}>{t("plan.nobody")}</span>
        )}
        {change !== "keep" && <ArrowRight size={14} aria-label={t("figure.becomes")} />}
        {after && change === "retime" && (
          <span className={css.booked}>
            {times.clock(after.start)}–{times.clock(after.end)}
          </span>
        )}
        {after && (change === "assign" || change === "move") && (
          <Booked name={after.engineer_name} start={after.start} end={after.end} reference={reference} />
        )}
        {by !== null && Math.abs(by) >= 60 && (
          <em data-later={by > 0}>{t(by > 0 ? "plan.later" : "plan.earlier", { span: times.span(by) })}</em>
        )}
      </div>
    </div>
  );
}

interface BookedProps {
  readonly name: string;
  readonly start: string;
  readonly end: string;
  readonly reference: number;
  readonly gone?: boolean;
}

function Booked({ name, start, end, reference, gone = false }: BookedProps) {
  const { times } = useWords();
  return (
    <span className={css.booked} data-gone={gone}>
      <b>{name}</b> {times.moment(start, reference)}–{times.clock(end)}
    </span>
  );
}

/** Why it is theirs: what anybody else would have cost. */
function Alternatives({ others: { others, unable, full } }: { others: Others }) {
  const { t, times } = useWords();
  const words = [
    others.length === 0
      ? t("others.none")
      : t("others.next", {
          people: others
            .map(({ name, extra }) => (extra < 60 ? t("others.same", { name }) : `${name} +${times.span(extra)}`))
            .join(t("gist.comma")),
        }),
    full > 0 && t("others.full", { count: full }),
    unable > 0 && t("others.unable", { count: unable }),
  ];
  return <p className={css.others}>{words.filter(Boolean).join(" ")}</p>;
}

/** The drive, what is late or may be, and what became of the line. */
function Marks({ line, children }: { line: Line; children: ReactNode }) {
  const { t, times } = useWords();
  const { driveSeconds, driveMetres, lateSeconds, riskSeconds } = detailsOf(line);
  const drives =
    line.change !== "leave_out" && line.change !== "unassign" && driveSeconds !== null && driveSeconds >= 30;
  return (
    <div className={css.marks}>
      {lateSeconds >= 60 && (
        <span data-tone="late">
          <CircleAlert size={13} aria-hidden="true" /> {t("plan.late", { span: times.span(lateSeconds) })}
        </span>
      )}
      {lateSeconds < 60 && riskSeconds >= 60 && (
        <span data-tone="risk" title={t("plan.riskHint")}>
          <TriangleAlert size={13} aria-hidden="true" /> {t("plan.risk", { span: times.span(riskSeconds) })}
        </span>
      )}
      {drives && (
        <span title={t("plan.drive")}>
          <Car size={13} aria-hidden="true" /> {times.span(Math.max(60, driveSeconds))} ·{" "}
          {times.distance(driveMetres ?? 0)}
        </span>
      )}
      {line.state !== "proposed" && <LineState line={line} />}
      {children}
    </div>
  );
}

function LineState({ line }: { line: Line }) {
  const { t } = useWords();
  return (
    <span className={css.lineState} data-line={line.state}>
      {line.state === "applied" && <CircleCheckBig size={13} aria-hidden="true" />}
      {t(`lineState.${line.state}`)}
      {line.state === "overtaken" && <small>{line.why ?? t("lineState.overtakenWhy")}</small>}
      {line.state === "refused" && line.why && <small>{line.why}</small>}
    </span>
  );
}
