import { TriangleAlert } from "lucide-react";
import { useServerMinute } from "../app/clock";
import { useMay } from "../app/pages";
import { useWords } from "../i18n";
import { showDisturbed } from "./asking";
import { isOpen } from "./model";
import { useDisruptions } from "./queries";

/** Opens the list of what is disturbed, with how much of it is open. */
export function DisturbedButton({ className, badge }: { className: string; badge: string | undefined }) {
  const { t } = useWords();
  const may = useMay("visits.dispatch");
  const now = useServerMinute();
  const { data } = useDisruptions();
  const open = (data ?? []).filter((one) => isOpen(one, now)).length;
  if (!may) return null;
  return (
    <button
      type="button"
      className={className}
      title={t("running.title")}
      aria-label={t("running.button", { count: open })}
      data-testid="disturbed"
      onClick={showDisturbed}
    >
      <TriangleAlert size={18} aria-hidden="true" />
      {open > 0 && <span className={badge}>{open}</span>}
    </button>
  );
}
