import { Button, Checkbox } from "@mantine/core";
import { FlaskConical } from "lucide-react";
import { useState } from "react";
import { showOrder } from "../app/address";
import { useServerMinute } from "../app/clock";
import { useNames } from "../app/queries";
import { isKey, useWords, wordOf } from "../i18n";
import { Message } from "../ui/Messages";
import css from "./dispatching.module.css";
import { Choice, Panel, Told } from "./Frame";
import { percentWords } from "./figures";
import { type Rehearsed, type Rule, useRehearsal } from "./queries";
import rules from "./rules.module.css";

const DAYS = [1, 7, 30] as const;
const FIRST = 12;
const NONE = "none";

/** What the rules would have done with the orders of the last days; it changes nothing. */
export function DryRun({ rules: known }: { rules: readonly Rule[] }) {
  const { t } = useWords();
  const [asked, setAsked] = useState(false);
  const [days, setDays] = useState<number>(7);
  const [all, setAll] = useState(false);
  const versions = known.map((rule) => `${rule.id}.${rule.version}`).join();
  const found = useRehearsal(days, all, versions, asked);
  return (
    <Panel
      title={t("dry.title")}
      aside={
        <Choice
          label={t("dry.days")}
          values={DAYS}
          value={days}
          words={(count) => t("dispatching.days", { count })}
          onChange={setDays}
        />
      }
    >
      <div className={rules.dryHead}>
        <p className={css.faint}>{t("dry.lead")}</p>
        <Checkbox label={t("dry.inactive")} checked={all} onChange={(event) => setAll(event.currentTarget.checked)} />
        {!asked && (
          <Button variant="light" leftSection={<FlaskConical size={16} />} onClick={() => setAsked(true)}>
            {t("dry.run")}
          </Button>
        )}
      </div>
      {asked && (
        <Told found={found} failed={t("dry.failed")} height={60}>
          {(orders) => <Results orders={orders} known={known} />}
        </Told>
      )}
    </Panel>
  );
}

function Results({ orders, known }: { orders: readonly Rehearsed[]; known: readonly Rule[] }) {
  const { t } = useWords();
  const [only, setOnly] = useState<string | null>(null);
  const [most, setMost] = useState(FIRST);
  if (orders.length === 0) {
    return <Message icon={FlaskConical} title={t("dry.nothing")} hint={t("dry.nothingHint")} />;
  }
  const ruleOf = (order: Rehearsed) => order.rule?.id ?? NONE;
  const fitting = orders.filter((order) => only === null || ruleOf(order) === only);
  const shown = fitting.slice(0, most);
  const groups = [...known.map((rule) => ({ id: rule.id, name: rule.name })), { id: NONE, name: t("dry.noRule") }];
  return (
    <>
      <ul className={rules.tallies}>
        {groups.map((group) => {
          const mine = orders.filter((order) => ruleOf(order) === group.id);
          return (
            <li key={group.id}>
              <button
                type="button"
                aria-pressed={only === group.id}
                disabled={mine.length === 0}
                onClick={() => setOnly(only === group.id ? null : group.id)}
              >
                <b>{mine.length}</b>
                <span>{group.name}</span>
                <small>{tallyOf(mine)}</small>
              </button>
            </li>
          );
        })}
      </ul>
      <ul className={rules.rehearsed}>
        {shown.map((order) => (
          <RehearsedRow key={order.work_order_id} order={order} />
        ))}
      </ul>
      {fitting.length > shown.length && (
        <Button variant="subtle" size="xs" fullWidth onClick={() => setMost(most + 50)}>
          {t("replay.more", { count: fitting.length - shown.length })}
        </Button>
      )}
    </>
  );

  function tallyOf(mine: readonly Rehearsed[]): string {
    const counts = new Map<string, number>();
    for (const { rule, outcome } of mine) {
      if (rule === null) continue;
      const word = outcome ?? "unknown";
      counts.set(word, (counts.get(word) ?? 0) + 1);
    }
    return [...counts].map(([word, count]) => `${count} ${wordOf(t, "outcome", word, isKey)}`).join(t("gist.comma"));
  }
}

const TONES: Record<string, string> = {
  assigned: "good",
  pooled: "good",
  limits_not_met: "warn",
  nobody: "bad",
};

function RehearsedRow({ order }: { order: Rehearsed }) {
  const { t, times } = useWords();
  const now = useServerMinute();
  const names = useNames();
  const { rule, outcome, best_id: best, sent_id: sent } = order;
  const sentName = sent && (names.get(sent) ?? t("dry.somebody"));
  const bestName = best && (names.get(best) ?? t("dry.somebody"));
  return (
    <li>
      <button type="button" onClick={() => showOrder(order.work_order_id, "overview")}>
        <span>
          <b>#{order.number}</b> {order.title}
          <small>{times.moment(order.reported_at, now)}</small>
        </span>
        <span>
          {rule ? (
            <em className={css.chip} data-tone={TONES[outcome ?? ""] ?? "same"}>
              {wordOf(t, "outcome", outcome ?? "unknown", isKey)}
            </em>
          ) : (
            <em className={css.chip} data-tone="same">
              {t("dry.noRule")}
            </em>
          )}
          {rule && <small>{rule.name}</small>}
        </span>
        <span>
          <small>
            {order.limits.map((broken) => limitFound(broken)).join(t("gist.comma"))}
            {order.limits.length === 0 && outcome === "assigned" && bestName && t("dry.would", { name: bestName })}
            {order.limits.length === 0 && !rule && !sent && t("dry.waited")}
          </small>
          {sentName && <small>{t(sent === best ? "dry.sentSame" : "dry.sent", { name: sentName })}</small>}
        </span>
      </button>
    </li>
  );

  function limitFound({ limit, allowed, found }: Rehearsed["limits"][number]): string {
    const words = {
      min_score: (value: number) => times.number(value * 100),
      min_lead: (value: number) => times.number(value * 100, 1),
      max_eta_minutes: (value: number) => times.span(value * 60),
      max_load_percent: (value: number) => percentWords(times, value / 100),
    }[limit];
    return t(`limit.${limit}`, { found: words(found), allowed: words(allowed) });
  }
}
