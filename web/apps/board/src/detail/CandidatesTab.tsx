import { Button } from "@mantine/core";
import { CircleCheckBig, Clock3, Gauge, Route as RouteIcon, UserRoundX } from "lucide-react";
import { useEffect, useState } from "react";
import { type Candidate, type Candidates, type Factor, type Order, stageOf } from "../app/model";
import { useCandidates } from "../app/queries";
import { useBoard } from "../app/services";
import type { Times } from "../app/time";
import { isKey, type Translate, useWords, wordOf } from "../i18n";
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
  if (!wanted) {
    const underway = stageOf(order.state) === "underway";
    return <Message icon={CircleCheckBig} title={t(underway ? "cand.underway" : "cand.closed")} />;
  }
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

const NAMED = 3;

function Found({ order, found }: { order: Order; found: Candidates }) {
  const { t } = useWords();
  const [open, setOpen] = useState<string | null>(found.items[0]?.engineer_id ?? null);
  usePreview(open);
  const card = (candidate: Candidate) => (
    <CandidateCard
      key={candidate.engineer_id}
      order={order}
      candidate={candidate}
      best={candidate === found.items[0]}
      open={open === candidate.engineer_id}
      onOpen={() => setOpen(candidate.engineer_id)}
    />
  );
  const others = found.items.slice(NAMED);
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
      <ol className={css.candidates}>{found.items.slice(0, NAMED).map(card)}</ol>
      {others.length > 0 && (
        <section className={css.section}>
          <h3>
            {t("cand.more")}
            <small>{others.length}</small>
          </h3>
          <ol className={css.candidates}>{others.map(card)}</ol>
        </section>
      )}
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
            {candidate.source === "estimate" && <small>{t("cand.estimate")}</small>}
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
        {candidate.origin !== "position" && (
          <span className={css.origin}>{t(candidate.origin === "home" ? "cand.home" : "cand.after")}</span>
        )}
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

const FACTOR_TONES = ["#0b6b66", "#2f938c", "#58a9c9", "#6f8fd6", "#9a8ad6", "#c98fb4", "#d3a15c", "#9aa7af"] as const;
const toneOf = (index: number): string => FACTOR_TONES[Math.min(index, FACTOR_TONES.length - 1)] ?? "#9aa7af";

/** One bar whose parts are the factors' points: how far it reaches is the score. */
function ScoreBar({ candidate }: { candidate: Candidate }) {
  const { t, times } = useWords();
  return (
    <span className={css.scoreBar} role="img" aria-label={`${t("cand.score")} ${times.number(candidate.score * 100)}`}>
      {weighty(candidate).map((factor, index) => (
        <i
          key={factor.name}
          title={`${nameOf(t, factor)} ${times.number(factor.weight * factor.value * 100)}`}
          style={{ width: `${factor.weight * factor.value * 100}%`, background: toneOf(index) }}
        />
      ))}
    </span>
  );
}

/** The factors as the bar shows them: the heaviest first. */
const weighty = (candidate: Candidate): Factor[] => [...candidate.factors].sort((a, b) => b.weight - a.weight);

/** What the score has beyond its factors: a very important customer's job counts for more. */
function bonusOf(candidate: Candidate): number {
  return candidate.score - candidate.factors.reduce((sum, factor) => sum + factor.weight * factor.value, 0);
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
        {weighty(candidate).map((factor, index) => (
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
        {bonusOf(candidate) > 0.005 && (
          <tr>
            <th>
              <i />
              {t("cand.bonus")}
            </th>
            <td />
            <td />
            <td>+{times.number(bonusOf(candidate) * 100)}</td>
          </tr>
        )}
      </tbody>
    </table>
  );
}

function Raw({ factor }: { factor: Factor }) {
  const { t, times } = useWords();
  return rawWords(t, times, factor);
}

/** A raw value with its unit in the reader's words. */
function rawWords(t: Translate, times: Times, { raw: value, unit }: Factor): string {
  const signed = (seconds: number) => (seconds < 0 ? "−" : "") + times.span(seconds);
  switch (unit) {
    case "s":
      return signed(value);
    case "min":
      return signed(value * 60);
    case "bool":
      return t(value > 0 ? "unit.yes" : "unit.no");
    case "levels":
      return t("unit.levels", { value: Math.round(value * 10) / 10 });
    case "visits":
      return t("unit.visits", { value });
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
                <span key={reason.sentence} className={css.faint}>
                  {language === "en" ? reason.sentence : wordOf(t, "why", reason.code, isKey)}
                </span>
              ))}
            </span>
          </li>
        ))}
      </ul>
    </section>
  );
}
