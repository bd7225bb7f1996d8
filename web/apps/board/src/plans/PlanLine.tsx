import {
  CircleAlert,
  CircleCheckBig,
  CircleSlash2,
  LoaderCircle,
  type LucideIcon,
  Sparkles,
  Wrench,
} from "lucide-react";
import { useServerMinute } from "../app/clock";
import { useWords } from "../i18n";
import { countOf, type Plan, travelSaved } from "./model";
import css from "./plans.module.css";
import { useCauseWords, useSpanWords } from "./words";

const ICONS: Record<Plan["state"], LucideIcon> = {
  queued: LoaderCircle,
  running: LoaderCircle,
  applying: LoaderCircle,
  ready: Sparkles,
  done: CircleCheckBig,
  cancelled: CircleSlash2,
  failed: CircleAlert,
};

export function PlanLine({ plan }: { plan: Plan }) {
  const { t, times } = useWords();
  const now = useServerMinute();
  const spanWords = useSpanWords();
  const causeWords = useCauseWords();
  const Icon = ICONS[plan.state];
  return (
    <>
      <span className={css.kind} data-state={plan.state}>
        <Icon size={17} aria-hidden="true" />
      </span>
      <span className={css.text}>
        <span className={css.textTop}>
          <strong>{spanWords(plan)}</strong>
          {plan.kind === "repair" && (
            <span className={css.badge}>
              <Wrench size={11} aria-hidden="true" /> {t("plan.repair")}
            </span>
          )}
        </span>
        <span className={css.stand} data-state={plan.state}>
          {t(`planState.${plan.state}`)}
          {plan.state === "running" && ` ${times.percent(plan.progress)}`}
        </span>
        {plan.after && <Outcome plan={plan} />}
        <small>
          {plan.kind === "repair" ? causeWords(plan.cause) : (plan.requested_by_name ?? t("plan.system"))} ·{" "}
          {times.moment(plan.asked_at, now)}
        </small>
      </span>
    </>
  );
}

function Outcome({ plan }: { plan: Plan }) {
  const { t, times } = useWords();
  const saved = travelSaved(plan) ?? 0;
  const grew = (plan.after?.visits ?? 0) - (plan.before?.visits ?? 0);
  const travel = Math.abs(saved) < 60 ? null : t(saved > 0 ? "plan.saved" : "plan.added", { span: times.span(saved) });
  return (
    <small>
      {t("plan.changes", { count: countOf(plan) })}
      {grew > 0 && ` · ${t("plan.newVisits", { count: grew })}`}
      {travel && (
        <>
          {" · "}
          <b data-good={saved > 0}>{travel}</b>
        </>
      )}
    </small>
  );
}
