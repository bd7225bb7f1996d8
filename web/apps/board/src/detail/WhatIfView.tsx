import { CarFront, CircleAlert, CircleCheck, Clock3, TimerReset } from "lucide-react";
import { useServerMinute } from "../app/clock";
import type { Order } from "../app/model";
import { useSkillNames } from "../app/queries";
import { useWords } from "../i18n";
import { Failure, Skeleton } from "../ui/Messages";
import { useWhatIf, type WhatIf } from "./arranging";
import css from "./arranging.module.css";
import { brokenWords } from "./broken";
import { Line, OrderName } from "./EffectLine";
import { delaysOf } from "./foresight";

const SOON_S = 60;

/** What giving the order to somebody would mean for their day, and for the day it would be taken from. */
export function WhatIfView({ order, engineer, name }: { order: Order; engineer: string; name: string }) {
  const { t } = useWords();
  const found = useWhatIf(order.id, engineer, true);
  return (
    <div className={css.whatIf} aria-live="polite" data-testid="what-if">
      {found.isPending && <Skeleton height={40} />}
      {found.isError && (
        <Failure title={t("whatIf.failed")} problem={found.error} onRetry={() => void found.refetch()} />
      )}
      {found.data && <Meant found={found.data} order={order} name={name} />}
    </div>
  );
}

function Meant({ found, order, name }: { found: WhatIf; order: Order; name: string }) {
  const { t, times } = useWords();
  const now = useServerMinute();
  const skills = useSkillNames();
  const { tour, taken_from: from, broken, start, end } = found;
  const delays = tour ? delaysOf(tour.before, tour.after, order.id) : [];
  const late = tour?.late.filter((one) => one.work_order_id !== order.id) ?? [];
  const fine = tour !== null && delays.length === 0 && late.length === 0 && broken.length === 0;
  return (
    <ul>
      {start && end && (
        <Line icon={Clock3}>{t("whatIf.when", { from: times.moment(start, now), to: times.clock(end) })}</Line>
      )}
      {tour && (
        <Line icon={CarFront}>
          {drivingWords(tour.extra_seconds, tour.extra_metres)}
          {tour.extra_overtime_seconds >= SOON_S &&
            `${t("gist.comma")}${t("whatIf.overtime", { span: times.span(tour.extra_overtime_seconds) })}`}
        </Line>
      )}
      {from && (
        <Line icon={CarFront}>
          {t("whatIf.takenFrom", { name: from.after.name })} {drivingWords(from.extra_seconds, from.extra_metres)}
        </Line>
      )}
      {delays.map((delay) => (
        <Line key={delay.orderId} icon={TimerReset} tone="warn">
          <OrderName id={delay.orderId} /> {t("whatIf.later", { span: times.span(delay.seconds) })}
        </Line>
      ))}
      {late.map((one) => (
        <Line key={`${one.work_order_id}-${one.of}`} icon={CircleAlert} tone="bad">
          <OrderName id={one.work_order_id} />{" "}
          {t(one.of === "window" ? "whatIf.lateWindow" : "whatIf.latePromise", { span: times.span(one.seconds) })}
          {one.before_seconds > 0 && ` ${t("whatIf.before", { span: times.span(one.before_seconds) })}`}
        </Line>
      ))}
      {broken.map((one) => (
        <Line key={one.sentence} icon={CircleAlert} tone="bad">
          {brokenWords(one, { t, times, now, name, skills })}
        </Line>
      ))}
      {fine && (
        <Line icon={CircleCheck}>
          <b>{t("whatIf.fine")}</b>
        </Line>
      )}
    </ul>
  );

  function drivingWords(seconds: number, metres: number): string {
    if (Math.abs(seconds) < SOON_S) return t("whatIf.sameDriving");
    const words = { span: times.span(seconds), distance: times.distance(Math.abs(metres)) };
    return t(seconds > 0 ? "whatIf.more" : "whatIf.less", words);
  }
}
