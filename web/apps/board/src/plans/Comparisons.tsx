import { ArrowRight } from "lucide-react";
import { useWords } from "../i18n";
import { type Comparison, compare, type FigureName, type Figures } from "./model";
import css from "./plans.module.css";

const SPANS: readonly FigureName[] = ["travel_seconds", "travel_a_visit", "late_seconds", "overtime_seconds"];

/** The figures of the days as they are, and as the plan makes them. */
export function Comparisons({ before, after }: { before: Figures; after: Figures }) {
  const { t } = useWords();
  return (
    <dl className={css.figures} data-testid="figures">
      {compare(before, after).map((one) => (
        <div key={one.name} data-verdict={one.verdict}>
          <dt>{t(`figure.${one.name}`)}</dt>
          <Values {...one} />
        </div>
      ))}
    </dl>
  );
}

function Values({ name, before, after, verdict }: Comparison) {
  const { t, times } = useWords();
  const words = (value: number) => {
    if (SPANS.includes(name)) return times.span(value);
    return name === "travel_metres" ? times.distance(value) : times.number(value);
  };
  const difference = after - before;
  return (
    <dd>
      <span className={css.was}>{words(before)}</span>
      <ArrowRight size={13} aria-label={t("figure.becomes")} />
      <strong>{words(after)}</strong>
      {difference !== 0 && (
        <em data-verdict={verdict}>
          {difference > 0 ? "+" : "−"}
          {words(Math.abs(difference))}
        </em>
      )}
    </dd>
  );
}
