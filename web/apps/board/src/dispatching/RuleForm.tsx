import { answered } from "@callout/api";
import { Button, Checkbox, Modal, MultiSelect, NumberInput, Radio, TextInput } from "@mantine/core";
import { type FormEvent, useId, useState } from "react";
import { PRIORITIES } from "../app/model";
import { useNarrow } from "../app/screen";
import { useServices } from "../app/services";
import { useChange } from "../detail/useChange";
import { say } from "../detail/useOrderActions";
import { isKey, useWords, wordOf } from "../i18n";
import { KEYS, type Rule, useProblemTypes, useTerritoryNames } from "./queries";
import { useNamed } from "./RulesPart";
import css from "./rules.module.css";
import {
  DOINGS,
  draftOf,
  EMPTY_RULE,
  lacksOf,
  limitWords,
  type RuleDraft,
  requestOf,
  takesLimits,
  takesMinutes,
  thenWords,
  whenWords,
} from "./ruleWords";

const CHANNELS = ["portal", "phone", "email", "api", "field", "device_alarm", "contract"] as const;
const TIERS = ["standard", "vip"] as const;

/** A rule in plain words: when an order is like this, then that happens, if it is clear enough. */
export function RuleForm({ rule, onClose }: { rule: Rule | null; onClose: () => void }) {
  const { t } = useWords();
  const narrow = useNarrow();
  const { api } = useServices();
  const { busy, attempt } = useChange();
  const [draft, setDraft] = useState<RuleDraft>(rule ? draftOf(rule) : EMPTY_RULE);
  const [checked, setChecked] = useState(false);
  const [key] = useState(() => crypto.randomUUID());
  const lacks = checked ? lacksOf(draft) : [];
  const change: Change = (part) => setDraft((now) => ({ ...now, ...part }));

  async function submit(event: FormEvent<HTMLFormElement>) {
    event.preventDefault();
    setChecked(true);
    if (lacksOf(draft).length > 0) {
      const form = event.currentTarget;
      requestAnimationFrame(() => form.querySelector<HTMLElement>("[data-error]")?.focus());
      return;
    }
    const body = requestOf(draft);
    const made = await attempt(() => {
      if (rule === null) {
        return answered(api.POST("/api/v1/assignment-rules", { body, headers: { "Idempotency-Key": key } }));
      }
      const params = { path: { rule_id: rule.id } };
      return answered(
        api.PUT("/api/v1/assignment-rules/{rule_id}", { params, body: { ...body, version: rule.version } }),
      );
    }, KEYS.rules);
    if (made === null) return;
    say(t(rule ? "rules.changed" : "rules.added", { name: made.name }));
    onClose();
  }
  const parts = { draft, change, lacks };
  return (
    <Modal
      opened
      onClose={onClose}
      size={720}
      fullScreen={narrow}
      title={t(rule ? "rules.editTitle" : "rules.new")}
      closeButtonProps={{ "aria-label": t("close") }}
    >
      <form className={css.form} onSubmit={submit} noValidate>
        <TextInput
          data-autofocus
          label={t("rules.name")}
          placeholder={t("rules.nameHint")}
          required
          maxLength={200}
          value={draft.name}
          error={lacks.includes("name") && t("new.required")}
          onChange={(event) => change({ name: event.currentTarget.value })}
        />
        <When {...parts} />
        <Then {...parts} />
        {takesLimits(draft.treatment.do) && <OnlyIf {...parts} />}
        <div className={css.end}>
          <InWords draft={draft} />
          <div className={css.foot}>
            <Button variant="default" onClick={onClose}>
              {t("new.cancel")}
            </Button>
            <Button type="submit" loading={busy}>
              {t(rule ? "rules.save" : "rules.add")}
            </Button>
          </div>
        </div>
      </form>
    </Modal>
  );
}

type Change = (part: Partial<RuleDraft>) => void;
interface PartProps {
  readonly draft: RuleDraft;
  readonly change: Change;
  readonly lacks: readonly string[];
}

function When({ draft, change, lacks }: PartProps) {
  const { t } = useWords();
  const skills = useProblemTypes();
  const territories = useTerritoryNames();
  const { conditions } = draft;
  const set = (part: Partial<RuleDraft["conditions"]>) => change({ conditions: { ...conditions, ...part } });
  return (
    <fieldset className={css.part}>
      <legend>{t("rules.when")}</legend>
      <div className={css.whole}>
        <Chips
          label={t("rules.priority")}
          values={PRIORITIES}
          chosen={conditions.priorities}
          words={(one) => t(`priority.${one}`)}
          onChange={(priorities) => set({ priorities })}
        />
      </div>
      <MultiSelect
        label={t("rules.problems")}
        placeholder={conditions.problem_types.length === 0 ? t("rules.any") : ""}
        data={skills}
        searchable
        clearable
        value={[...conditions.problem_types]}
        onChange={(problem_types) => set({ problem_types })}
      />
      <MultiSelect
        label={t("rules.territories")}
        placeholder={conditions.territories.length === 0 ? t("rules.any") : ""}
        data={[...territories].map(([value, label]) => ({ value, label }))}
        searchable
        clearable
        value={[...conditions.territories]}
        onChange={(chosen) => set({ territories: chosen })}
      />
      <MultiSelect
        label={t("rules.channels")}
        placeholder={conditions.channels.length === 0 ? t("rules.any") : ""}
        data={CHANNELS.map((value) => ({ value, label: wordOf(t, "channel", value, isKey) }))}
        clearable
        value={[...conditions.channels]}
        onChange={(chosen) => set({ channels: CHANNELS.filter((one) => chosen.includes(one)) })}
      />
      <Chips
        label={t("rules.tiers")}
        values={TIERS}
        chosen={conditions.customer_tiers}
        words={(one) => wordOf(t, "tier", one, isKey)}
        onChange={(customer_tiers) => set({ customer_tiers })}
      />
      <Hours draft={draft} lacking={lacks.includes("hours")} onChange={(hours) => set({ hours })} />
      <Optional
        label={t("rules.old")}
        unit={t("rules.minutes")}
        value={conditions.max_minutes_old}
        first={60}
        min={1}
        max={10_080}
        onChange={(max_minutes_old) => set({ max_minutes_old })}
      />
    </fieldset>
  );
}

type HoursValue = RuleDraft["conditions"]["hours"];

function Hours(props: { draft: RuleDraft; lacking: boolean; onChange: (hours: HoursValue) => void }) {
  const { t } = useWords();
  const { hours } = props.draft.conditions;
  return (
    <div className={css.optional}>
      <Checkbox
        label={t("rules.hours")}
        checked={hours !== null}
        onChange={(event) => props.onChange(event.currentTarget.checked ? { start: "18:00", end: "07:00" } : null)}
      />
      {hours && (
        <span className={css.hours}>
          <TextInput
            type="time"
            size="xs"
            aria-label={t("rules.from")}
            value={hours.start}
            error={props.lacking}
            onChange={(event) => props.onChange({ ...hours, start: event.currentTarget.value })}
          />
          –
          <TextInput
            type="time"
            size="xs"
            aria-label={t("rules.to")}
            value={hours.end}
            error={props.lacking}
            onChange={(event) => props.onChange({ ...hours, end: event.currentTarget.value })}
          />
        </span>
      )}
      {props.lacking && <small role="alert">{t("rules.hoursLack")}</small>}
    </div>
  );
}

function Then({ draft, change, lacks }: PartProps) {
  const { t } = useWords();
  const { treatment } = draft;
  const choose = (value: string) => {
    const doing = DOINGS.find((one) => one === value);
    if (!doing) return;
    const minutes = takesMinutes(doing) ? (treatment.minutes ?? (doing === "wait" ? 15 : 60)) : null;
    change({ treatment: { do: doing, minutes } });
  };
  return (
    <fieldset className={css.part}>
      <legend>{t("rules.then")}</legend>
      <Radio.Group className={css.whole ?? ""} value={treatment.do} onChange={choose} aria-label={t("rules.then")}>
        <div className={css.doings}>
          {DOINGS.map((doing) => (
            <Radio key={doing} value={doing} label={t(`rules.do.${doing}`)} description={t(`rules.doHint.${doing}`)} />
          ))}
        </div>
      </Radio.Group>
      {takesMinutes(treatment.do) && (
        <NumberInput
          label={t(treatment.do === "wait" ? "rules.waitMinutes" : "rules.poolMinutes")}
          min={1}
          max={10_080}
          step={5}
          clampBehavior="strict"
          value={treatment.minutes ?? ""}
          error={lacks.includes("minutes") && t("new.required")}
          onChange={(minutes) => change({ treatment: { ...treatment, minutes: Number(minutes) || null } })}
        />
      )}
    </fieldset>
  );
}

function OnlyIf({ draft, change }: PartProps) {
  const { t } = useWords();
  const { limits } = draft;
  const set = (part: Partial<RuleDraft["limits"]>) => change({ limits: { ...limits, ...part } });
  const points = (value: number | null) => (value === null ? null : Math.round(value * 1000) / 10);
  const score = (value: number | null) => (value === null ? null : value / 100);
  return (
    <fieldset className={css.part}>
      <legend>
        {t("rules.only")} <small>{t("rules.onlyHint")}</small>
      </legend>
      <Optional
        label={t("rules.minScore")}
        unit={t("rules.points")}
        value={points(limits.min_score)}
        first={50}
        min={0}
        max={200}
        onChange={(value) => set({ min_score: score(value) })}
      />
      <Optional
        label={t("rules.minLead")}
        unit={t("rules.points")}
        value={points(limits.min_lead)}
        first={5}
        min={0}
        max={200}
        onChange={(value) => set({ min_lead: score(value) })}
      />
      <Optional
        label={t("rules.maxEta")}
        unit={t("rules.minutes")}
        value={limits.max_eta_minutes}
        first={45}
        min={1}
        max={10_080}
        onChange={(max_eta_minutes) => set({ max_eta_minutes })}
      />
      <Optional
        label={t("rules.maxLoad")}
        unit="%"
        value={limits.max_load_percent}
        first={90}
        min={1}
        max={1000}
        onChange={(max_load_percent) => set({ max_load_percent })}
      />
    </fieldset>
  );
}

interface OptionalProps {
  readonly label: string;
  readonly unit: string;
  readonly value: number | null;
  readonly first: number;
  readonly min: number;
  readonly max: number;
  readonly onChange: (value: number | null) => void;
}

/** A number that may be asked for or not. */
function Optional({ label, unit, value, first, min, max, onChange }: OptionalProps) {
  const [typed, setTyped] = useState<string | number | null>(null);
  return (
    <div className={css.optional}>
      <Checkbox
        label={label}
        checked={value !== null}
        onChange={(event) => onChange(event.currentTarget.checked ? first : null)}
      />
      {value !== null && (
        <NumberInput
          size="xs"
          aria-label={label}
          min={min}
          max={max}
          clampBehavior="strict"
          suffix={unit === "%" ? "%" : ` ${unit}`}
          value={typed ?? value}
          onChange={(said) => {
            setTyped(said);
            if (said !== "") onChange(Number(said));
          }}
          onBlur={() => setTyped(null)}
        />
      )}
    </div>
  );
}

interface ChipsProps<Value extends string> {
  readonly label: string;
  readonly values: readonly Value[];
  readonly chosen: readonly Value[];
  readonly words: (value: Value) => string;
  readonly onChange: (chosen: Value[]) => void;
}

function Chips<Value extends string>({ label, values, chosen, words, onChange }: ChipsProps<Value>) {
  const id = useId();
  const flip = (value: Value) =>
    onChange(values.filter((one) => (one === value ? !chosen.includes(one) : chosen.includes(one))));
  return (
    <div className={css.chips}>
      <span id={id}>{label}</span>
      {/* biome-ignore lint/a11y/useSemanticElements: a fieldset in a fieldset would repeat the outer legend */}
      <div role="group" aria-labelledby={id}>
        {values.map((value) => (
          <button key={value} type="button" aria-pressed={chosen.includes(value)} onClick={() => flip(value)}>
            {words(value)}
          </button>
        ))}
      </div>
    </div>
  );
}

function InWords({ draft }: { draft: RuleDraft }) {
  const named = useNamed();
  const { t } = named;
  const only = limitWords(draft.limits, draft.treatment, named);
  return (
    <p className={css.words} aria-live="polite">
      {whenWords(draft.conditions, named)}
      {t("rule.comma")}
      <b>{thenWords(draft.treatment, named)}</b>
      {only && `${t("rule.comma")}${only}`}
      {t("rule.stop")}
    </p>
  );
}
