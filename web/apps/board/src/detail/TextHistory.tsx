import { useState } from "react";
import { useRevisions } from "../app/queries";
import { localeOf } from "../app/time";
import { isKey, useWords, wordOf } from "../i18n";
import { Marked } from "../ui/Marked";
import { Failure, Skeleton } from "../ui/Messages";
import { compared } from "../ui/words";
import css from "./detail.module.css";

/** Every version of a text, the newest first, with what each changed; fetched when somebody looks. */
export function TextHistory(props: { id: string; field: "description" | "findings"; rev: number }) {
  const { t } = useWords();
  const [open, setOpen] = useState(false);
  if (props.rev < 2) return null;
  return (
    <details className={css.history} onToggle={(event) => setOpen(event.currentTarget.open)}>
      <summary>{t("text.history", { count: props.rev })}</summary>
      {open && <Versions {...props} />}
    </details>
  );
}

function Versions({ id, field }: { id: string; field: "description" | "findings" }) {
  const { t, times, language } = useWords();
  const found = useRevisions(id, field);
  if (found.isPending) return <Skeleton height={60} />;
  if (found.isError) {
    return <Failure title={t("text.failed")} problem={found.error} onRetry={() => void found.refetch()} />;
  }
  const bodies = new Map(found.data.map((one) => [one.rev, one.body]));
  return (
    <ol>
      {found.data.toReversed().map((one) => {
        const before = one.parent === null ? undefined : bodies.get(one.parent);
        const [marked] = compared(one.body, before ?? one.body, localeOf(language));
        return (
          <li key={one.rev}>
            <p className={css.faint}>
              {[one.author_name, times.full(one.at), wordOf(t, "origin", one.origin, isKey)]
                .filter(Boolean)
                .join(" · ")}
            </p>
            <p className={css.description}>{one.body ? <Marked stretches={marked} /> : t("text.nothing")}</p>
          </li>
        );
      })}
    </ol>
  );
}
