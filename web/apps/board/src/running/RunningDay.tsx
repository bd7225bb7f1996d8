import { useEffect } from "react";
import { useWhereabouts } from "../app/address";
import { closeAbove, useAbove } from "./asking";
import { Disturbed } from "./Disturbed";
import { useLiveDisruptions } from "./queries";
import { ReportDialog } from "./ReportDialog";

/** What the running day shows above any page. It closes when the reader goes elsewhere. */
export function RunningDay() {
  useLiveDisruptions();
  const above = useAbove();
  const { page } = useWhereabouts();
  // biome-ignore lint/correctness/useExhaustiveDependencies: another page is another matter
  useEffect(() => closeAbove, [page]);
  if (above === null) return null;
  return above === "list" ? <Disturbed /> : <ReportDialog key={above.engineer.id + above.kind} report={above} />;
}
