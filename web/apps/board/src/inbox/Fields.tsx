import css from "./inbox.module.css";

/** What a record holds, field by field; those that differ from `comparedTo` stand out. Longest texts stay readable. */
export function Fields(props: { of: Record<string, unknown>; comparedTo?: Record<string, unknown> }) {
  const { of, comparedTo } = props;
  return (
    <dl className={css.fields}>
      {Object.entries(of).map(([name, value]) => (
        <div key={name} data-differs={comparedTo !== undefined && written(comparedTo[name]) !== written(value)}>
          <dt>{name.replaceAll("_", " ")}</dt>
          <dd>{written(value)}</dd>
        </div>
      ))}
    </dl>
  );
}

function written(value: unknown): string {
  if (value === null || value === undefined) return "–";
  return typeof value === "object" ? JSON.stringify(value, null, 1) : String(value);
}
