import { Button, Modal, SegmentedControl, Select, TextInput } from "@mantine/core";
import { type FormEvent, useMemo, useState } from "react";
import { useServerMinute } from "../app/clock";
import type { Order } from "../app/model";
import { useBoard } from "../app/services";
import { instantOf } from "../app/time";
import { openOrdersOf } from "../board/crew";
import { useWords } from "../i18n";
import { wallClock } from "../timeline/MoveDialog";
import { closeAbove, type Report } from "./asking";
import { isMissable, REPORTED, type Reported } from "./model";
import css from "./running.module.css";
import { type Refusal, type Said, useReports } from "./useReports";

/** What keeps somebody from their work: what, from when until when, and a word why. */
export function ReportDialog({ report }: { report: Report }) {
  const { t } = useWords();
  return (
    <Modal
      opened
      onClose={closeAbove}
      title={t("report.title", { name: report.engineer.name })}
      closeButtonProps={{ "aria-label": t("close") }}
      size={470}
    >
      <Form report={report} />
    </Modal>
  );
}

const MINUTES = [15, 30, 45, 60, 90, 120] as const;
const MOST_LETTERS = 200;

interface Draft {
  readonly kind: Reported;
  /** Wall-clock times, as their fields give them; empty is left to the server. */
  readonly from: string;
  readonly until: string;
  readonly minutes: number;
  readonly order: string | null;
  readonly why: string;
}

/** Visits that somebody could have come to in vain. */
function useMissable(engineer: string): readonly Order[] {
  const orders = useBoard((now) => now.orders);
  return useMemo(
    () =>
      openOrdersOf(engineer, orders.values())
        .filter(isMissable)
        .sort((a, b) => (a.planned_start ?? "").localeCompare(b.planned_start ?? "")),
    [engineer, orders],
  );
}

function Form({ report }: { report: Report }) {
  const { t, timeZone } = useWords();
  const { engineer } = report;
  const now = useServerMinute();
  const { busy, report: tell } = useReports();
  const missable = useMissable(engineer.id);
  const person = useBoard((board) => board.engineers.get(engineer.id));
  const [begun] = useState(() => wallClock(now, timeZone));
  const [ends] = useState(() => {
    const over = person?.shift ? Date.parse(person.shift.ends_at) : 0;
    return over > now ? wallClock(over, timeZone) : "";
  });
  const [draft, setDraft] = useState<Draft>({
    kind: report.kind,
    ...(report.kind === "no_show" ? { from: "", until: "" } : { from: begun, until: ends }),
    minutes: 30,
    order: report.orderId ?? person?.current_order_id ?? missable[0]?.id ?? null,
    why: "",
  });
  const [refusal, setRefusal] = useState<Refusal | null>(null);
  // One key per form, not per click: a report sent twice after a lost answer is told once.
  const [key, setKey] = useState(() => crypto.randomUUID());
  const order = missable.find((one) => one.id === draft.order) ?? null;

  const change = (part: Partial<Draft>) => {
    setDraft({ ...draft, ...part });
    setRefusal(null);
    setKey(crypto.randomUUID());
  };
  const turn = (kind: Reported) => {
    const wish = kind === "no_show";
    change({ kind, ...(wish !== (draft.kind === "no_show") && { from: wish ? "" : begun, until: wish ? "" : ends }) });
  };

  async function submit(event: FormEvent) {
    event.preventDefault();
    const said = saidBy(draft, engineer.id, order, { begun, timeZone });
    if (said === null) return;
    const came = await tell(said, engineer.name, key);
    if (came === "told") closeAbove();
    else setRefusal(came);
  }

  return (
    <form className={css.form} onSubmit={(event) => void submit(event)} data-testid="report">
      <SegmentedControl
        fullWidth
        className={css.kinds ?? ""}
        aria-label={t("report.what")}
        value={draft.kind}
        onChange={(kind) => turn(kind as Reported)}
        data={REPORTED.map((kind) => ({ value: kind, label: t(`report.short.${kind}`) }))}
      />
      <p className={css.meaning}>{t(`report.means.${draft.kind}`)}</p>
      {draft.kind === "no_show" && (
        <Select
          label={t("report.order")}
          required
          disabled={missable.length === 0}
          placeholder={t(missable.length === 0 ? "report.noOrder" : "report.chooseOrder")}
          data={missable.map((one) => ({ value: one.id, label: `#${one.number} ${one.title}` }))}
          value={order?.id ?? null}
          onChange={(chosen) => change({ order: chosen })}
          searchable
        />
      )}
      {draft.kind === "delay" ? (
        <Minutes value={draft.minutes} onChange={(minutes) => change({ minutes })} />
      ) : (
        <Span draft={draft} onChange={change} />
      )}
      <TextInput
        label={t(draft.kind === "breakdown" ? "report.where" : "report.why")}
        placeholder={t(`report.whyHint.${draft.kind}`)}
        maxLength={MOST_LETTERS}
        value={draft.why}
        onChange={(event) => change({ why: event.currentTarget.value })}
        data-autofocus
      />
      {refusal && (
        <p className={css.refusal} role="alert">
          {t(`refusal.${refusal}`, { name: engineer.name })}
          {refusal === "disruption.not_at_work" && (
            <Button size="compact-sm" variant="default" onClick={() => turn("absence")}>
              {t("report.ratherAbsent")}
            </Button>
          )}
        </p>
      )}
      <footer>
        <Button variant="default" onClick={closeAbove}>
          {t("new.cancel")}
        </Button>
        <Button type="submit" loading={busy} disabled={draft.kind === "no_show" && order === null}>
          {t("report.submit")}
        </Button>
      </footer>
    </form>
  );
}

/** From when until when somebody is away; of a customer who was not there, when they would like somebody instead. */
function Span({ draft, onChange }: { draft: Draft; onChange: (part: Partial<Draft>) => void }) {
  const { t } = useWords();
  const wish = draft.kind === "no_show";
  const half = wish && (draft.from === "") !== (draft.until === "");
  const backwards = draft.from !== "" && draft.until !== "" && draft.until <= draft.from;
  return (
    <>
      <div className={css.span}>
        {draft.kind !== "breakdown" && (
          <TextInput
            type="datetime-local"
            label={t(wish ? "report.wishFrom" : "report.from")}
            required={half}
            value={draft.from}
            onChange={(event) => onChange({ from: event.currentTarget.value })}
          />
        )}
        <TextInput
          type="datetime-local"
          label={t(wish ? "report.wishUntil" : "report.until")}
          required={half}
          error={backwards && t("report.backwards")}
          value={draft.until}
          onChange={(event) => onChange({ until: event.currentTarget.value })}
        />
      </div>
      {!wish && draft.until === "" && <p className={css.faint}>{t("report.untilShift")}</p>}
    </>
  );
}

function Minutes({ value, onChange }: { value: number; onChange: (minutes: number) => void }) {
  const { t, times } = useWords();
  return (
    <div role="radiogroup" aria-label={t("report.minutes")}>
      <p className={css.label}>{t("report.minutes")}</p>
      <div className={css.minutes}>
        {MINUTES.map((minutes) => (
          <label key={minutes} data-chosen={minutes === value}>
            <input type="radio" name="minutes" checked={minutes === value} onChange={() => onChange(minutes)} />
            {times.span(minutes * 60)}
          </label>
        ))}
      </div>
    </div>
  );
}

interface Where {
  /** What stood in the field as the form was opened: left as it was, it means now. */
  readonly begun: string;
  readonly timeZone: string;
}

/** What the form says to the server; null while it contradicts itself. */
export function saidBy(draft: Draft, engineer: string, order: Order | null, { begun, timeZone }: Where): Said | null {
  const instant = (clock: string) => instantOf(clock, timeZone).toISOString();
  const why = draft.why.trim();
  const until = draft.until === "" ? {} : { until_at: instant(draft.until) };
  if (draft.kind !== "delay" && draft.from !== "" && draft.until !== "" && draft.until <= draft.from) return null;
  switch (draft.kind) {
    case "absence": {
      const from = draft.from === "" || draft.from === begun ? {} : { from_at: instant(draft.from) };
      return { kind: "absence", body: { engineer_id: engineer, ...from, ...until, why } };
    }
    case "breakdown":
      return { kind: "breakdown", body: { engineer_id: engineer, where: why, ...until } };
    case "delay":
      return { kind: "delay", body: { engineer_id: engineer, minutes: draft.minutes, why } };
    case "no_show": {
      if (order === null || (draft.from === "") !== (draft.until === "")) return null;
      const wish =
        draft.from === "" ? {} : { wish_opens_at: instant(draft.from), wish_closes_at: instant(draft.until) };
      return { kind: "no_show", order, body: { work_order_id: order.id, ...wish, why } };
    }
  }
}
