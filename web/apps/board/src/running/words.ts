import { useServerMinute } from "../app/clock";
import { useWords } from "../i18n";
import type { Disruption } from "./model";

const AHEAD_MS = 2 * 60_000; // the minute shown here may be a little behind

/** What it is and how long it lasts: "Absent until 17:00". */
export function useDisruptionWords(): (one: Disruption) => string {
  const { t, times } = useWords();
  const now = useServerMinute();
  return (one) => {
    const [from, until] = [Date.parse(one.from_at), Date.parse(one.until_at)];
    const what = t(`cause.${one.kind}`);
    if (one.kind === "no_show" || one.kind === "cancellation") return what;
    const words = { what, from: times.moment(one.from_at, now), until: times.moment(one.until_at, from) };
    if (from >= now + AHEAD_MS) return t("running.fromUntil", words);
    const last = { what, time: times.moment(one.until_at, now) };
    return t(one.kind === "delay" && until > now ? "running.freeAt" : "running.until", last);
  };
}
