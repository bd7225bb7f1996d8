import { Button } from "@mantine/core";
import { Wrench, X } from "lucide-react";
import { useState } from "react";
import { useWhereabouts } from "../app/address";
import { usePage } from "../app/pages";
import { useWords } from "../i18n";
import { showPlan } from "./Disturbed";
import { type Waiting, waitingIn } from "./model";
import { useDisruptions } from "./queries";
import css from "./running.module.css";

/** A repair waits for a decision: told calmly, once, where the day is looked at. */
export function RepairNotice() {
  const page = usePage();
  const { item } = useWhereabouts();
  const { data } = useDisruptions();
  const [later, setLater] = useState<string | null>(null);
  const [waiting] = waitingIn(data ?? []);
  const here = page === "board" || page === "timeline" || (page === "plans" && item !== waiting?.planId);
  if (!waiting || !here || later === waiting.planId) return null;
  return <Notice waiting={waiting} onLater={() => setLater(waiting.planId)} />;
}

function Notice({ waiting, onLater }: { waiting: Waiting; onLater: () => void }) {
  const { t } = useWords();
  const who = [...new Map(waiting.mends.map((one) => [`${one.kind} ${one.engineer_id}`, one])).values()];
  const told = who.map((one) => t("cause.of", { what: t(`cause.${one.kind}`), names: one.engineer_name }));
  return (
    <div className={css.notice} role="status" data-testid="repair-notice">
      <Wrench size={16} aria-hidden="true" />
      <p>
        <strong>{t("running.notice", { count: waiting.changes })}</strong>
        <span>{told.join(t("gist.comma"))}</span>
      </p>
      <Button size="compact-sm" onClick={() => showPlan(waiting.planId)}>
        {t("running.look")}
      </Button>
      <button type="button" aria-label={t("running.later")} title={t("running.later")} onClick={onLater}>
        <X size={16} aria-hidden="true" />
      </button>
    </div>
  );
}
