import { answered } from "@callout/api";
import { Button } from "@mantine/core";
import { notifications } from "@mantine/notifications";
import { useQueryClient } from "@tanstack/react-query";
import { Check, Undo2 } from "lucide-react";
import { useState } from "react";
import { useServices } from "../app/services";
import { complain, say } from "../detail/useOrderActions";
import { isKey, type Translate, useWords, wordOf } from "../i18n";
import css from "./inbox.module.css";
import { type Choice, type Item, quicker } from "./queries";

const UNDO_MS = 12_000;

export interface Settling {
  readonly busy: boolean;
  /** Answers whether the server took it. */
  readonly settle: (id: string, choice: Choice, note?: string) => Promise<boolean>;
}

export function useSettle(): Settling {
  const { t } = useWords();
  const { api } = useServices();
  const queries = useQueryClient();
  const [busy, setBusy] = useState(false);

  async function settle(id: string, choice: Choice, note?: string): Promise<boolean> {
    setBusy(true);
    try {
      const params = { path: { item_id: id }, header: { "Idempotency-Key": crypto.randomUUID() } };
      const body = { choice, ...(note && { note }) };
      const item = await answered(api.POST("/api/v1/inbox/{item_id}/settle", { params, body }));
      tell(t, item, choice, () => void settle(id, "undo"));
      return true;
    } catch (problem) {
      const first = quicker(problem);
      if (first) say(t("fail.already", { by: first.by, verdict: wordOf(t, "verdict", first.verdict, isKey) }));
      else complain(t, problem);
      return false;
    } finally {
      setBusy(false);
      void queries.invalidateQueries({ queryKey: ["inbox"] });
    }
  }
  return { busy, settle };
}

function tell(t: Translate, item: Item, choice: Choice, undo: () => void): void {
  if (choice === "annotate") return;
  const message =
    choice === "undo" ? t("done.reopened") : item.state === "open" ? t("done.replayFailed") : settledAs(t, choice);
  // What a replay did has taken effect and can't be called back from here.
  if (choice === "accept_mine" || choice === "accept_theirs" || choice === "discard") offerUndo(t, message, undo);
  else say(message);
}

const settledAs = (t: Translate, choice: Choice) => t("done.settled", { verdict: t(`verdict.${choice}`) });

function offerUndo(t: Translate, message: string, undo: () => void): void {
  const id = notifications.show({
    icon: <Check size={18} aria-hidden="true" />,
    color: "accent",
    autoClose: UNDO_MS,
    withBorder: true,
    closeButtonProps: { "aria-label": t("close") },
    message: (
      <span className={css.undo}>
        {message}
        <Button
          size="compact-sm"
          variant="light"
          leftSection={<Undo2 size={14} />}
          onClick={() => {
            notifications.hide(id);
            undo();
          }}
        >
          {t("verdict.undo")}
        </Button>
      </span>
    ),
  });
}
