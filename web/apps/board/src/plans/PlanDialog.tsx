import { Button, Modal, MultiSelect, SegmentedControl, TextInput } from "@mantine/core";
import { Gauge, Hourglass, Zap } from "lucide-react";
import { type FormEvent, useMemo, useState } from "react";
import { go } from "../app/address";
import { useServerMinute } from "../app/clock";
import { useBoard } from "../app/services";
import { useWords } from "../i18n";
import { dayAfter, dayOf, startOf } from "../timeline/days";
import { useTerritories } from "../timeline/queries";
import type { Effort } from "./model";
import css from "./plans.module.css";
import { usePlanActions } from "./usePlanActions";

interface Props {
  readonly opened: boolean;
  /** The day to begin with; null is tomorrow. */
  readonly day: string | null;
  readonly days: number;
  readonly onClose: () => void;
}

/** Asks for a plan: which days, whose, and how long to look. */
export function PlanDialog(props: Props) {
  const { t } = useWords();
  return (
    <Modal
      opened={props.opened}
      onClose={props.onClose}
      title={t("plan.title")}
      closeButtonProps={{ "aria-label": t("close") }}
      size="md"
    >
      <Form {...props} />
    </Modal>
  );
}

const WHEN = ["today", "tomorrow", "other"] as const;
const EFFORTS = ["quick", "normal", "thorough"] as const satisfies readonly Effort[];
const EFFORT_ICONS = { quick: Zap, normal: Gauge, thorough: Hourglass } as const;
const MOST_DAYS = 7;

function Form({ day, days: usual, onClose }: Props) {
  const { t, timeZone } = useWords();
  const now = useServerMinute();
  const today = dayOf(now, timeZone);
  const { request, busy } = usePlanActions();
  const [first, setFirst] = useState(() =>
    day !== null && day >= today ? day : dayAfter(today, day === null ? 1 : 0),
  );
  const [other, setOther] = useState(false);
  const [days, setDays] = useState(usual);
  const [territories, setTerritories] = useState<string[]>([]);
  const [engineers, setEngineers] = useState<string[]>([]);
  const [effort, setEffort] = useState<Effort>("normal");
  // One key per form, not per click: a form sent twice after a lost answer makes one plan.
  const [key] = useState(() => crypto.randomUUID());
  const places = useTerritories();
  const crew = useBoard((board) => board.engineers);
  const people = useMemo(
    () =>
      [...crew.values()]
        .map(({ id, name }) => ({ value: id, label: name }))
        .sort((a, b) => a.label.localeCompare(b.label)),
    [crew],
  );
  const when = other ? "other" : first === today ? "today" : first === dayAfter(today, 1) ? "tomorrow" : "other";

  function choose(next: string): void {
    setOther(next === "other");
    if (next !== "other") setFirst(next === "today" ? today : dayAfter(today, 1));
  }

  async function submit(event: FormEvent) {
    event.preventDefault();
    const begins = new Date(startOf(first, timeZone)).toISOString();
    const until = new Date(startOf(dayAfter(first, days), timeZone)).toISOString();
    const id = await request({ begins, until, territories, engineers, effort }, key);
    if (id === null) return;
    onClose();
    go({ page: "plans", item: id, order: null });
  }

  return (
    <form className={css.form} onSubmit={(event) => void submit(event)}>
      <div>
        <p className={css.label}>{t("plan.day")}</p>
        <div className={css.when}>
          <SegmentedControl
            fullWidth
            aria-label={t("plan.day")}
            value={when}
            onChange={choose}
            data={WHEN.map((value) => ({ value, label: t(`plan.${value}`) }))}
          />
          {when === "other" && (
            <TextInput
              type="date"
              aria-label={t("plan.otherDay")}
              required
              min={today}
              value={first}
              onChange={(event) => event.currentTarget.value && setFirst(event.currentTarget.value)}
            />
          )}
        </div>
      </div>
      <div>
        <p className={css.label}>{t("plan.days")}</p>
        <SegmentedControl
          fullWidth
          aria-label={t("plan.days")}
          value={String(days)}
          onChange={(value) => setDays(Number(value))}
          data={Array.from({ length: MOST_DAYS }, (_, at) => String(at + 1))}
        />
      </div>
      {places.size > 0 && (
        <MultiSelect
          label={t("plan.territories")}
          placeholder={territories.length === 0 ? t("plan.all") : ""}
          data={[...places].map(([value, label]) => ({ value, label }))}
          value={territories}
          onChange={setTerritories}
          clearable
        />
      )}
      <MultiSelect
        label={t("plan.engineers")}
        placeholder={engineers.length === 0 ? t("plan.everybody") : ""}
        data={people}
        value={engineers}
        onChange={setEngineers}
        nothingFoundMessage={t("engineer.noneFound")}
        searchable
        clearable
      />
      <div role="radiogroup" aria-label={t("plan.effort")}>
        <p className={css.label}>{t("plan.effort")}</p>
        <div className={css.efforts}>
          {EFFORTS.map((one) => (
            <EffortChoice key={one} effort={one} chosen={one === effort} onChoose={setEffort} />
          ))}
        </div>
      </div>
      <p className={css.safe}>{t("plan.safe")}</p>
      <footer className={css.foot}>
        <Button variant="default" onClick={onClose}>
          {t("new.cancel")}
        </Button>
        <Button type="submit" loading={busy} data-autofocus>
          {t("plan.submit")}
        </Button>
      </footer>
    </form>
  );
}

function EffortChoice(props: { effort: Effort; chosen: boolean; onChoose: (effort: Effort) => void }) {
  const { t } = useWords();
  const { effort, chosen } = props;
  const Icon = EFFORT_ICONS[effort];
  return (
    <label data-chosen={chosen}>
      <input type="radio" name="effort" checked={chosen} onChange={() => props.onChoose(effort)} />
      <Icon size={17} aria-hidden="true" />
      <span>
        <strong>{t(`effort.${effort}`)}</strong>
        <small>{t(`effort.${effort}Hint`)}</small>
      </span>
    </label>
  );
}
