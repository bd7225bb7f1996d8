import { ApiProblem } from "@callout/api";
import { Button, Modal, SegmentedControl, Select } from "@mantine/core";
import {
  ArrowLeft,
  CalendarX2,
  Check,
  CircleSlash2,
  FileQuestion,
  RotateCcw,
  Sparkles,
  Undo2,
  Wrench,
} from "lucide-react";
import { useEffect, useMemo, useState } from "react";
import { go } from "../app/address";
import { useServerMinute } from "../app/clock";
import { useWords } from "../i18n";
import { Bar, Failure, Message, Skeleton } from "../ui/Messages";
import { Changes } from "./Changes";
import { Comparisons } from "./Comparisons";
import { DaysBeside } from "./DaysBeside";
import { countOf, engineersIn, hasOutcome, isBusy, isProposed, type Line, type Plan } from "./model";
import css from "./plans.module.css";
import { useLines, usePlan } from "./queries";
import { usePlanActions } from "./usePlanActions";
import { useCauseWords, useGist, useSpanWords, whyWords } from "./words";

export function PlanView({ id, onPlan }: { id: string; onPlan: () => void }) {
  const { t } = useWords();
  const found = usePlan(id);
  const plan = found.data;
  return (
    <article className={css.view} data-testid="plan">
      {plan && <Whole plan={plan} onPlan={onPlan} />}
      {!plan && found.isError && <Gone problem={found.error} onRetry={() => void found.refetch()} />}
      {found.isPending && (
        <div className={css.waiting} aria-busy="true">
          <Skeleton width="46%" height={24} />
          <Skeleton height={110} />
          <Skeleton height={260} />
        </div>
      )}
      <span className="visually-hidden" role="status">
        {plan && t(`planState.${plan.state}`)}
      </span>
    </article>
  );
}

function Gone({ problem, onRetry }: { problem: unknown; onRetry: () => void }) {
  const { t } = useWords();
  if (problem instanceof ApiProblem && problem.status === 404) {
    return <Message icon={FileQuestion} title={t("fail.notFound")} />;
  }
  return <Failure title={t("plans.failedOne")} problem={problem} onRetry={onRetry} />;
}

function Whole({ plan, onPlan }: { plan: Plan; onPlan: () => void }) {
  const { t } = useWords();
  const waiting = plan.state === "queued" || plan.state === "running";
  return (
    <>
      <Head plan={plan} />
      {waiting && <Progress plan={plan} />}
      {plan.state === "failed" && (
        <Ended icon={CalendarX2} title={t("plan.failed")} hint={whyWords(t, plan.why ?? "")} onPlan={onPlan} />
      )}
      {plan.state === "cancelled" && (
        <Ended
          icon={CircleSlash2}
          title={t("plan.cancelled")}
          hint={plan.why ? whyWords(t, plan.why) : t("plan.cancelledHint")}
          onPlan={onPlan}
        />
      )}
      {hasOutcome(plan) && <Outcome plan={plan} />}
    </>
  );
}

function Head({ plan }: { plan: Plan }) {
  const { t, times } = useWords();
  const now = useServerMinute();
  const spanWords = useSpanWords();
  const causeWords = useCauseWords();
  const scope = [
    plan.territories.length > 0 && t("plan.territoryCount", { count: plan.territories.length }),
    plan.engineers.length > 0 && t("plan.engineerCount", { count: plan.engineers.length }),
  ].filter(Boolean);
  return (
    <header className={css.viewHead}>
      <button type="button" className={css.back} aria-label={t("nav.back")} onClick={() => go({ item: null })}>
        <ArrowLeft size={20} />
      </button>
      <div>
        <h2>
          {spanWords(plan)}
          {plan.kind === "repair" && (
            <span className={css.badge}>
              <Wrench size={12} aria-hidden="true" /> {t("plan.repair")}
            </span>
          )}
          <span className={css.standBadge} data-state={plan.state}>
            {t(`planState.${plan.state}`)}
          </span>
        </h2>
        <p>
          {plan.kind === "repair" && `${causeWords(plan.cause)} · `}
          {scope.length > 0 ? scope.join(", ") : t("plan.everything")} · {t(`effort.${plan.effort}`)} ·{" "}
          {t("plan.askedBy", {
            name: plan.requested_by_name ?? t("plan.system"),
            time: times.moment(plan.asked_at, now),
          })}
        </p>
      </div>
    </header>
  );
}

function Progress({ plan }: { plan: Plan }) {
  const { t, times } = useWords();
  const { cancel, busy } = usePlanActions();
  return (
    <div className={css.progress} data-testid="plan-progress">
      <Sparkles size={26} aria-hidden="true" />
      <strong>{t(plan.state === "queued" ? "plan.queued" : "plan.looking")}</strong>
      <p>{t(plan.parts > 1 ? "plan.parts" : "plan.lookingHint", { count: plan.parts })}</p>
      <div
        className={css.progressBar}
        role="progressbar"
        aria-label={t("plan.looking")}
        aria-valuemin={0}
        aria-valuemax={100}
        aria-valuenow={Math.round(plan.progress * 100)}
      >
        <Bar share={Math.max(0.02, plan.progress)} />
        <span>{times.percent(plan.progress)}</span>
      </div>
      <Button variant="default" size="xs" loading={busy} onClick={() => void cancel(plan)}>
        {t("plan.cancel")}
      </Button>
    </div>
  );
}

interface EndedProps {
  readonly icon: typeof CalendarX2;
  readonly title: string;
  readonly hint: string;
  readonly onPlan: () => void;
}

function Ended({ icon, title, hint, onPlan }: EndedProps) {
  const { t } = useWords();
  return (
    <Message icon={icon} title={title} hint={hint}>
      <Button size="xs" mt={8} leftSection={<RotateCcw size={14} />} onClick={onPlan}>
        {t("plan.again")}
      </Button>
    </Message>
  );
}

type Shape = "changes" | "days";

function Outcome({ plan }: { plan: Plan }) {
  const { t } = useWords();
  const gist = useGist();
  const stand = `${plan.state} ${JSON.stringify(plan.lines)}`;
  const found = useLines(plan.id, stand, true);
  const lines = found.data?.items;
  const [shape, setShape] = useState<Shape>("changes");
  const [engineer, setEngineer] = useState<string | null>(null);
  const chosen = useChosen(lines);
  const people = useMemo(() => engineersIn(lines ?? []), [lines]);
  const { before, after } = plan;
  if (!before || !after) return null;
  return (
    <>
      <div className={css.viewBody} data-scroller>
        <p className={css.gist}>{gist(before, after)}</p>
        <Comparisons before={before} after={after} />
        <div className={css.tools}>
          <SegmentedControl
            size="xs"
            aria-label={t("plan.shape")}
            value={shape}
            onChange={(next) => setShape(next as Shape)}
            data={(["changes", "days"] as const).map((value) => ({ value, label: t(`plan.shape.${value}`) }))}
          />
          <Select
            size="xs"
            clearable
            searchable
            aria-label={t("plan.ofEngineer")}
            placeholder={t("plan.ofEverybody")}
            data={people.map(({ id, name }) => ({ value: id, label: name }))}
            value={engineer}
            onChange={setEngineer}
          />
        </div>
        {found.isError && !lines && (
          <Failure title={t("plans.failedOne")} problem={found.error} onRetry={() => void found.refetch()} />
        )}
        {found.isPending && <Skeleton height={200} />}
        {lines && shape === "changes" && (
          <Changes plan={plan} lines={lines} engineer={engineer} chosen={chosen.ids} onChoose={chosen.choose} />
        )}
        {lines && shape === "days" && <DaysBeside plan={plan} lines={lines} engineer={engineer} />}
      </div>
      {lines && <Decision plan={plan} lines={lines} chosen={chosen.ids} />}
    </>
  );
}

/** What is ticked: all that is proposed, until somebody unticks; what was decided meanwhile falls out. */
function useChosen(lines: readonly Line[] | undefined) {
  const proposed = useMemo(() => (lines ?? []).filter(isProposed).map((line) => line.work_order_id), [lines]);
  const [unticked, setUnticked] = useState<ReadonlySet<string>>(new Set());
  const ids = useMemo(() => new Set(proposed.filter((id) => !unticked.has(id))), [proposed, unticked]);
  const choose = (orders: readonly string[], on: boolean) =>
    setUnticked((before) => {
      const next = new Set(before);
      for (const id of orders) {
        if (on) next.delete(id);
        else next.add(id);
      }
      return next;
    });
  return { ids, choose };
}

interface DecisionProps {
  readonly plan: Plan;
  readonly lines: readonly Line[];
  readonly chosen: ReadonlySet<string>;
}

function Decision({ plan, lines, chosen }: DecisionProps) {
  const { t } = useWords();
  const { busy, accept, decline, undo } = usePlanActions();
  const [asking, setAsking] = useState(false);
  const proposed = lines.filter(isProposed).length;
  const applied = countOf(plan, "applied");
  const working = busy || isBusy(plan);
  useEffect(() => {
    if (plan.state !== "ready") setAsking(false);
  }, [plan.state]);
  if (plan.state === "applying") {
    return (
      <footer className={css.decision}>
        <span className={css.applying}>{t("plan.applying")}</span>
      </footer>
    );
  }
  const all = chosen.size === proposed;
  return (
    <footer className={css.decision}>
      <Standing plan={plan} />
      {applied > 0 && (
        <Button variant="default" loading={busy} leftSection={<Undo2 size={15} />} onClick={() => void undo(plan)}>
          {t("plan.undo", { count: applied })}
        </Button>
      )}
      {proposed > 0 && (
        <>
          <Button variant="default" disabled={working} onClick={() => setAsking(true)}>
            {t("plan.decline")}
          </Button>
          <Button
            loading={busy}
            disabled={chosen.size === 0}
            leftSection={<Check size={16} />}
            onClick={() => void accept(plan, all ? null : [...chosen])}
            data-testid="accept"
          >
            {t(all ? "plan.acceptAll" : "plan.acceptSome", { count: chosen.size })}
          </Button>
        </>
      )}
      <Modal
        opened={asking}
        onClose={() => setAsking(false)}
        title={t("plan.declineTitle")}
        closeButtonProps={{ "aria-label": t("close") }}
        size="sm"
      >
        <p className={css.askText}>{t("plan.declineText", { count: proposed })}</p>
        <div className={css.askFoot}>
          <Button variant="default" onClick={() => setAsking(false)}>
            {t("new.cancel")}
          </Button>
          <Button color="red" loading={busy} onClick={() => void decline(plan, null)} data-autofocus>
            {t("plan.declineDo")}
          </Button>
        </div>
      </Modal>
    </footer>
  );
}

const STATES = ["applied", "overtaken", "refused", "declined", "undone"] as const;

/** What became of what was decided. */
function Standing({ plan }: { plan: Plan }) {
  const { t } = useWords();
  const parts = STATES.map((state) => ({ state, count: countOf(plan, state) })).filter(({ count }) => count > 0);
  const nothing = countOf(plan) === 0;
  return (
    <p className={css.standing}>
      {nothing && t("plan.nothingChanges")}
      {parts.map(({ state, count }) => (
        <span key={state} data-line={state}>
          {t(`plan.count.${state}`, { count })}
        </span>
      ))}
    </p>
  );
}
