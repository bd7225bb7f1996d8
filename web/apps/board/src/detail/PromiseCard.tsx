import { useServerNow } from "../app/clock";
import { type Order, responseDue } from "../app/model";
import { useWords } from "../i18n";
import { pressureOf, secondsLeft } from "../ui/Promise";
import css from "./detail.module.css";

/** The promise to the customer, counting down while nobody is there yet. */
export function PromiseCard({ order }: { order: Order }) {
  const { t, times } = useWords();
  const now = useServerNow();
  if (!responseDue(order.state)) return null;
  const left = secondsLeft(order, now);
  const pressure = pressureOf(left);
  const whole = (Date.parse(order.respond_by) - Date.parse(order.reported_at)) / 1000;
  const used = Math.min(1, Math.max(0, 1 - left / whole));
  return (
    <div className={css.promise} data-pressure={pressure}>
      <strong className="tabular">
        {t(pressure === "late" ? "promise.late" : "promise.left", { span: times.span(left) })}
      </strong>
      <span className="tabular">{t("promise.respondBy", { time: times.moment(order.respond_by, now) })}</span>
      <i aria-hidden="true">
        <b style={{ width: `${used * 100}%` }} />
      </i>
    </div>
  );
}
