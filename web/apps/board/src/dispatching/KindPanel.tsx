import { answered } from "@callout/api";
import { Button } from "@mantine/core";
import { Clock3, type LucideIcon, SlidersHorizontal, Undo2, Wrench } from "lucide-react";
import { useState } from "react";
import { useServerMinute } from "../app/clock";
import { useNames } from "../app/queries";
import { useServices } from "../app/services";
import { useChange } from "../detail/useChange";
import { say, sayUndo } from "../detail/useOrderActions";
import { useWords } from "../i18n";
import { Skeleton } from "../ui/Messages";
import css from "./dispatching.module.css";
import { useMaySet } from "./Frame";
import { percentWords } from "./figures";
import learning from "./learning.module.css";
import { type BackTest, backTestOf, gainOf, pacesOf, typesOf } from "./learnt";
import { KEYS, type Kind, type Learnt, type Model, useModel, useProblemTypes, useVersions } from "./queries";
import { sharesOf } from "./shares";
import { Composition } from "./WeightsPart";

const ICONS: Record<Kind, LucideIcon> = { durations: Clock3, success: Wrench, weights: SlidersHorizontal };

interface Props {
  readonly kind: Kind;
  readonly models: readonly Model[];
  /** What came of learning just now. */
  readonly latest: Learnt | null;
}

/** One kind of lesson: what is proposed, what is in force, and what was. */
export function KindPanel({ kind, models, latest }: Props) {
  const { t } = useWords();
  const Icon = ICONS[kind];
  const proposed = models.find((model) => model.state === "proposed");
  const accepted = models.find((model) => model.state === "accepted");
  const past = models.filter((model) => model.state === "retired" || model.state === "rejected");
  return (
    <section className={css.panel} data-kind={kind} aria-label={t(`kind.${kind}`)}>
      <h2>
        <span className={learning.kind}>
          <Icon size={18} aria-hidden="true" />
          {t(`kind.${kind}`)}
        </span>
      </h2>
      <p className={css.faint}>{t(`kindHint.${kind}`)}</p>
      {latest && <Outcome learnt={latest} />}
      {proposed && <Shown model={proposed} />}
      {accepted && <Shown model={accepted} />}
      {!accepted && <p className={learning.without}>{t(`kindWithout.${kind}`)}</p>}
      {past.length > 0 && <Past models={past} />}
    </section>
  );
}

/** What came of learning, where nothing new is proposed. */
function Outcome({ learnt }: { learnt: Learnt }) {
  const { t } = useWords();
  if (learnt.outcome === "proposed") return null;
  const test = backTestOf(learnt.kind, learnt.back_test);
  return (
    <div className={learning.outcome} role="status">
      <strong>{t(`learnt.${learnt.outcome}`)}</strong>
      {learnt.outcome === "not_better" && test && <TestChart kind={learnt.kind} test={test} />}
    </div>
  );
}

function Shown({ model }: { model: Model }) {
  const { t, times } = useWords();
  const minute = useServerMinute();
  const names = useNames();
  const test = backTestOf(model.kind, model.back_test);
  const by = model.decided_by && names.get(model.decided_by);
  return (
    <article className={learning.model} data-state={model.state}>
      <header>
        <em className={css.chip} data-tone={model.state === "proposed" ? "warn" : undefined}>
          {t(`modelState.${model.state}`)}
        </em>
        <span className={css.faint}>
          {t("learning.version", { version: model.version })} ·{" "}
          {model.decided_at
            ? `${by ? `${by}, ` : ""}${times.moment(model.decided_at, minute)}`
            : times.moment(model.proposed_at, minute)}
        </span>
      </header>
      {test && (
        <>
          <p className={learning.gist}>{gistOf(model.kind, test)}</p>
          <TestChart kind={model.kind} test={test} />
          <p className={css.faint}>
            {t("backTest.how", {
              since: times.date(test.since),
              samples: times.number(test.samples),
              from: times.date(model.trained_from),
              until: times.date(model.trained_until),
              taught: times.number(model.samples),
            })}
          </p>
        </>
      )}
      <Says model={model} />
      <Decide model={model} />
    </article>
  );

  function gistOf(kind: Kind, found: BackTest): string {
    const gain = gainOf(found);
    const words = figureWords(kind);
    return t(`backTest.${kind}`, {
      now: words(found.now),
      learnt: words(found.learnt),
      gain: percentWords(times, Math.abs(gain)),
    });
  }
  function figureWords(kind: Kind): (value: number) => string {
    if (kind === "durations") return (value) => t("backTest.minutes", { minutes: times.number(value, 1) });
    if (kind === "success") return (value) => times.number(value, 3);
    return (value) => percentWords(times, value);
  }
}

/** Two or three bars on one scale: what is, what would be, and what would be with nothing learnt. */
function TestChart({ kind, test }: { kind: Kind; test: BackTest }) {
  const { t, times } = useWords();
  const most = kind === "weights" ? 1 : Math.max(test.now, test.learnt, test.plain ?? 0);
  const words = (value: number) => {
    if (kind === "durations") return t("backTest.minutes", { minutes: times.number(value, 1) });
    return kind === "success" ? times.number(value, 3) : percentWords(times, value);
  };
  const rows = [
    ...(test.plain === null ? [] : [{ name: "plain", value: test.plain }]),
    { name: "now", value: test.now },
    { name: "learnt", value: test.learnt },
  ] as const;
  return (
    <dl className={learning.chart} aria-label={t(`backTest.axis.${kind}`)}>
      <div className={learning.axis}>{t(`backTest.axis.${kind}`)}</div>
      {rows.map((row) => (
        <div key={row.name} data-row={row.name}>
          <dt>{t(`backTest.row.${row.name as "plain" | "now" | "learnt"}`)}</dt>
          <dd>
            <i style={{ width: `${most === 0 ? 0 : (100 * row.value) / most}%` }} />
            <b>{words(row.value)}</b>
          </dd>
        </div>
      ))}
    </dl>
  );
}

/** What a model says, once somebody wants to know. */
function Says({ model }: { model: Model }) {
  const { t } = useWords();
  const [opened, setOpened] = useState(false);
  const found = useModel(model.id, opened);
  return (
    <details className={learning.says} onToggle={(event) => setOpened(event.currentTarget.open)}>
      <summary>{t("learning.says")}</summary>
      {found.isPending && <Skeleton height={60} />}
      {found.data &&
        (model.kind === "weights" ? (
          <SaidWeights parameters={found.data.parameters} />
        ) : (
          <SaidTypes model={found.data} />
        ))}
    </details>
  );
}

function SaidWeights({ parameters }: { parameters: Readonly<Record<string, unknown>> }) {
  const { t } = useWords();
  const versions = useVersions();
  const now = versions.data?.items[0];
  return (
    <div className={learning.saidWeights}>
      {now && (
        <>
          <span className={css.faint}>{t("weights.inForce", { version: now.version })}</span>
          <Composition shares={sharesOf(now.weights)} />
        </>
      )}
      <span className={css.faint}>{t("learning.learntWeights")}</span>
      <Composition shares={sharesOf((parameters.weights ?? {}) as Record<string, number>)} />
    </div>
  );
}

const MOST_SAID = 8;

function SaidTypes({ model }: { model: { kind: Kind; parameters: Readonly<Record<string, unknown>> } }) {
  const { t, times } = useWords();
  const names = useNames();
  const problems = new Map(useProblemTypes().map((one) => [one.value, one.label] as const));
  const types = typesOf(model.kind, model.parameters).slice(0, MOST_SAID);
  const paces = pacesOf(model.parameters);
  return (
    <table className={learning.said}>
      <tbody>
        {types.map((one) => (
          <tr key={one.name}>
            <th>{problems.get(one.name) ?? one.name}</th>
            <td>{model.kind === "durations" ? times.span(one.value * 60) : times.percent(one.value)}</td>
            <td>{one.samples !== null && t("learning.jobs", { count: one.samples })}</td>
          </tr>
        ))}
        {paces.slice(0, MOST_SAID).map((one) => (
          <tr key={one.name}>
            <th>{names.get(one.name) ?? t("dry.somebody")}</th>
            <td>{t("learning.pace", { percent: Math.round(one.value) })}</td>
            <td>{one.samples !== null && t("learning.jobs", { count: one.samples })}</td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}

/** Takes a model, turns it down, or goes back. Each can be taken back but turning down, which is asked for twice. */
function Decide({ model }: { model: Model }) {
  const { t } = useWords();
  const may = useMaySet();
  const acts = useModelActs();
  const [sure, setSure] = useState(false);
  if (!may) return null;
  if (model.state === "proposed" && sure) {
    return (
      <div className={learning.acts}>
        <span>{t("learning.sure")}</span>
        <Button size="xs" color="red" loading={acts.busy} onClick={() => void acts.reject(model)}>
          {t("learning.turnDown")}
        </Button>
        <Button size="xs" variant="default" onClick={() => setSure(false)}>
          {t("learning.keep")}
        </Button>
      </div>
    );
  }
  return (
    <div className={learning.acts}>
      {model.state === "proposed" && (
        <>
          <Button size="xs" loading={acts.busy} onClick={() => void acts.accept(model)}>
            {t("learning.accept")}
          </Button>
          <Button size="xs" variant="default" disabled={acts.busy} onClick={() => setSure(true)}>
            {t("learning.turnDown")}…
          </Button>
        </>
      )}
      {model.state === "accepted" && (
        <Button
          size="xs"
          variant="default"
          leftSection={<Undo2 size={15} />}
          loading={acts.busy}
          onClick={() => void acts.retire(model)}
        >
          {t("learning.retire")}
        </Button>
      )}
      {model.state === "retired" && (
        <Button size="compact-xs" variant="default" loading={acts.busy} onClick={() => void acts.accept(model)}>
          {t("weights.again")}
        </Button>
      )}
    </div>
  );
}

function useModelActs() {
  const { t } = useWords();
  const { api } = useServices();
  const { busy, attempt } = useChange();
  const post = (way: "accept" | "reject" | "retire", model: Model) => {
    const params = { path: { model_id: model.id } };
    return attempt(
      () => answered(api.POST(`/api/v1/learning/models/{model_id}/${way}`, { params })),
      KEYS.learning,
      KEYS.models,
      KEYS.weights,
    );
  };
  const named = (model: Model) => t(`kind.${model.kind}`);
  return {
    busy,
    accept: async (model: Model) => {
      const done = await post("accept", model);
      if (done) sayUndo(t, t("learning.accepted", { kind: named(model) }), () => void undone(done));
    },
    reject: async (model: Model) => {
      if (await post("reject", model)) say(t("learning.rejected", { kind: named(model) }));
    },
    retire: async (model: Model) => {
      const done = await post("retire", model);
      if (done) sayUndo(t, t("learning.retired", { kind: named(model) }), () => void post("accept", model));
    },
  };

  /** What was in force before comes back, or nothing learnt. */
  async function undone(taken: Model): Promise<void> {
    if (taken.replaced) await post("accept", { ...taken, id: taken.replaced });
    else await post("retire", taken);
  }
}

function Past({ models }: { models: readonly Model[] }) {
  const { t, times } = useWords();
  const minute = useServerMinute();
  return (
    <details className={learning.says}>
      <summary>{t("learning.past", { count: models.length })}</summary>
      <ul className={learning.past}>
        {models.map((model) => (
          <li key={model.id}>
            <span>
              {t("learning.version", { version: model.version })} · {t(`modelState.${model.state}`)} ·{" "}
              {times.moment(model.decided_at ?? model.proposed_at, minute)}
            </span>
            <Decide model={model} />
          </li>
        ))}
      </ul>
    </details>
  );
}
