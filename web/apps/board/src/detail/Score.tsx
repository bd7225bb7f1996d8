import type { Candidate, Factor } from "../app/model";
import type { Times } from "../app/time";
import { toneOf } from "../dispatching/tones";
import { isKey, type Translate, useWords, wordOf } from "../i18n";
import css from "./detail.module.css";

/** One bar whose parts are the factors' points: how far it reaches is the score. */
export function ScoreBar({ candidate }: { candidate: Candidate }) {
  const { t, times } = useWords();
  return (
    <span className={css.scoreBar} role="img" aria-label={`${t("cand.score")} ${times.number(candidate.score * 100)}`}>
      {weighty(candidate).map((factor) => (
        <i
          key={factor.name}
          title={`${nameOf(t, factor)} ${times.number(factor.weight * factor.value * 100)}`}
          style={{ width: `${factor.weight * factor.value * 100}%`, background: toneOf(factor.name) }}
        />
      ))}
    </span>
  );
}

/** The factors as the bar shows them: the heaviest first. */
const weighty = (candidate: Candidate): Factor[] => [...candidate.factors].sort((a, b) => b.weight - a.weight);

/** What the score has beyond its factors: a very important customer's job counts for more. */
function bonusOf(candidate: Candidate): number {
  return candidate.score - candidate.factors.reduce((sum, factor) => sum + factor.weight * factor.value, 0);
}

const nameOf = (t: Translate, factor: Factor): string => wordOf(t, "factor", factor.name, isKey);

export function Breakdown({ candidate }: { candidate: Candidate }) {
  const { t, times } = useWords();
  return (
    <table className={css.breakdown} aria-label={t("cand.breakdown")}>
      <thead>
        <tr>
          <th>{t("cand.factor")}</th>
          <td />
          <td>
            {t("cand.weight")} × {t("cand.value")}
          </td>
          <td>{t("cand.points")}</td>
        </tr>
      </thead>
      <tbody>
        {weighty(candidate).map((factor) => (
          <tr key={factor.name}>
            <th>
              <i style={{ background: toneOf(factor.name) }} />
              {nameOf(t, factor)}
            </th>
            <td>
              <Raw factor={factor} />
            </td>
            <td>
              {times.percent(factor.weight)} × {times.number(factor.value, 2)}
            </td>
            <td>{times.number(factor.weight * factor.value * 100)}</td>
          </tr>
        ))}
        {bonusOf(candidate) > 0.005 && (
          <tr>
            <th>
              <i />
              {t("cand.bonus")}
            </th>
            <td />
            <td />
            <td>+{times.number(bonusOf(candidate) * 100)}</td>
          </tr>
        )}
      </tbody>
    </table>
  );
}

function Raw({ factor }: { factor: Factor }) {
  const { t, times } = useWords();
  return rawWords(t, times, factor);
}

/** A raw value with its unit in the reader's words. */
function rawWords(t: Translate, times: Times, { raw: value, unit }: Factor): string {
  const signed = (seconds: number) => (seconds < 0 ? "−" : "") + times.span(seconds);
  switch (unit) {
    case "s":
      return signed(value);
    case "min":
      return signed(value * 60);
    case "bool":
      return t(value > 0 ? "unit.yes" : "unit.no");
    case "levels":
      return t("unit.levels", { value: Math.round(value * 10) / 10 });
    case "visits":
      return t("unit.visits", { value });
    case "%":
      return t("unit.percent", { value: times.number(value) });
    case "cost":
      return t("unit.cost", { value: times.number(value) });
    default:
      return t("unit.other", { value: times.number(value, 2), unit });
  }
}
