import { Button } from "@mantine/core";
import { CircleCheckBig, Clock3, Gauge, Route as RouteIcon, UserRoundX } from "lucide-react";
import { useEffect, useState } from "react";
import { type Candidate, type Candidates, type Factor, type Order, stageOf } from "../app/model";
import { useCandidates } from "../app/queries";
import { useBoard } from "../app/services";
import { isKey, type Translate, textIn, useWords, wordOf } from "../i18n";
import { previewCandidate } from "../map/preview";
import { Avatar } from "../ui/Avatar";
import { Failure, Message, Skeleton } from "../ui/Messages";
import css from "./detail.module.css";
import { useOrderActions } from "./useOrderActions";

const ASSIGNABLE = new Set(["open", "planned", "hold"]);

export function CandidatesTab({ order }: { order: Order }) {
  const { t } = useWords();
  const wanted = ASSIGNABLE.has(stageOf(order.state));
  const found = useCandidates(order.id, wanted);
  if (!wanted) return <Message icon={CircleCheckBig} title={t("cand.closed")} />;
  if (found.data) return <Found order={order} found={found.data} />;
  if (found.error) {
    return <Failure title={t("cand.failed")} problem={found.error} onRetry={() => void found.refetch()} />;
  }
  return (
    <div className={css.stack} aria-busy="true">
      <Skeleton height={150} />
      <Skeleton height={84} />
      <Skeleton height={84} />
    </div>
  );
}

function Found({ order, found }: { order: Order; found: Candidates }) {
  const { t } = useWords();
  const [open, setOpen] = useState<string | null>(found.items[0]?.engineer_id ?? null);
  usePreview(open);
  return (
    <>
      {found.items.length === 0 ? (
        <Message icon={UserRoundX} title={t("cand.none")} hint={t("cand.noneHint")} />
      ) : (
        <p className={css.lead}>
          {t("cand.lead")}
          <small>{t("cand.weights", { version: found.weights_version })}</small>
        </p>
      )}
      <ol className={css.candidates}>
        {found.items.map((candidate, index) => (
          <CandidateCard
            key={candidate.engineer_id}
            order={order}
            candidate={candidate}
            best={index === 0}
            open={open === candidate.engineer_id}
            onOpen={() => setOpen(candidate.engineer_id)}
          />
        ))}
      </ol>
      {found.excluded.length > 0 && <WhyNot excluded={found.excluded} />}
    </>
  );
}

/** The map shows the way of the candidate that is open here. */
function usePreview(engineer: string | null): void {
  useEffect(() => {
    previewCandidate(engineer);
    return () => previewCandidate(null);
  }, [engineer]);
}

interface CardProps {
  readonly order: Order;
  readonly candidate: Candidate;
  readonly best: boolean;
  readonly open: boolean;
  readonly onOpen: () => void;
}

function CandidateCard({ order, candidate, best, open, onOpen }: CardProps) {
  const { t, times } = useWords();
  const state = useBoard((now) => now.engineers.get(candidate.engineer_id)?.state);
  return (
    <li className={css.candidate} data-open={open} data-testid="candidate">
      <button type="button" className={css.candidateHead} aria-expanded={open} onClick={onOpen}>
        <Avatar name={candidate.name} state={state} size={36} />
        <span className={css.candidateName}>
          <strong>{candidate.name}</strong>
          {best && <em>{t("cand.best")}</em>}
          <span>
            <Clock3 size={13} aria-hidden="true" />
            {times.span(candidate.eta_seconds)}
            <small title={t("cand.etaP90", { time: times.span(candidate.eta_p90_seconds) })}>
              ≤ {times.span(candidate.eta_p90_seconds)}
            </small>
            <RouteIcon size={13} aria-hidden="true" />
            {times.distance(candidate.distance_m)}
          </span>
        </span>
        <span className={css.score} title={t("cand.score")}>
          {times.number(candidate.score * 100)}
        </span>
      </button>
      <ScoreBar candidate={candidate} />
      {open && <Breakdown candidate={candidate} />}
      {open && <CandidateFoot order={order} candidate={candidate} />}
    </li>
  );
}

function CandidateFoot({ order, candidate }: { order: Order; candidate: Candidate }) {
  const { t, times } = useWords();
  const { assign } = useOrderActions();
  const [busy, setBusy] = useState(false);
  const has = order.engineer_id === candidate.engineer_id;
  async function choose() {
    setBusy(true);
    await assign(order, { id: candidate.engineer_id, name: candidate.name });
    setBusy(false);
  }
  return (
    <div className={css.candidateFoot}>
      <span className={css.faint}>
        <Gauge size={13} aria-hidden="true" />{" "}
        {t("cand.load", {
          load: times.span(candidate.load_minutes * 60),
          capacity: times.span(candidate.capacity_minutes * 60),
        })}
      </span>
      {has ? (
        <span className={css.has}>{t("cand.current")}</span>
      ) : (
        <Button size="xs" h={32} loading={busy} onClick={choose} data-testid="assign">
          {t(order.engineer_id ? "do.reassign" : "do.assign")}
        </Button>
      )}
    </div>
  );
}

const FACTOR_TONES = ["#0b6b66", "#2b8f88", "#5aa7c7", "#7d8fd0", "#b59ad6", "#d3a15c", "#9aa7af"] as const;
const toneOf = (index: number): string => FACTOR_TONES[Math.min(index, FACTOR_TONES.length - 1)] ?? "#9aa7af";

/** One bar whose parts are the factors' points: how far it reaches is the score. */
function ScoreBar({ candidate }: { candidate: Candidate }) {
  const { t, times } = useWords();
  return (
    <span className={css.scoreBar} role="img" aria-label={`${t("cand.score")} ${times.number(candidate.score * 100)}`}>
      {candidate.factors.map((factor, index) => (
        <i
          key={factor.name}
          title={`${nameOf(t, factor)} ${times.number(factor.weight * factor.value * 100)}`}
          style={{ width: `${factor.weight * factor.value * 100}%`, background: toneOf(index) }}
        />
      ))}
    </span>
  );
}

const nameOf = (t: Translate, factor: Factor): string => wordOf(t, "factor", factor.name, isKey);

function Breakdown({ candidate }: { candidate: Candidate }) {
  const { t, times } = useWords();
  return (
    <table className={css.breakdown} aria-label={t("cand.breakdown")}>
      <thead>
        <tr>
          <th>{t("cand.factor")}</th>
          <td />
          <td>
            {t("cand.weight")} × {t("cand.value")}
          </td>
          <td>{t("cand.points")}</td>
        </tr>
      </thead>
      <tbody>
        {candidate.factors.map((factor, index) => (
          <tr key={factor.name}>
            <th>
              <i style={{ background: toneOf(index) }} />
              {nameOf(t, factor)}
            </th>
            <td>
              <Raw factor={factor} />
            </td>
            <td>
              {times.percent(factor.weight)} × {times.number(factor.value, 2)}
            </td>
            <td>{times.number(factor.weight * factor.value * 100)}</td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}

function Raw({ factor }: { factor: Factor }) {
  const { t, times } = useWords();
  const { raw: value, unit } = factor;
  if (value === null || value === undefined) return null;
  switch (unit) {
    case "s":
    case "seconds":
      return times.span(value);
    case "min":
    case "minutes":
      return times.span(value * 60);
    case "m":
    case "metres":
      return times.distance(value);
    case "level":
      return t("unit.level", { value });
    case "visits":
      return t("unit.visits", { value });
    case "parts":
      return t("unit.parts", { value });
    case null:
    case undefined:
    case "":
      return times.number(value, 2);
    default:
      return t("unit.other", { value: times.number(value, 2), unit });
  }
}

function WhyNot({ excluded }: { excluded: Candidates["excluded"] }) {
  const { t, language } = useWords();
  return (
    <section className={css.section}>
      <h3>
        {t("cand.whyNot")}
        <small>{excluded.length}</small>
      </h3>
      <ul className={css.whyNot}>
        {excluded.map((one) => (
          <li key={one.engineer_id}>
            <Avatar name={one.name} state="off_shift" size={24} />
            <span>
              <strong>{one.name}</strong>
              {one.reasons.map((reason) => (
                <span key={reason.code} className={css.faint}>
                  {textIn(language, reason.sentence)}
                </span>
              ))}
            </span>
          </li>
        ))}
      </ul>
    </section>
  );
}
