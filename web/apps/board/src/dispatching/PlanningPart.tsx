import { answered } from "@callout/api";
import { Button, NumberInput, Switch } from "@mantine/core";
import { Undo2 } from "lucide-react";
import { type FormEvent, useState } from "react";
import { PRIORITIES } from "../app/model";
import { useServices } from "../app/services";
import { useChange } from "../detail/useChange";
import { say } from "../detail/useOrderActions";
import { useWords } from "../i18n";
import css from "./dispatching.module.css";
import { Lead, OnlyToRead, Panel, Told, useMaySet } from "./Frame";
import planning from "./planning.module.css";
import { KEYS, type NewPolicy, type Policy, usePolicy } from "./queries";

type Values = Omit<Policy, "version">;

/** What a person is about to put in force, and from which version they began. */
export interface PolicyDraft {
  readonly values: Values;
  readonly from: number;
}

interface DraftProps {
  readonly draft: PolicyDraft | null;
  readonly onDraft: (draft: PolicyDraft | null) => void;
}

/** What plans weigh against what, and what repairs may do by themselves. */
export function PlanningPart({ draft, onDraft }: DraftProps) {
  const { t } = useWords();
  const found = usePolicy();
  return (
    <>
      <Lead>{t("policy.lead")}</Lead>
      <OnlyToRead />
      <Told found={found} failed={t("policy.failed")} height={200}>
        {(policy) => <PolicyForm policy={policy} draft={draft} onDraft={onDraft} />}
      </Told>
    </>
  );
}

const HOUR = 3600;
const MINUTE = 60;

function PolicyForm({ policy, draft, onDraft }: DraftProps & { policy: Policy }) {
  const { t } = useWords();
  const may = useMaySet();
  const { version, ...inForce } = policy;
  const values = draft?.values ?? inForce;
  const changed = draft !== null && JSON.stringify(draft.values) !== JSON.stringify(inForce);
  const set = (part: Partial<Values>) => onDraft({ values: { ...values, ...part }, from: draft?.from ?? version });
  const parts = { values, set, may };
  return (
    <div className={planning.form}>
      <div>
        <Panel title={t("policy.worth")} aside={version === 0 ? t("policy.first") : t("weights.inForce", { version })}>
          <p className={css.faint}>{t("policy.worthHint")}</p>
          <div className={planning.fields}>
            {PRIORITIES.map((priority) => (
              <Field
                key={priority}
                label={t(`priority.${priority}`)}
                unit={t("policy.hours")}
                value={values.worth[priority] / HOUR}
                digits={1}
                max={277}
                may={may}
                onChange={(hours) => set({ worth: { ...values.worth, [priority]: Math.round(hours * HOUR) } })}
              />
            ))}
          </div>
          <div className={planning.fields}>
            <Multiple name="promised" {...parts} min={1} max={100} />
            <Multiple name="booked" {...parts} min={1} max={100} />
            <Multiple name="vip" {...parts} min={1} max={10} digits={2} />
          </div>
        </Panel>
        <Panel title={t("policy.people")}>
          <div className={planning.fields}>
            <Field
              label={t("policy.changed")}
              hint={t("policy.changedHint")}
              unit={t("policy.minutesDriving")}
              value={values.changed / MINUTE}
              digits={1}
              max={16_666}
              may={may}
              onChange={(minutes) => set({ changed: Math.round(minutes * MINUTE) })}
            />
            <Field
              label={t("policy.overtime")}
              hint={t("policy.overtimeHint")}
              unit={t("policy.minutesDriving")}
              value={values.overtime}
              max={1000}
              may={may}
              onChange={(overtime) => set({ overtime })}
            />
            <Field
              label={t("policy.fairness")}
              hint={t("policy.fairnessHint")}
              value={values.fairness}
              max={1000}
              may={may}
              onChange={(fairness) => set({ fairness })}
            />
            <Field
              label={t("policy.away")}
              hint={t("policy.awayHint")}
              unit={t("policy.minutesDriving")}
              value={values.away}
              max={100}
              may={may}
              onChange={(away) => set({ away })}
            />
          </div>
        </Panel>
      </div>
      <div>
        <Panel title={t("policy.late")}>
          <p className={css.faint}>{t("policy.lateHint")}</p>
          <div className={planning.fields}>
            {PRIORITIES.map((priority) => (
              <Field
                key={priority}
                label={t(`priority.${priority}`)}
                unit={t("policy.minutesDriving")}
                value={values.late[priority]}
                max={1_000_000}
                may={may}
                onChange={(late) => set({ late: { ...values.late, [priority]: late } })}
              />
            ))}
          </div>
        </Panel>
        <Panel title={t("policy.limits")}>
          <div className={planning.fields}>
            <Field
              label={t("policy.frozen")}
              hint={t("policy.frozenHint")}
              unit={t("rules.minutes")}
              value={values.frozen}
              max={1440}
              may={may}
              onChange={(frozen) => set({ frozen })}
            />
            <Field
              label={t("policy.loading")}
              hint={t("policy.loadingHint")}
              unit={t("rules.minutes")}
              value={values.loading}
              max={240}
              may={may}
              onChange={(loading) => set({ loading })}
            />
            <Field
              label={t("policy.split")}
              hint={t("policy.splitHint")}
              unit={t("policy.ordersUnit")}
              value={values.split}
              min={20}
              max={2000}
              may={may}
              onChange={(split) => set({ split })}
            />
            <Field
              label={t("policy.caution")}
              hint={t("policy.cautionHint")}
              unit="%"
              value={values.caution_percent}
              max={100}
              may={may}
              onChange={(caution_percent) => set({ caution_percent })}
            />
            <Field
              label={t("policy.delayNotice")}
              hint={t("policy.delayNoticeHint")}
              unit={t("rules.minutes")}
              value={values.delay_notice_minutes}
              min={1}
              max={240}
              may={may}
              onChange={(delay_notice_minutes) => set({ delay_notice_minutes })}
            />
          </div>
        </Panel>
        <Automatic {...parts} />
      </div>
      {changed && draft && may && <SaveBar draft={draft} version={version} onDone={() => onDraft(null)} />}
    </div>
  );
}

interface PartProps {
  readonly values: Values;
  readonly set: (part: Partial<Values>) => void;
  readonly may: boolean;
}

function Automatic({ values, set, may }: PartProps) {
  const { t } = useWords();
  return (
    <Panel title={t("policy.automatic")}>
      <Switch
        label={t("policy.automaticOn")}
        description={t("policy.automaticHint")}
        checked={values.automatic}
        disabled={!may}
        onChange={(event) => set({ automatic: event.currentTarget.checked })}
      />
      <div className={planning.fields}>
        <Field
          label={t("policy.moves")}
          unit={t("policy.visitsUnit")}
          value={values.automatic_moves}
          max={1000}
          may={may && values.automatic}
          onChange={(automatic_moves) => set({ automatic_moves })}
        />
        <Field
          label={t("policy.later")}
          unit={t("rules.minutes")}
          value={values.automatic_later}
          max={1440}
          may={may && values.automatic}
          onChange={(automatic_later) => set({ automatic_later })}
        />
      </div>
    </Panel>
  );
}

function Multiple(
  props: PartProps & { name: "promised" | "booked" | "vip"; min: number; max: number; digits?: number },
) {
  const { name, values, set, may, min, max, digits } = props;
  const { t } = useWords();
  return (
    <Field
      label={t(`policy.${name}`)}
      hint={t(`policy.${name}Hint`)}
      unit="×"
      value={values[name]}
      min={min}
      max={max}
      digits={digits ?? 0}
      may={may}
      onChange={(value) => set({ [name]: value })}
    />
  );
}

interface FieldProps {
  readonly label: string;
  readonly hint?: string;
  readonly unit?: string;
  readonly value: number;
  readonly min?: number;
  readonly max: number;
  readonly digits?: number;
  readonly may: boolean;
  readonly onChange: (value: number) => void;
}

/** A number that is taken while it is typed; an emptied field says what it was when it is left. */
function Field({ label, hint, unit, value, min = 0, max, digits = 0, may, onChange }: FieldProps) {
  const [typed, setTyped] = useState<string | number | null>(null);
  const shown = Math.round(value * 100) / 100;
  return (
    <NumberInput
      label={label}
      description={hint}
      inputWrapperOrder={["label", "input", "description", "error"]}
      min={min}
      max={max}
      decimalScale={digits}
      clampBehavior="strict"
      thousandSeparator
      suffix={unit ? ` ${unit}` : ""}
      disabled={!may}
      value={typed ?? shown}
      onChange={(said) => {
        setTyped(said);
        if (said !== "" && Number(said) >= min) onChange(Number(said));
      }}
      onBlur={() => setTyped(null)}
    />
  );
}

function SaveBar({ draft, version, onDone }: { draft: PolicyDraft; version: number; onDone: () => void }) {
  const { t } = useWords();
  const { api } = useServices();
  const { busy, attempt } = useChange();

  async function save(event: FormEvent) {
    event.preventDefault();
    const body: NewPolicy = { ...draft.values, expected_version: version };
    const made = await attempt(() => answered(api.PUT("/api/v1/planning-policy", { body })), KEYS.policy);
    if (made === null) return;
    say(t("policy.saved", { version: made.version }));
    onDone();
  }
  return (
    <form className={css.saveBar} onSubmit={save}>
      <span className={css.faint}>
        {draft.from === version ? t("policy.fromNext") : t("weights.overtaken", { from: draft.from, now: version })}
      </span>
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
