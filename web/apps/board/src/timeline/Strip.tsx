import { Button } from "@mantine/core";
import { Check, Undo2, X } from "lucide-react";
import { useEffect, useEffectEvent } from "react";
import { useWords } from "../i18n";
import css from "./timeline.module.css";
import type { Done } from "./useMoves";

const SHOWN_MS = 20_000;

/** What was just done, and the way back. It stays until the next move, or until there was time enough to think. */
export function Strip({ done, onClose }: { done: Done | null; onClose: () => void }) {
  const { t } = useWords();
  const close = useEffectEvent(onClose);
  const key = done?.key;
  useEffect(() => {
    if (key === undefined) return;
    const timer = setTimeout(close, SHOWN_MS);
    return () => clearTimeout(timer);
  }, [key]);
  return (
    <div className={css.stripPlace} role="status">
      {done && (
        <div className={css.strip} data-testid="move-strip">
          <Check size={17} aria-hidden="true" />
          <span>{done.message}</span>
          {done.undo && (
            <Button size="compact-sm" variant="white" leftSection={<Undo2 size={14} />} onClick={done.undo}>
              {t("done.undo")}
            </Button>
          )}
          <button type="button" aria-label={t("close")} onClick={onClose}>
            <X size={15} />
          </button>
        </div>
      )}
    </div>
  );
}
