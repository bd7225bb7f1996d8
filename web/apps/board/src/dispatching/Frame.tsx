import type { UseQueryResult } from "@tanstack/react-query";
import { Lock } from "lucide-react";
import type { ReactNode } from "react";
import { useMay } from "../app/pages";
import { useWords } from "../i18n";
import { Failure, Skeleton } from "../ui/Messages";
import css from "./dispatching.module.css";

/** What a part of the page is about, and whether this person may change it. */
export function Lead({ children, aside }: { children: ReactNode; aside?: ReactNode }) {
  return (
    <header className={css.lead}>
      <p>{children}</p>
      {aside}
    </header>
  );
}

export const useMaySet = (): boolean => useMay("settings.manage");

export function OnlyToRead() {
  const { t } = useWords();
  if (useMaySet()) return null;
  return (
    <p className={css.readOnly} role="note">
      <Lock size={14} aria-hidden="true" /> {t("dispatching.readOnly")}
    </p>
  );
}

/** What was asked for, once it is there; what was shown stays when a later look at it fails. */
export function Told<Data>(props: {
  found: UseQueryResult<Data>;
  failed: string;
  height?: number;
  children: (data: Data) => ReactNode;
}) {
  const { found, failed, children } = props;
  if (found.data !== undefined) return children(found.data);
  if (found.error) return <Failure title={failed} problem={found.error} onRetry={() => void found.refetch()} />;
  return (
    <div className={css.skeletons} aria-busy="true">
      <Skeleton height={props.height ?? 120} />
      <Skeleton height={props.height ?? 120} />
    </div>
  );
}

export function Panel(props: { title?: ReactNode; aside?: ReactNode; children: ReactNode; label?: string }) {
  return (
    <section className={css.panel} aria-label={props.label}>
      {props.title && (
        <h2>
          {props.title}
          {props.aside && <span>{props.aside}</span>}
        </h2>
      )}
      {props.children}
    </section>
  );
}

/** Choices of one in a row: days, mostly. */
export function Choice<Value extends string | number>(props: {
  label: string;
  values: readonly Value[];
  value: Value;
  words: (value: Value) => string;
  onChange: (value: Value) => void;
}) {
  return (
    <fieldset className={css.choice} aria-label={props.label}>
      {props.values.map((value) => (
        <button key={value} type="button" aria-pressed={value === props.value} onClick={() => props.onChange(value)}>
          {props.words(value)}
        </button>
      ))}
    </fieldset>
  );
}
