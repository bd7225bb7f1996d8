import { Button } from "@mantine/core";
import { useDebouncedValue } from "@mantine/hooks";
import { ArrowRight } from "lucide-react";
import { useState } from "react";
import { showOrder } from "../app/address";
import { useServerMinute } from "../app/clock";
import { useWords } from "../i18n";
import { Failure, Skeleton } from "../ui/Messages";
import css from "./dispatching.module.css";
import { Choice, Panel } from "./Frame";
import { DAY_MS, type Preview, usePreview } from "./queries";
import type { Shares } from "./shares";

const DAYS = [7, 14, 30, 90] as const;
const SETTLED_MS = 500;
const MINUTE_MS = 60_000;

/** What other weights would have made of past decisions; `shares` null while none are tried. */
export function WeightsReplay({ shares }: { shares: Shares | null }) {
  const { t } = useWords();
  const [days, setDays] = useState<number>(14);
  const [settled] = useDebouncedValue(shares, SETTLED_MS);
  const minute = useServerMinute();
  const [until] = useState(minute + MINUTE_MS);
  const found = usePreview(settled, until - days * DAY_MS, until);
  return (
    <Panel
      title={t("replay.title")}
      aside={
        <Choice
          label={t("replay.days")}
          values={DAYS}
          value={days}
          words={(count) => t("dispatching.days", { count })}
          onChange={setDays}
        />
      }
    >
      {shares === null && <p className={css.faint}>{t("replay.none")}</p>}
      {shares !== null && found.isError && (
        <Failure title={t("replay.failed")} problem={found.error} onRetry={() => void found.refetch()} />
      )}
      {shares !== null && !found.isError && found.data && (
        <div className={css.fresh} data-stale={found.isPlaceholderData || settled !== shares} aria-live="polite">
          <Replayed preview={found.data} />
        </div>
      )}
      {shares !== null && !found.isError && !found.data && <Skeleton height={150} />}
    </Panel>
  );
}

function Replayed({ preview }: { preview: Preview }) {
  const { t } = useWords();
  if (preview.decisions === 0) return <p className={css.faint}>{t("replay.nothing")}</p>;
  return (
    <>
      <p className={css.verdict}>
        {t("replay.changes", { changes: preview.changes.length, decisions: preview.decisions })}
      </p>
      <Figures preview={preview} />
      {preview.left_out > 0 && <p className={css.faint}>{t("replay.leftOut", { count: preview.left_out })}</p>}
      <Changes preview={preview} />
    </>
  );
}

type Good = "less" | "more";

function Figures({ preview }: { preview: Preview }) {
  const { t, times } = useWords();
  const { before, after, decisions } = preview;
  const span = (seconds: number) => (seconds < 0 ? "−" : "") + times.span(seconds);
  return (
    <table className={css.figures}>
      <thead>
        <tr>
          <td />
          <th>{t("replay.before")}</th>
          <th>{t("replay.after")}</th>
          <th>{t("replay.difference")}</th>
        </tr>
      </thead>
      <tbody>
        <FigureRow
          name={t("replay.agreed")}
          before={before.agreed / decisions}
          after={after.agreed / decisions}
          words={times.percent}
          good="more"
        />
        <FigureRow
          name={t("replay.eta")}
          before={before.mean_eta_seconds}
          after={after.mean_eta_seconds}
          words={span}
          good="less"
        />
        <FigureRow
          name={t("replay.slack")}
          before={before.mean_sla_slack_seconds}
          after={after.mean_sla_slack_seconds}
          words={span}
          good="more"
        />
        <FigureRow
          name={t("replay.spread")}
          before={before.load_spread_minutes}
          after={after.load_spread_minutes}
          words={(minutes) => span(minutes * 60)}
          good="less"
        />
      </tbody>
    </table>
  );
}

interface FigureProps {
  readonly name: string;
  readonly before: number | null;
  readonly after: number | null;
  readonly words: (value: number) => string;
  readonly good: Good;
}

function FigureRow({ name, before, after, words, good }: FigureProps) {
  const known = before !== null && after !== null;
  const gap = known ? after - before : 0;
  const sign = gap > 0 ? "+" : "−";
  const same = known && words(Math.abs(gap)) === words(0);
  const tone = !known || same ? "same" : gap > 0 === (good === "more") ? "good" : "bad";
  return (
    <tr>
      <th>{name}</th>
      <td>{before === null ? "–" : words(before)}</td>
      <td>{after === null ? "–" : words(after)}</td>
      <td data-tone={tone}>{!known ? "–" : same ? "=" : `${sign}${words(Math.abs(gap))}`}</td>
    </tr>
  );
}

const FIRST = 6;

function Changes({ preview }: { preview: Preview }) {
  const { t, times } = useWords();
  const now = useServerMinute();
  const [all, setAll] = useState(false);
  const shown = all ? preview.changes : preview.changes.slice(0, FIRST);
  const hidden = preview.changes.length - shown.length;
  if (preview.changes.length === 0) return null;
  return (
    <>
      <ul className={css.changes}>
        {shown.map((one) => (
          <li key={`${one.work_order_id}-${one.decided_at}`}>
            <button type="button" onClick={() => showOrder(one.work_order_id, "overview")}>
              <b>#{one.number}</b>
              <span>
                {one.before_name} <ArrowRight size={13} aria-label={t("figure.becomes")} /> <b>{one.after_name}</b>
              </span>
              <small>
                {times.moment(one.decided_at, now)} · {chosenWords(one)}
              </small>
            </button>
          </li>
        ))}
      </ul>
      {hidden > 0 && (
        <Button variant="subtle" size="xs" fullWidth onClick={() => setAll(true)}>
          {t("replay.more", { count: hidden })}
        </Button>
      )}
    </>
  );

  function chosenWords(one: Preview["changes"][number]): string {
    if (one.chosen_id === one.after_id) return t("replay.choseAfter", { name: one.chosen_name });
    if (one.chosen_id === one.before_id) return t("replay.choseBefore", { name: one.chosen_name });
    return t("replay.choseOther", { name: one.chosen_name });
  }
}
