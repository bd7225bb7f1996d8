import { Button } from "@mantine/core";
import { Clock3, Gauge, Route as RouteIcon, Sparkles } from "lucide-react";
import { useState } from "react";
import type { Candidate, Order } from "../app/model";
import { useBoard } from "../app/services";
import { useWords } from "../i18n";
import { Avatar } from "../ui/Avatar";
import css from "./detail.module.css";
import { Breakdown, ScoreBar } from "./Score";
import { useOrderActions } from "./useOrderActions";
import { WhatIfView } from "./WhatIfView";

interface CardProps {
  readonly order: Order;
  readonly candidate: Candidate;
  readonly open: boolean;
  readonly onOpen: () => void;
}

export function CandidateCard({ order, candidate, open, onOpen }: CardProps) {
  const { t, times } = useWords();
  const state = useBoard((now) => now.engineers.get(candidate.engineer_id)?.state);
  return (
    <li className={css.candidate} data-open={open} data-testid="candidate">
      <button type="button" className={css.candidateHead} aria-expanded={open} onClick={onOpen}>
        <Avatar name={candidate.name} state={state} size={36} />
        <span className={css.candidateName}>
          <strong>{candidate.name}</strong>
          {candidate.rank === 1 && <em>{t("cand.best")}</em>}
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
      {open && <CandidateFoot order={order} candidate={candidate} />}
      {open && <Breakdown candidate={candidate} />}
    </li>
  );
}

function CandidateFoot({ order, candidate }: { order: Order; candidate: Candidate }) {
  const { t, times } = useWords();
  const { assign } = useOrderActions();
  const [busy, setBusy] = useState(false);
  const [asked, setAsked] = useState(false);
  const has = order.engineer_id === candidate.engineer_id;
  async function choose() {
    setBusy(true);
    await assign(order, { id: candidate.engineer_id, name: candidate.name });
    setBusy(false);
  }
  return (
    <>
      <p className={`${css.faint} ${css.candidateLoad}`}>
        <Gauge size={13} aria-hidden="true" />{" "}
        {t("cand.load", {
          load: times.span(candidate.load_minutes * 60),
          capacity: times.span(candidate.capacity_minutes * 60),
        })}
        {candidate.origin !== "position" && (
          <span className={css.origin}>{t(candidate.origin === "home" ? "cand.home" : "cand.after")}</span>
        )}
      </p>
      <div className={css.candidateFoot}>
        <Button
          size="xs"
          h={32}
          variant="default"
          leftSection={<Sparkles size={15} />}
          aria-expanded={asked}
          onClick={() => setAsked(!asked)}
        >
          {t("whatIf.ask")}
        </Button>
        {has ? (
          <span className={css.has}>{t("cand.current")}</span>
        ) : (
          <Button size="xs" h={32} loading={busy} onClick={choose} data-testid="assign">
            {t(order.engineer_id ? "do.reassign" : "do.assign")}
          </Button>
        )}
      </div>
      {asked && <WhatIfView order={order} engineer={candidate.engineer_id} name={candidate.name} />}
    </>
  );
}
