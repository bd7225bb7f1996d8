import { ChevronsUp, ChevronUp, Minus } from "lucide-react";
import type { Priority, State } from "../app/model";
import { useWords } from "../i18n";
import { StateGlyph } from "./StateGlyph";
import css from "./ui.module.css";

export function StateBadge({ state }: { state: State }) {
  const { t } = useWords();
  return (
    <span className={css.badge} data-state={state}>
      <StateGlyph state={state} size={14} />
      {t(`state.${state}`)}
    </span>
  );
}

const PRIORITY_ICON = { urgent: ChevronsUp, high: ChevronUp, normal: Minus } as const;

export function PriorityMark({ priority, size = 14 }: { priority: Priority; size?: number }) {
  const Icon = PRIORITY_ICON[priority];
  return (
    <span className={`${css.mark} ${css[priority]}`} aria-hidden="true">
      <Icon size={size} strokeWidth={2.6} />
    </span>
  );
}

export function PriorityBadge({ priority }: { priority: Priority }) {
  const { t } = useWords();
  return (
    <span className={`${css.badge} ${css.priority} ${css[priority]}`}>
      <PriorityMark priority={priority} />
      {t(`priority.${priority}`)}
    </span>
  );
}
