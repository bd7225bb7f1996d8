import { useMemo } from "react";
import { go } from "../app/address";
import { useWords } from "../i18n";
import { dayOf } from "../timeline/days";
import { Avatar } from "../ui/Avatar";
import { Failure, Skeleton } from "../ui/Messages";
import type { Line, Plan, Tour } from "./model";
import css from "./plans.module.css";
import { useTours } from "./queries";
import { useSpanWords } from "./words";

interface Props {
  readonly plan: Plan;
  readonly lines: readonly Line[];
  readonly engineer: string | null;
}

interface Pair {
  readonly shift: string;
  readonly engineer: string;
  readonly name: string;
  readonly day: string;
  readonly known: Tour | undefined;
  readonly planned: Tour;
}

/** Everybody's day as it is and as it would be, one above the other. */
export function DaysBeside({ plan, lines, engineer }: Props) {
  const { t, timeZone } = useWords();
  const found = useTours(plan.id, true);
  const days = useMemo(() => {
    if (!found.data) return [];
    const known = new Map(found.data.known.map((tour) => [tour.shift_id, tour]));
    const pairs = found.data.tours
      .filter((tour) => engineer === null || tour.engineer_id === engineer)
      .map((planned): Pair => {
        const day = dayOf(Date.parse(planned.leaves_at), timeZone);
        const { shift_id: shift, engineer_id, name } = planned;
        return { shift, engineer: engineer_id, name, day, known: known.get(shift), planned };
      })
      .filter(({ known: was, planned }) => planned.stops.length > 0 || (was?.stops.length ?? 0) > 0)
      .sort((a, b) => a.day.localeCompare(b.day) || a.name.localeCompare(b.name));
    return [...Map.groupBy(pairs, ({ day }) => day)];
  }, [found.data, engineer, timeZone]);
  const byOrder = useMemo(() => new Map(lines.map((line) => [line.work_order_id, line])), [lines]);
  if (found.isError && !found.data) {
    return <Failure title={t("plans.failedOne")} problem={found.error} onRetry={() => void found.refetch()} />;
  }
  if (found.isPending) return <Skeleton height={220} />;
  return (
    <>
      <p className={css.key}>
        {(["assign", "move", "retime", "keep"] as const).map((change) => (
          <span key={change} data-change={change}>
            <i aria-hidden="true" />
            {t(`change.${change}`)}
          </span>
        ))}
      </p>
      {days.map(([day, pairs]) => (
        <Day key={day} pairs={pairs} byOrder={byOrder} named={days.length > 1} />
      ))}
    </>
  );
}

interface Frame {
  readonly from: number;
  readonly until: number;
}

const HOUR_MS = 3_600_000;

/** Whole hours around all tours of a day. */
function frameOf(pairs: readonly Pair[]): Frame {
  const tours = pairs
    .flatMap(({ known, planned }) => [planned, ...(known ? [known] : [])])
    .filter((one) => one.stops.length > 0);
  const from = Math.min(...tours.map((tour) => Date.parse(tour.leaves_at)));
  const until = Math.max(...tours.map((tour) => Date.parse(tour.returns_at)));
  return { from: Math.floor(from / HOUR_MS) * HOUR_MS, until: Math.ceil(until / HOUR_MS) * HOUR_MS };
}

function Day({
  pairs,
  byOrder,
  named,
}: {
  pairs: readonly Pair[];
  byOrder: ReadonlyMap<string, Line>;
  named: boolean;
}) {
  const { t, times } = useWords();
  const spanWords = useSpanWords();
  const frame = frameOf(pairs);
  const hours = (frame.until - frame.from) / HOUR_MS;
  const every = hours > 10 ? 2 : 1;
  const ticks = Array.from({ length: Math.ceil(hours / every) }, (_, at) => frame.from + at * every * HOUR_MS);
  const begins = pairs[0]?.planned.leaves_at ?? "";
  return (
    <section className={css.beside}>
      {named && <h3>{spanWords({ begins, until: begins })}</h3>}
      <div className={css.ticks} aria-hidden="true">
        {ticks.map((at) => (
          <span key={at} style={{ left: `${((at - frame.from) / (frame.until - frame.from)) * 100}%` }}>
            {times.clock(new Date(at))}
          </span>
        ))}
      </div>
      {pairs.map((pair) => (
        <div key={pair.shift} className={css.pair} data-testid="tour">
          <div className={css.pairName}>
            <Avatar name={pair.name} size={24} />
            <span>
              <strong>{pair.name}</strong>
              <small>
                {t("timeline.visits", { visits: pair.planned.stops.filter((it) => it.work_order_id).length })}
              </small>
            </span>
          </div>
          <div className={css.pairTours}>
            <TourLane tour={pair.known} frame={frame} byOrder={byOrder} label={t("plan.before")} old />
            <TourLane tour={pair.planned} frame={frame} byOrder={byOrder} label={t("plan.after")} />
          </div>
        </div>
      ))}
    </section>
  );
}

interface LaneProps {
  readonly tour: Tour | undefined;
  readonly frame: Frame;
  readonly byOrder: ReadonlyMap<string, Line>;
  readonly label: string;
  readonly old?: boolean;
}

function TourLane({ tour, frame, byOrder, label, old = false }: LaneProps) {
  const { t, times } = useWords();
  const share = (at: number) => `${((at - frame.from) / (frame.until - frame.from)) * 100}%`;
  const wide = (from: number, until: number) => `${((until - from) / (frame.until - frame.from)) * 100}%`;
  const stops = tour?.stops ?? [];
  const last = stops.at(-1);
  return (
    <div className={css.tour} data-old={old}>
      <small>{label}</small>
      <div>
        {stops.map((stop) => {
          const [arrives, begins, ends] = [stop.arrives_at, stop.begins_at, stop.ends_at].map(Date.parse) as [
            number,
            number,
            number,
          ];
          const line = stop.work_order_id ? byOrder.get(stop.work_order_id) : undefined;
          const left = arrives - stop.drive_seconds * 1000;
          const what = line ? `#${line.number} ${line.title}` : t("plan.warehouse");
          const title = `${what} · ${times.clock(stop.begins_at)}–${times.clock(stop.ends_at)}`;
          return (
            <span key={stop.arrives_at + (stop.work_order_id ?? "")}>
              {stop.drive_seconds > 0 && (
                <i
                  className={css.leg}
                  style={{ left: share(left), width: wide(left, arrives) }}
                  title={times.span(stop.drive_seconds)}
                />
              )}
              <button
                type="button"
                className={css.stop}
                data-change={line?.change ?? "keep"}
                data-late={stop.late_seconds >= 60}
                style={{ left: share(begins), width: wide(begins, ends) }}
                title={title}
                aria-label={title}
                disabled={!stop.work_order_id}
                onClick={() => stop.work_order_id && go({ order: stop.work_order_id })}
              >
                {line?.number}
              </button>
            </span>
          );
        })}
        {tour?.rests_at && last && (
          <i
            className={css.restMark}
            style={{ left: share(Date.parse(tour.rests_at)) }}
            title={t("plan.restAt", { time: times.clock(tour.rests_at) })}
          />
        )}
        {tour && last && (
          <i
            className={css.leg}
            style={{
              left: share(Date.parse(last.ends_at)),
              width: wide(Date.parse(last.ends_at), Date.parse(tour.returns_at)),
            }}
          />
        )}
      </div>
    </div>
  );
}
