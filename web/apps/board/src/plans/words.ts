import { useServerMinute } from "../app/clock";
import { useBoard } from "../app/services";
import { localeOf } from "../app/time";
import { isKey, type Translate, useWords, wordOf } from "../i18n";
import { dayOf } from "../timeline/days";
import type { Details, Figures, Plan } from "./model";

const DAY_MS = 86_400_000;

/** The days of a plan in words: "Tomorrow, Mon 23 Nov", "Mon 23 – Wed 25 Nov". */
export function useSpanWords(): (plan: Pick<Plan, "begins" | "until">) => string {
  const { t, language, timeZone } = useWords();
  const now = useServerMinute();
  const day = new Intl.DateTimeFormat(localeOf(language), {
    timeZone,
    weekday: "short",
    day: "numeric",
    month: "short",
  });
  return ({ begins, until }) => {
    const first = Date.parse(begins);
    const last = Math.max(first, Date.parse(until) - 1);
    const name = day.format(first);
    if (dayOf(first, timeZone) !== dayOf(last, timeZone)) return day.formatRange(first, last);
    if (dayOf(first, timeZone) === dayOf(now, timeZone)) return t("plan.todayOf", { day: name });
    if (dayOf(first, timeZone) === dayOf(now + DAY_MS, timeZone)) return t("plan.tomorrowOf", { day: name });
    return name;
  };
}

/** Why a plan failed or was cancelled, in the reader's words where they are known. */
export const whyWords = (t: Translate, why: string): string => {
  const key = `planWhy.${why.replaceAll(" ", "_")}`;
  return isKey(key) ? t(key) : why;
};

/** What a repair mends: what went wrong, and with whom; in the server's own sentence where neither is known. */
export function useCauseWords(): (cause: Plan["cause"]) => string {
  const { t } = useWords();
  const engineers = useBoard((board) => board.engineers);
  return (cause) => {
    const kinds = texts(cause?.kinds).map((kind) => wordOf(t, "cause", kind, isKey));
    const names = texts(cause?.engineers).flatMap((id) => engineers.get(id)?.name ?? []);
    if (kinds.length === 0) return typeof cause?.why === "string" ? cause.why : t("cause.unknown");
    const what = kinds.join(t("gist.comma"));
    return names.length > 0 ? t("cause.of", { what, names: names.join(t("gist.comma")) }) : what;
  };
}

const texts = (told: unknown): string[] =>
  Array.isArray(told) ? told.filter((one): one is string => typeof one === "string") : [];

/** Why an order is left out, and what would be needed. */
export function useReasonWords(): (details: Details) => string {
  const { t, times } = useWords();
  const engineers = useBoard((board) => board.engineers);
  return ({ reason, wouldCost, wouldGo }) => {
    if (reason === null) return t("reason.unknown");
    const words = wordOf(t, "reason", reason, isKey);
    const name = wouldGo ? engineers.get(wouldGo)?.name : undefined;
    if (reason === "costs_more" && name) {
      const span = times.span(wouldCost ?? 0);
      return `${words} ${t(wouldCost ? "reason.nearest" : "reason.nearestOnly", { name, span })}`;
    }
    return name ? `${words} ${t("reason.nearestOnly", { name, span: "" })}` : words;
  };
}

/** A plan in one sentence: what people gain or lose. */
export function useGist(): (before: Figures, after: Figures) => string {
  const { t, times } = useWords();
  return (before, after) => {
    const more = after.visits - before.visits;
    const travel = after.travel_seconds - before.travel_seconds;
    const late = after.late_visits - before.late_visits;
    const span = times.span(travel);
    const parts = [
      more > 0 && t("gist.more", { count: more }),
      more < 0 && t("gist.fewer", { count: -more }),
      Math.abs(travel) >= 60 && t(travel < 0 ? "gist.less" : "gist.farther", { span }),
      late < 0 && t("gist.punctual", { count: -late }),
      late > 0 && t("gist.later", { count: late }),
      after.left_out > 0 && t("gist.leftOut", { count: after.left_out }),
    ].filter((part): part is string => part !== false);
    return parts.length > 0 ? t("gist.all", { parts: parts.join(t("gist.comma")) }) : t("gist.same");
  };
}
