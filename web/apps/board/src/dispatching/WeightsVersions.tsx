import { Button } from "@mantine/core";
import { GraduationCap } from "lucide-react";
import { useState } from "react";
import { useServerMinute } from "../app/clock";
import { useWords } from "../i18n";
import css from "./dispatching.module.css";
import { Panel } from "./Frame";
import type { Version, Versions } from "./queries";
import { sharesOf } from "./shares";
import { Composition } from "./WeightsPart";

const FIRST = 5;

/** Every version with who, when and why; an old one can be used again. */
export function WeightsVersions(props: { versions: Versions; onAgain: (version: Version) => void }) {
  const { versions, onAgain } = props;
  const { t } = useWords();
  const [all, setAll] = useState(false);
  const shown = all ? versions.items : versions.items.slice(0, FIRST);
  const hidden = versions.items.length - shown.length;
  return (
    <Panel title={t("weights.versions")} aside={versions.items.length}>
      <ol className={css.versions}>
        {shown.map((one) => (
          <VersionRow key={one.version} version={one} now={one.version === versions.in_force} onAgain={onAgain} />
        ))}
      </ol>
      {hidden > 0 && (
        <Button variant="subtle" size="xs" fullWidth onClick={() => setAll(true)}>
          {t("weights.older", { count: hidden })}
        </Button>
      )}
    </Panel>
  );
}

function VersionRow(props: { version: Version; now: boolean; onAgain: (version: Version) => void }) {
  const { version, now, onAgain } = props;
  const { t, times } = useWords();
  const minute = useServerMinute();
  return (
    <li data-version={version.version}>
      <div className={css.versionHead}>
        <strong>v{version.version}</strong>
        <span>
          {version.created_by_name ?? t("plan.system")} · {times.moment(version.created_at, minute)}
        </span>
        {now && <em>{t("weights.nowInForce")}</em>}
        {!now && (
          <Button size="compact-xs" variant="default" onClick={() => onAgain(version)}>
            {t("weights.again")}
          </Button>
        )}
      </div>
      <p>
        {version.model_id && <GraduationCap size={14} aria-label={t("weights.learnt")} />}
        {version.why ?? t("weights.first")}
      </p>
      <Composition shares={sharesOf(version.weights)} small />
    </li>
  );
}
