import { Scale } from "lucide-react";
import { useState } from "react";
import { useServerMinute } from "../app/clock";
import { isKey, useWords, wordOf } from "../i18n";
import { Message } from "../ui/Messages";
import css from "./dispatching.module.css";
import { Choice, Lead, Panel, Told } from "./Frame";
import { at, scaleOf, verdictOf } from "./intervals";
import { type Comparison, DAY_MS, type Figure, type Side, useComparison } from "./queries";
import results from "./results.module.css";

const DAYS = [7, 30, 90, 365] as const;
const SIDES = ["system", "manual"] as const;

interface Measure {
  readonly name: "first_time_fix" | "hand_overs" | "satisfaction" | "jobs_per_engineer_day";
  readonly good: "more" | "less";
  readonly scale: readonly [number, number] | null;
}

const MEASURES: readonly Measure[] = [
  { name: "first_time_fix", good: "more", scale: [0, 1] },
  { name: "hand_overs", good: "less", scale: null },
  { name: "satisfaction", good: "more", scale: [1, 5] },
  { name: "jobs_per_engineer_day", good: "more", scale: null },
];

/** What came of the system's choices and of people's, side by side. */
export function ResultsPart() {
  const { t } = useWords();
  const [days, setDays] = useState<number>(30);
  const minute = useServerMinute();
  const [until] = useState(minute + 60_000);
  const found = useComparison(until - days * DAY_MS, until);
  return (
    <>
      <Lead
        aside={
          <Choice
            label={t("results.days")}
            values={DAYS}
            value={days}
            words={(count) => t("dispatching.days", { count })}
            onChange={setDays}
          />
        }
      >
        {t("results.lead")}
      </Lead>
      <Told found={found} failed={t("results.failed")}>
        {(comparison) => (
          <div className={css.fresh} data-stale={found.isPlaceholderData}>
            <Compared comparison={comparison} />
          </div>
        )}
      </Told>
    </>
  );
}

function Compared({ comparison }: { comparison: Comparison }) {
  const { t } = useWords();
  const { system, manual, mixed_days: mixed } = comparison;
  if (system.orders + manual.orders === 0) {
    return (
      <div className={css.panel}>
        <Message icon={Scale} title={t("results.nothing")} hint={t("results.nothingHint")} />
      </div>
    );
  }
  return (
    <>
      <div className={results.sides}>
        <SideCard side={system} name="system" />
        <SideCard side={manual} name="manual" />
      </div>
      <div className={results.measures}>
        {MEASURES.map((measure) => (
          <MeasurePanel key={measure.name} measure={measure} comparison={comparison} />
        ))}
      </div>
      <p className={css.faint}>
        {t("results.caution")} {mixed > 0 && t("results.mixed", { count: mixed })}
      </p>
    </>
  );
}

function SideCard({ side, name }: { side: Side; name: (typeof SIDES)[number] }) {
  const { t, times } = useWords();
  const ways = Object.entries(side.by_how).filter(([, count]) => count > 0);
  return (
    <div className={results.side} data-side={name}>
      <i />
      <div>
        <strong>{t(`results.${name}`)}</strong>
        <span>{t("results.orders", { count: side.orders })}</span>
        <small>
          {ways.length > 0
            ? ways.map(([how, count]) => `${wordOf(t, "how", how, isKey)} ${times.number(count)}`).join(" · ")
            : t(`results.${name}Hint`)}
        </small>
      </div>
    </div>
  );
}

function MeasurePanel({ measure, comparison }: { measure: Measure; comparison: Comparison }) {
  const { t } = useWords();
  const { name, good } = measure;
  const [system, manual] = [comparison.system[name], comparison.manual[name]];
  const scale = scaleOf([system, manual], measure.scale);
  const verdict = verdictOf(system, manual, good);
  return (
    <Panel title={t(`measure.${name}`)} aside={t(`measureGood.${good}`)}>
      <div className={results.plot}>
        {SIDES.map((side) => (
          <Interval key={side} side={side} figure={comparison[side][name]} scale={scale} name={name} />
        ))}
        <ScaleEnds scale={scale} name={name} />
      </div>
      <p className={results.verdict} data-verdict={verdict}>
        {t(`resultVerdict.${verdict}`)}
      </p>
    </Panel>
  );
}

function useFigureWords(name: Measure["name"]): (value: number) => string {
  const { times } = useWords();
  if (name === "first_time_fix") return times.percent;
  return (value) => times.number(value, name === "hand_overs" ? 2 : 1);
}

interface IntervalProps {
  readonly side: (typeof SIDES)[number];
  readonly figure: Figure;
  readonly scale: readonly [number, number];
  readonly name: Measure["name"];
}

/** A figure as a dot on the line of what it may be. */
function Interval({ side, figure, scale, name }: IntervalProps) {
  const { t, times } = useWords();
  const words = useFigureWords(name);
  const { value, low, high, samples } = figure;
  const known = value !== null;
  const range = known && low !== null && high !== null ? { low, high } : null;
  return (
    <div className={results.row} data-side={side}>
      <span>{t(`results.${side}`)}</span>
      <div className={results.track}>
        {range && (
          <i style={{ left: `${at(range.low, scale)}%`, width: `${at(range.high, scale) - at(range.low, scale)}%` }} />
        )}
        {known && <b style={{ left: `${at(value, scale)}%` }} />}
      </div>
      <span>
        <strong>{known ? words(value) : "–"}</strong>
        <small>
          {range && range.low < range.high && `${words(range.low)}–${words(range.high)} · `}
          {t("results.of", { count: samples, number: times.number(samples) })}
        </small>
      </span>
    </div>
  );
}

function ScaleEnds({ scale, name }: { scale: readonly [number, number]; name: Measure["name"] }) {
  const words = useFigureWords(name);
  return (
    <div className={results.row} aria-hidden="true">
      <span />
      <div className={results.ends}>
        <small>{words(scale[0])}</small>
        <small>{words(scale[1])}</small>
      </div>
      <span />
    </div>
  );
}
