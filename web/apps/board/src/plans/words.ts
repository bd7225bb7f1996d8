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

/** Why a plan failed, or what a repair mends, in the reader's words where they are known. */
export const whyWords = (t: Translate, why: string): string => {
  const key = `planWhy.${why}`;
  return isKey(key) ? t(key) : why;
};

export function causeWords(t: Translate, cause: Plan["cause"]): string {
  const what = cause?.why ?? cause?.what ?? cause?.code ?? cause?.event;
  return typeof what === "string" ? wordOf(t, "cause", what.replaceAll(".", "_"), isKey) : t("cause.unknown");
}

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
