import { Button } from "@mantine/core";
import { CarFront, ChevronDown, CircleAlert, CircleCheck, Clock3, TimerReset } from "lucide-react";
import { useState } from "react";
import { useServerMinute } from "../app/clock";
import type { Candidate, Order } from "../app/model";
import { useBoard } from "../app/services";
import { useWords } from "../i18n";
import { Avatar } from "../ui/Avatar";
import { Skeleton } from "../ui/Messages";
import { type Offer, useAbout } from "./arranging";
import arranging from "./arranging.module.css";
import css from "./detail.module.css";
import { Line, OrderName } from "./EffectLine";
import { Breakdown, ScoreBar } from "./Score";
import { useOrderActions } from "./useOrderActions";

const SOON_S = 60;

interface Props {
  readonly order: Order;
  readonly offer: Offer;
  readonly first: boolean;
  /** Their score, where they are listed among the candidates. */
  readonly candidate: Candidate | undefined;
  readonly open: boolean;
  readonly onOpen: (open: boolean) => void;
}

/** Somebody whose day has room for it: when they would be there, and what it means for others. */
export function OfferCard({ order, offer, first, candidate, open, onOpen }: Props) {
  const { t, times } = useWords();
  const state = useBoard((now) => now.engineers.get(offer.engineer_id)?.state);
  const now = useServerMinute();
  const { takeOffer } = useOrderActions();
  const [busy, setBusy] = useState(false);
  async function take() {
    setBusy(true);
    await takeOffer(order, offer);
    setBusy(false);
  }
  const driving = Math.abs(offer.extra_seconds) < SOON_S ? t("whatIf.sameDriving") : drivingWords();
  return (
    <li className={css.candidate} data-open={open} data-testid="offer">
      <div className={css.offerHead}>
        <Avatar name={offer.name} state={state} size={36} />
        <span className={css.candidateName}>
          <strong>{offer.name}</strong>
          {first && <em>{t("offers.first")}</em>}
          <span title={t("cand.etaP90", { time: times.moment(offer.arrives_p90_at, now) })}>
            <Clock3 size={13} aria-hidden="true" />
            {t("offers.there", { time: times.moment(offer.arrives_at, now) })}
            <small>≤ {times.moment(offer.arrives_p90_at, now)}</small>
          </span>
        </span>
        <Button size="xs" h={34} loading={busy} onClick={() => void take()} data-testid="take-offer">
          {t("do.assign")}
        </Button>
      </div>
      <ul className={arranging.effects}>
        <Line icon={CarFront}>{driving}</Line>
        {offer.delays.map((delay) => (
          <Line key={delay.work_order_id} icon={TimerReset} tone="warn">
            <OrderName id={delay.work_order_id} /> {t("whatIf.later", { span: times.span(delay.seconds) })}
          </Line>
        ))}
        {offer.delays.length === 0 && <Line icon={CircleCheck}>{t("offers.nobodyLater")}</Line>}
        {offer.overtime_seconds >= SOON_S && (
          <Line icon={CircleAlert} tone="warn">
            {t("whatIf.overtime", { span: times.span(offer.overtime_seconds) })}
          </Line>
        )}
        {offer.late_seconds > 0 && (
          <Line icon={CircleAlert} tone="bad">
            {t("slots.late", { span: times.span(offer.late_seconds) })}
          </Line>
        )}
      </ul>
      <button type="button" className={css.offerMore} aria-expanded={open} onClick={() => onOpen(!open)}>
        {t("offers.score")}
        <ChevronDown size={15} aria-hidden="true" />
      </button>
      {open && <Scored order={order} engineer={offer.engineer_id} candidate={candidate} />}
    </li>
  );

  function drivingWords(): string {
    const words = { span: times.span(offer.extra_seconds), distance: times.distance(Math.abs(offer.extra_metres)) };
    return t(offer.extra_seconds > 0 ? "whatIf.more" : "whatIf.less", words);
  }
}

interface ScoredProps {
  readonly order: Order;
  readonly engineer: string;
  readonly candidate: Candidate | undefined;
}

/** How well they suit the job apart from the day; of a large company only the best are listed, others are asked about. */
function Scored({ order, engineer, candidate }: ScoredProps) {
  const { t } = useWords();
  const about = useAbout(order.id, candidate ? null : engineer);
  const found = candidate ?? about.data?.items.find((one) => one.engineer_id === engineer);
  if (found) {
    return (
      <>
        <ScoreBar candidate={found} />
        <Breakdown candidate={found} />
      </>
    );
  }
  return about.isPending ? <Skeleton height={80} /> : <p className={css.faint}>{t("cand.unknown")}</p>;
}
