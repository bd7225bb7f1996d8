import { Undo2 } from "lucide-react";
import { useMemo } from "react";
import { go, useWhereabouts } from "../app/address";
import { PRIORITIES, type Priority, STAGES, STATES_OF, type Stage } from "../app/model";
import { useBoard } from "../app/services";
import { useWords } from "../i18n";
import { PriorityMark } from "../ui/Badges";
import { StateGlyph } from "../ui/StateGlyph";
import { countOf, countOrders } from "./filter";
import css from "./list.module.css";

const GLYPH_OF = {
  open: "triaged",
  planned: "accepted",
  underway: "working",
  hold: "on_hold",
  confirm: "resolved",
  closed: "closed",
} as const;

export function Filters() {
  const { t } = useWords();
  const { filter } = useWhereabouts();
  const orders = useBoard((now) => now.orders);
  const counts = useMemo(() => countOrders(orders.values()), [orders]);

  const hasStage = (stage: Stage) => STATES_OF[stage].every((state) => filter.states.includes(state));
  const toggleStage = (stage: Stage) => {
    const others = filter.states.filter((state) => !STATES_OF[stage].includes(state));
    go({ filter: { ...filter, states: hasStage(stage) ? others : [...others, ...STATES_OF[stage]] } });
  };
  const togglePriority = (one: Priority) => {
    const on = filter.priorities.includes(one);
    const others = filter.priorities.filter((known) => known !== one);
    go({ filter: { ...filter, priorities: on ? others : [...others, one] } });
  };

  return (
    <>
      <fieldset className={css.chips} aria-label={t("list.filterPriority")}>
        {PRIORITIES.map((one) => (
          <button
            key={one}
            type="button"
            className={css.chip}
            aria-pressed={filter.priorities.includes(one)}
            onClick={() => togglePriority(one)}
          >
            <PriorityMark priority={one} />
            {t(`priority.${one}`)} <b>{counts.priorities[one]}</b>
          </button>
        ))}
      </fieldset>
      <fieldset className={css.chips} aria-label={t("list.filterState")}>
        {STAGES.map((stage) => (
          <button
            key={stage}
            type="button"
            className={css.chip}
            aria-pressed={hasStage(stage)}
            title={t(`stage.${stage}`)}
            onClick={() => toggleStage(stage)}
          >
            <StateGlyph state={GLYPH_OF[stage]} size={14} />
            {t(`stage.${stage}`)} {stage !== "closed" && <b>{countOf(counts, STATES_OF[stage])}</b>}
          </button>
        ))}
        <button
          type="button"
          className={css.chip}
          aria-pressed={filter.voided}
          title={t("list.voidedHint")}
          onClick={() => go({ filter: { ...filter, voided: !filter.voided } })}
        >
          <Undo2 size={14} aria-hidden="true" />
          {t("list.voided")}
        </button>
      </fieldset>
    </>
  );
}
