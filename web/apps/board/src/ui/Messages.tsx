import { ApiProblem, Unreachable } from "@callout/api";
import { Button } from "@mantine/core";
import { CircleAlert, type LucideIcon } from "lucide-react";
import type { ReactNode } from "react";
import { type Translate, useWords } from "../i18n";
import css from "./ui.module.css";

export function Message(props: { icon: LucideIcon; title: string; hint?: string; children?: ReactNode }) {
  const Icon = props.icon;
  return (
    <div className={css.message}>
      <Icon size={30} strokeWidth={1.5} aria-hidden="true" />
      <strong>{props.title}</strong>
      {props.hint && <p>{props.hint}</p>}
      {props.children}
    </div>
  );
}

export function Failure(props: { title: string; problem: unknown; onRetry?: (() => void) | undefined }) {
  const { t } = useWords();
  return (
    <div role="alert">
      <Message icon={CircleAlert} title={props.title} hint={sentenceOf(t, props.problem)}>
        {props.onRetry && (
          <Button variant="default" size="xs" mt={6} onClick={props.onRetry}>
            {t("fail.retry")}
          </Button>
        )}
      </Message>
    </div>
  );
}

/** What went wrong, in the reader's language where the kind of problem is known, else in the server's words. */
export function sentenceOf(t: Translate, problem: unknown): string {
  if (problem instanceof Unreachable) return t("fail.unreachable");
  if (problem instanceof ApiProblem) {
    if (problem.status === 403) return t("fail.forbidden");
    if (problem.status === 404) return t("fail.notFound");
    return problem.detail || t("fail.title");
  }
  return t("fail.title");
}

export function Skeleton(props: { width?: string; height?: number }) {
  return <div className={css.skeleton} style={{ width: props.width ?? "100%", height: props.height ?? 14 }} />;
}

/** A measure beside its own words, so it is not read aloud. */
export function Bar(props: { share: number; fill?: string }) {
  const width = `${Math.round(Math.min(1, Math.max(0, props.share)) * 100)}%`;
  return (
    <span className={css.bar} style={props.fill ? { "--fill": props.fill } : {}} aria-hidden="true">
      <i style={{ width }} />
    </span>
  );
}
