import type { Times } from "../app/time";
import { isKey, type Translate, wordOf } from "../i18n";
import type { NewRule, Rule } from "./queries";

type Conditions = Rule["conditions"];
type Limits = Rule["limits"];
export type Treatment = Rule["treatment"];
export type Doing = Treatment["do"];

export const DOINGS = ["assign", "wait", "pool", "never"] as const satisfies readonly Doing[];

/** What a rule's form holds; what is left out asks for nothing. */
export interface RuleDraft {
  readonly name: string;
  readonly active: boolean;
  readonly conditions: Conditions;
  readonly limits: Limits;
  readonly treatment: Treatment;
}

export const EMPTY_RULE: RuleDraft = {
  name: "",
  active: true,
  conditions: {
    priorities: [],
    problem_types: [],
    territories: [],
    channels: [],
    customer_tiers: [],
    hours: null,
    max_minutes_old: null,
  },
  limits: { min_score: null, min_lead: null, max_eta_minutes: null, max_load_percent: null },
  treatment: { do: "wait", minutes: 15 },
};

export const draftOf = ({ name, active, conditions, limits, treatment }: Rule): RuleDraft => ({
  name,
  active,
  conditions,
  limits,
  treatment,
});

export const takesMinutes = (doing: Doing): boolean => doing === "wait" || doing === "pool";
export const takesLimits = (doing: Doing): boolean => doing === "assign" || doing === "wait";

/** The draft as the server takes it: limits only where somebody is sent, minutes only where they are waited for. */
export function requestOf(draft: RuleDraft): NewRule {
  const { treatment } = draft;
  return {
    name: draft.name.trim(),
    active: draft.active,
    conditions: draft.conditions,
    limits: takesLimits(treatment.do) ? draft.limits : {},
    treatment: (takesMinutes(treatment.do)
      ? { do: treatment.do, minutes: treatment.minutes }
      : { do: treatment.do }) as NewRule["treatment"],
  };
}

export type Lack = "name" | "minutes" | "hours";

/** What keeps a draft from being sent. */
export function lacksOf(draft: RuleDraft): readonly Lack[] {
  const { name, treatment, conditions } = draft;
  const { hours } = conditions;
  const lacks: Lack[] = [];
  if (!name.trim()) lacks.push("name");
  if (takesMinutes(treatment.do) && !treatment.minutes) lacks.push("minutes");
  if (hours && (!hours.start || !hours.end || hours.start === hours.end)) lacks.push("hours");
  return lacks;
}

/** What the sentences need to know beyond the words. */
export interface Named {
  readonly t: Translate;
  readonly times: Times;
  readonly territories: ReadonlyMap<string, string>;
  readonly problems: ReadonlyMap<string, string>;
}

/** "When …": what an order must be like. */
export function whenWords(conditions: Conditions, { t, times, territories, problems }: Named): string {
  const either = (words: readonly string[]) => words.join(t("rule.or"));
  const parts: string[] = [];
  const { priorities, problem_types, channels, customer_tiers, hours, max_minutes_old: old } = conditions;
  if (priorities.length > 0) {
    parts.push(t("rule.when.priority", { list: either(priorities.map((one) => t(`priority.${one}`))) }));
  }
  if (problem_types.length > 0) {
    parts.push(t("rule.when.problem", { list: either(problem_types.map((one) => problems.get(one) ?? one)) }));
  }
  if (conditions.territories.length > 0) {
    const names = conditions.territories.map((id) => territories.get(id) ?? t("rule.goneTerritory"));
    parts.push(t("rule.when.territory", { list: either(names) }));
  }
  if (customer_tiers.length > 0) {
    parts.push(t("rule.when.tier", { list: either(customer_tiers.map((one) => wordOf(t, "tier", one, isKey))) }));
  }
  if (channels.length > 0) {
    parts.push(t("rule.when.channel", { list: either(channels.map((one) => wordOf(t, "channel", one, isKey))) }));
  }
  if (hours) parts.push(t("rule.when.hours", { from: hours.start, to: hours.end }));
  if (old) parts.push(t("rule.when.old", { span: times.span(old * 60) }));
  if (parts.length === 0) return t("rule.when.any");
  return t("rule.when.all", { parts: parts.join(t("rule.and")) });
}

/** "Then …": what happens to it. */
export function thenWords(treatment: Treatment, { t, times }: Named): string {
  return t(`rule.then.${treatment.do}`, { span: times.span((treatment.minutes ?? 0) * 60) });
}

/** "But only if …"; null where nothing limits. */
export function limitWords(limits: Limits, treatment: Treatment, { t, times }: Named): string | null {
  if (!takesLimits(treatment.do)) return null;
  const parts: string[] = [];
  if (limits.min_score !== null) parts.push(t("rule.if.score", { points: times.number(limits.min_score * 100) }));
  if (limits.min_lead !== null) parts.push(t("rule.if.lead", { points: times.number(limits.min_lead * 100) }));
  if (limits.max_eta_minutes !== null) {
    parts.push(t("rule.if.eta", { span: times.span(limits.max_eta_minutes * 60) }));
  }
  if (limits.max_load_percent !== null) parts.push(t("rule.if.load", { percent: limits.max_load_percent }));
  return parts.length === 0 ? null : t("rule.if.all", { parts: parts.join(t("rule.and")) });
}

/** A list with one thing taken to another place. */
export function reordered<Item>(items: readonly Item[], from: number, to: number): readonly Item[] {
  const item = items[from];
  if (item === undefined || from === to) return items;
  const rest = items.filter((_, at) => at !== from);
  return [...rest.slice(0, to), item, ...rest.slice(to)];
}
