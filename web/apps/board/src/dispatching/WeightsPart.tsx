import { answered } from "@callout/api";
import { Button, NumberInput, Slider, TextInput } from "@mantine/core";
import { LockKeyhole, LockKeyholeOpen, Undo2 } from "lucide-react";
import { type FormEvent, useRef, useState } from "react";
import { useServices } from "../app/services";
import { useChange } from "../detail/useChange";
import { say } from "../detail/useOrderActions";
import { isKey, useWords, wordOf } from "../i18n";
import css from "./dispatching.module.css";
import { Lead, OnlyToRead, Panel, Told, useMaySet } from "./Frame";
import { percentWords } from "./figures";
import { KEYS, useVersions, type Version, type Versions } from "./queries";
import { FACTORS, type FactorName, mostOf, moved, type Shares, same, sharesOf, WHOLE, weightsOf } from "./shares";
import { toneOf } from "./tones";
import { WeightsReplay } from "./WeightsReplay";
import { WeightsVersions } from "./WeightsVersions";

export function WeightsPart({ draft, onDraft }: DraftProps) {
  const { t } = useWords();
  const found = useVersions();
  return (
    <>
      <Lead>{t("weights.lead")}</Lead>
      <OnlyToRead />
      <Told found={found} failed={t("weights.failed")} height={300}>
        {(versions) => <Weights versions={versions} draft={draft} onDraft={onDraft} />}
      </Told>
    </>
  );
}

/** What a person is about to put in force, and from which version they began. */
export interface WeightsDraft {
  readonly shares: Shares;
  readonly from: number;
  readonly why: string;
}

interface DraftProps {
  readonly draft: WeightsDraft | null;
  readonly onDraft: (draft: WeightsDraft | null) => void;
}

function Weights({ versions, draft, onDraft: setDraft }: DraftProps & { versions: Versions }) {
  const { t } = useWords();
  const may = useMaySet();
  const inForce = versions.items.find((one) => one.version === versions.in_force) ?? versions.items[0];
  if (!inForce) return null;
  const now = sharesOf(inForce.weights);
  const shares = draft?.shares ?? now;
  const changed = draft !== null && !same(draft.shares, now);
  const change = (next: Shares) =>
    setDraft({ shares: next, from: draft?.from ?? inForce.version, why: draft?.why ?? "" });
  const again = (version: Version) =>
    setDraft({
      shares: sharesOf(version.weights),
      from: inForce.version,
      why: t("weights.backTo", { version: version.version }),
    });
  return (
    <div className={css.columns}>
      <div>
        <Panel
          title={t("weights.factors")}
          aside={changed ? t("weights.notSaved") : t("weights.inForce", { version: inForce.version })}
        >
          <Composition shares={shares} />
          <Sliders shares={shares} now={now} onChange={change} />
        </Panel>
      </div>
      <div>
        <WeightsReplay shares={changed ? shares : null} />
        <WeightsVersions versions={versions} onAgain={again} />
      </div>
      {changed && draft && may && (
        <SaveBar
          draft={draft}
          inForce={inForce.version}
          onWhy={(why) => setDraft({ ...draft, why })}
          onDone={() => setDraft(null)}
        />
      )}
      {changed && !may && (
        <div className={css.saveBar}>
          <span className={css.faint}>{t("weights.trying")}</span>
          <Button variant="default" leftSection={<Undo2 size={15} />} onClick={() => setDraft(null)}>
            {t("weights.discard")}
          </Button>
        </div>
      )}
    </div>
  );
}

/** All factors in one bar: how much of a score each can be. */
export function Composition({ shares, small = false }: { shares: Shares; small?: boolean }) {
  const { t, times } = useWords();
  const said = (name: FactorName) => `${wordOf(t, "factor", name, isKey)} ${percentWords(times, shares[name] / WHOLE)}`;
  const shown = [...FACTORS].filter((name) => shares[name] > 0).sort((a, b) => shares[b] - shares[a]);
  return (
    <span className={css.composition} data-small={small} role="img" aria-label={shown.map(said).join(", ")}>
      {shown.map((name) => (
        <i key={name} title={said(name)} style={{ flexGrow: shares[name], background: toneOf(name) }} />
      ))}
    </span>
  );
}

interface SlidersProps {
  readonly shares: Shares;
  readonly now: Shares;
  readonly onChange: (shares: Shares) => void;
}

function Sliders({ shares, now, onChange }: SlidersProps) {
  const [held, setHeld] = useState<ReadonlySet<FactorName>>(new Set());
  // While a slider is dragged the others follow from where they stood: dragged to the end and back nothing is lost.
  const begun = useRef<Shares | null>(null);
  const hold = (name: FactorName) =>
    setHeld((before) => {
      const next = new Set(before);
      if (!next.delete(name)) next.add(name);
      return next;
    });
  return (
    <ul className={css.sliders}>
      {FACTORS.map((name) => (
        <FactorRow
          key={name}
          name={name}
          share={shares[name]}
          before={now[name]}
          most={mostOf(shares, name, held)}
          held={held.has(name)}
          onHold={() => hold(name)}
          onDrag={(to) => {
            begun.current ??= shares;
            onChange(moved(begun.current, name, to, held));
          }}
          onDragged={() => {
            begun.current = null;
          }}
          onSet={(to) => onChange(moved(shares, name, to, held))}
        />
      ))}
    </ul>
  );
}

interface RowProps {
  readonly name: FactorName;
  readonly share: number;
  readonly before: number;
  readonly most: number;
  readonly held: boolean;
  readonly onHold: () => void;
  readonly onDrag: (to: number) => void;
  readonly onDragged: () => void;
  readonly onSet: (to: number) => void;
}

const PER_CENT = WHOLE / 100;

function FactorRow(props: RowProps) {
  const { name, share, before, held } = props;
  const { t, times } = useWords();
  const word = wordOf(t, "factor", name, isKey);
  return (
    <li className={css.factor} data-factor={name}>
      <div className={css.factorText}>
        <strong>
          <i style={{ background: toneOf(name) }} />
          {word}
          {share !== before && <small>{t("weights.was", { share: percentWords(times, before / WHOLE) })}</small>}
        </strong>
        <span id={`means-${name}`}>{wordOf(t, "means", name, isKey)}</span>
      </div>
      <Slider
        className={css.slider ?? ""}
        color={toneOf(name)}
        size={5}
        thumbSize={18}
        min={0}
        max={100}
        step={0.5}
        label={null}
        disabled={held}
        value={share / PER_CENT}
        thumbLabel={word}
        onChange={(to) => props.onDrag(Math.min(to * PER_CENT, props.most))}
        onChangeEnd={props.onDragged}
      />
      <ShareInput label={word} share={share} disabled={held} onSet={props.onSet} />
      <button
        type="button"
        className={css.hold}
        aria-pressed={held}
        aria-label={t("weights.hold", { factor: word })}
        title={t(held ? "weights.held" : "weights.holdHint")}
        onClick={props.onHold}
      >
        {held ? <LockKeyhole size={15} aria-hidden="true" /> : <LockKeyholeOpen size={15} aria-hidden="true" />}
      </button>
    </li>
  );
}

/** Takes what was typed when it is finished: on the way from 2 to 26 nothing else should move. */
function ShareInput(props: { label: string; share: number; disabled: boolean; onSet: (to: number) => void }) {
  const { label, share, disabled, onSet } = props;
  const [typed, setTyped] = useState<number | string | null>(null);
  const finish = () => {
    const wanted = Number(typed);
    if (typed !== null && typed !== "" && Number.isFinite(wanted)) onSet(wanted * PER_CENT);
    setTyped(null);
  };
  return (
    <NumberInput
      className={css.share ?? ""}
      aria-label={label}
      size="xs"
      min={0}
      max={100}
      step={1}
      decimalScale={1}
      clampBehavior="strict"
      suffix="%"
      hideControls
      disabled={disabled}
      value={typed ?? share / PER_CENT}
      onChange={setTyped}
      onBlur={finish}
      onKeyDown={(event) => {
        if (event.key === "Enter") finish();
        if (event.key === "Escape") setTyped(null);
      }}
    />
  );
}

interface SaveBarProps {
  readonly draft: WeightsDraft;
  readonly inForce: number;
  readonly onWhy: (why: string) => void;
  readonly onDone: () => void;
}

function SaveBar({ draft, inForce, onWhy, onDone }: SaveBarProps) {
  const { t } = useWords();
  const { api } = useServices();
  const { busy, attempt } = useChange();
  const [lacking, setLacking] = useState(false);
  const [key] = useState(() => crypto.randomUUID());
  const overtaken = draft.from !== inForce;

  async function save(event: FormEvent) {
    event.preventDefault();
    const why = draft.why.trim();
    setLacking(!why);
    if (!why) return;
    const made = await attempt(() => {
      const body = { weights: weightsOf(draft.shares), why, expected_version: inForce };
      const headers = { "Idempotency-Key": `${key}-${inForce}` };
      return answered(api.POST("/api/v1/score-weights", { body, headers }));
    }, KEYS.weights);
    if (made === null) return;
    say(t("weights.saved", { version: made.version }));
    onDone();
  }
  return (
    <form className={css.saveBar} onSubmit={save} noValidate>
      {overtaken && <p role="note">{t("weights.overtaken", { from: draft.from, now: inForce })}</p>}
      <TextInput
        label={t("weights.why")}
        placeholder={t("weights.whyHint")}
        required
        maxLength={200}
        value={draft.why}
        error={lacking && !draft.why.trim() && t("new.required")}
        onChange={(event) => onWhy(event.currentTarget.value)}
      />
      <div>
        <Button variant="default" leftSection={<Undo2 size={15} />} onClick={onDone}>
          {t("weights.discard")}
        </Button>
        <Button type="submit" loading={busy}>
          {t("weights.save")}
        </Button>
      </div>
    </form>
  );
}
