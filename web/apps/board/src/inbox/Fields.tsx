import type { Times } from "../app/time";
import { isKey, type Translate, useWords, wordOf } from "../i18n";
import css from "./inbox.module.css";

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i;
const INSTANT = /^\d{4}-\d\d-\d\dT\d\d:\d\d/;

/** Fields whose values are words of ours. */
const WORDS: Readonly<Record<string, string>> = {
  priority: "priority",
  state: "state",
  to: "act",
  hold_reason: "hold",
  field: "field",
  ending: "sign",
};

/** What a record holds, field by field; those that differ from `comparedTo` stand out. Ids are left to the word-for-word. */
export function Fields(props: { of: Record<string, unknown>; comparedTo?: Record<string, unknown> }) {
  const { t, times } = useWords();
  const { of, comparedTo } = props;
  const told = Object.entries(of).filter(([, value]) => !(typeof value === "string" && UUID.test(value)));
  return (
    <dl className={css.fields}>
      {told.map(([name, value]) => (
        <div key={name} data-differs={comparedTo !== undefined && plain(comparedTo[name]) !== plain(value)}>
          <dt>{wordOf(t, "field", name, isKey)}</dt>
          <dd>{written(t, times, name, value)}</dd>
        </div>
      ))}
    </dl>
  );
}

function written(t: Translate, times: Times, name: string, value: unknown): string {
  if (typeof value === "boolean") return t(value ? "check.yes" : "check.no");
  if (typeof value !== "string") return plain(value);
  if (INSTANT.test(value)) return times.full(value);
  const group = WORDS[name];
  return group ? wordOf(t, group, value, isKey) : value;
}

function plain(value: unknown): string {
  if (value === null || value === undefined) return "–";
  return typeof value === "object" ? JSON.stringify(value, null, 1) : String(value);
}
