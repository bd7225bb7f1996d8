import { useClockRate, useServerNow } from "../app/clock";
import { useWords } from "../i18n";
import css from "./board.module.css";

export function ServerClock() {
  const { t, times, timeZone } = useWords();
  const now = useServerNow();
  const rate = Math.round(useClockRate());
  return (
    <time className={css.clock} dateTime={new Date(now).toISOString()} title={t("clock.label", { zone: timeZone })}>
      {times.clockWithSeconds(new Date(now))}
      {rate !== 1 && <small title={t("clock.rate", { rate: times.number(rate) })}>×{times.number(rate)}</small>}
    </time>
  );
}
