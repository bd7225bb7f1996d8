import { UserSearch, Users } from "lucide-react";
import { useMemo, useState } from "react";
import { go, useWhereabouts } from "../app/address";
import type { Engineer } from "../app/model";
import { useNarrow } from "../app/screen";
import { useBoard } from "../app/services";
import { useWords } from "../i18n";
import { Mark } from "../running/Marks";
import { useDisturbing } from "../running/queries";
import { Avatar } from "../ui/Avatar";
import { Bar, Message } from "../ui/Messages";
import { loadColour, sortedCrew } from "./crew";
import { fold } from "./filter";
import css from "./list.module.css";
import { SearchField } from "./SearchField";

export function EngineerList() {
  const { t } = useWords();
  const engineers = useBoard((now) => now.engineers);
  const [text, setText] = useState("");
  const shown = useMemo(
    () => sortedCrew(engineers.values()).filter((one) => fold(one.name).includes(fold(text.trim()))),
    [engineers, text],
  );
  return (
    <>
      <div className={css.tools}>
        <SearchField label={t("list.searchEngineers")} value={text} onChange={setText} />
      </div>
      {shown.length === 0 && engineers.size === 0 && (
        <Message icon={Users} title={t("engineer.none")} hint={t("engineer.noneHint")} />
      )}
      {shown.length === 0 && engineers.size > 0 && <Message icon={UserSearch} title={t("engineer.noneFound")} />}
      <div className={css.engineers}>
        {shown.map((engineer) => (
          <EngineerRow key={engineer.id} engineer={engineer} />
        ))}
      </div>
    </>
  );
}

function EngineerRow({ engineer }: { engineer: Engineer }) {
  const { times } = useWords();
  const narrow = useNarrow();
  const { engineer: selected } = useWhereabouts();
  const open = selected === engineer.id;
  const disturbing = useDisturbing(engineer.id);
  const choose = () => go({ engineer: open ? null : engineer.id, ...(narrow && { pane: "map" }) });
  return (
    <button type="button" className={css.engineer} aria-pressed={open} data-testid="engineer-row" onClick={choose}>
      <Avatar name={engineer.name} state={engineer.state} size={34} />
      <span className={css.engineerTop}>
        <strong>{engineer.name}</strong>
        <EngineerStateLabel engineer={engineer} />
      </span>
      <span className={css.engineerLine}>
        {disturbing.length > 0 ? <Mark engineer={engineer.id} /> : <CurrentOrder engineer={engineer} />}
        <Shift engineer={engineer} />
      </span>
      <span className={css.load}>
        <Bar share={loadShare(engineer)} fill={loadColour(loadShare(engineer))} />
        {times.span(engineer.load_minutes * 60)} / {times.span(engineer.capacity_minutes * 60)}
      </span>
    </button>
  );
}

export const loadShare = (engineer: Engineer): number =>
  engineer.capacity_minutes > 0 ? engineer.load_minutes / engineer.capacity_minutes : 1;

export function EngineerStateLabel({ engineer }: { engineer: Engineer }) {
  const { t } = useWords();
  return (
    <span className={css.engineerState} style={{ "--ring": `var(--engineer-${engineer.state})` }}>
      <i aria-hidden="true" />
      {t(`engineer.${engineer.state}`)}
    </span>
  );
}

function CurrentOrder({ engineer }: { engineer: Engineer }) {
  const title = useBoard((now) =>
    engineer.current_order_id ? now.orders.get(engineer.current_order_id)?.title : null,
  );
  return <span>{title ?? ""}</span>;
}

export function Shift({ engineer }: { engineer: Engineer }) {
  const { t, times } = useWords();
  if (!engineer.shift) return <span>{t("engineer.noShift")}</span>;
  const { starts_at, ends_at } = engineer.shift;
  return (
    <span className="tabular">{t("engineer.shift", { from: times.clock(starts_at), to: times.clock(ends_at) })}</span>
  );
}
