import { Select } from "@mantine/core";
import { useState } from "react";
import { useServerMinute } from "../app/clock";
import type { Candidate, OrderDetail } from "../app/model";
import { isKey, useWords, wordOf } from "../i18n";
import { Failure } from "../ui/Messages";
import { type Decision, useDecisions } from "./arranging";
import css from "./arranging.module.css";
import detailCss from "./detail.module.css";
import { Breakdown, ScoreBar } from "./Score";
import { Section } from "./Section";
import { useEngineerChoices } from "./Wishes";

/** Why whom was sent, as it was known then: who decided, between whom, and why not others. */
export function WhyEngineer({ detail }: { detail: OrderDetail }) {
  const { t } = useWords();
  const [about, setAbout] = useState<string | null>(null);
  const found = useDecisions(detail.id, about);
  const [latest, ...earlier] = found.data ?? [];
  if (found.isError) {
    return (
      <Section title={t("whyThis.title")}>
        <Failure title={t("whyThis.failed")} problem={found.error} onRetry={() => void found.refetch()} />
      </Section>
    );
  }
  if (!latest) return null;
  return (
    <Section title={t("whyThis.title")}>
      <DecisionView decision={latest}>
        <WhyNotThem decision={latest} about={about} onAbout={setAbout} fresh={!found.isPlaceholderData} />
      </DecisionView>
      {earlier.length > 0 && (
        <details className={detailCss.history}>
          <summary>{t("whyThis.earlier", { count: earlier.length })}</summary>
          {earlier.map((decision) => (
            <DecisionView key={decision.id} decision={decision} />
          ))}
        </details>
      )}
    </Section>
  );
}

function DecisionView({ decision, children }: { decision: Decision; children?: React.ReactNode }) {
  const { t, times } = useWords();
  const now = useServerMinute();
  const { how, decided_by_name: by, engineer_name: name, chosen_rank: rank } = decision;
  const shown = decision.best.slice(0, 3);
  const besides = decision.chosen && !shown.some((one) => one.engineer_id === decision.engineer_id);
  return (
    <article className={css.decision} data-decision={decision.id}>
      <div>
        <p>
          {t(`whyThis.how.${how}`, { name, by: by ?? t("dry.somebody") })}
          {rank !== null && ` ${t("whyThis.rank", { rank, of: decision.candidate_count })}`}
        </p>
        <span className={detailCss.faint}>
          {times.moment(decision.decided_at, now)} · {t("cand.weights", { version: decision.weights_version })}
        </span>
        {decision.note && <p>“{decision.note}”</p>}
      </div>
      {decision.chosen_against && (
        <div className={css.against}>
          {t("whyThis.against", { name })}
          <Reasons reasons={decision.chosen_against.reasons} />
        </div>
      )}
      <div className={css.best}>
        {shown.map((one) => (
          <Stood key={one.engineer_id} candidate={one} chosen={one.engineer_id === decision.engineer_id} />
        ))}
        {besides && decision.chosen && <Stood candidate={decision.chosen} chosen />}
      </div>
      {children}
    </article>
  );
}

function Stood({ candidate, chosen }: { candidate: Candidate; chosen: boolean }) {
  const { times } = useWords();
  return (
    <details data-chosen={chosen}>
      <summary>
        <span>{candidate.rank}.</span>
        <strong>{candidate.name}</strong>
        <ScoreBar candidate={candidate} />
        <b>{times.number(candidate.score * 100)}</b>
      </summary>
      <Breakdown candidate={candidate} />
    </details>
  );
}

function Reasons({ reasons }: { reasons: readonly { code: string; sentence: string }[] }) {
  const { t, language } = useWords();
  return reasons.map((reason) => (
    <span key={reason.sentence}> {language === "en" ? reason.sentence : wordOf(t, "why", reason.code, isKey)}</span>
  ));
}

interface AboutProps {
  readonly decision: Decision;
  readonly about: string | null;
  readonly fresh: boolean;
  readonly onAbout: (engineer: string | null) => void;
}

/** Anybody else can be asked about: where they stood, or what spoke against them. */
function WhyNotThem({ decision, about, fresh, onAbout }: AboutProps) {
  const { t, times } = useWords();
  const choices = useEngineerChoices().filter((one) => one.value !== decision.engineer_id);
  const stood = decision.asked_about.find((one) => one.engineer_id === about);
  return (
    <div className={detailCss.stack}>
      <Select
        size="xs"
        aria-label={t("whyThis.ask")}
        placeholder={t("whyThis.ask")}
        searchable
        clearable
        nothingFoundMessage={t("cand.nobodyCalled")}
        data={choices}
        value={about}
        onChange={onAbout}
      />
      {about !== null && fresh && (
        <p className={css.stood} aria-live="polite">
          {!stood && t("whyThis.absent")}
          {stood && stood.rank !== null && (
            <>
              <b>{stood.name}</b>{" "}
              {t("whyThis.stood", {
                rank: stood.rank,
                of: decision.candidate_count,
                points: times.number((stood.score ?? 0) * 100),
              })}
            </>
          )}
          {stood && stood.rank === null && (
            <>
              <b>{stood.name}</b>: {stood.codes.map((code) => wordOf(t, "why", code, isKey)).join(" ")}
            </>
          )}
        </p>
      )}
    </div>
  );
}
