import { Button, Popover, SegmentedControl, Select } from "@mantine/core";
import { ChevronLeft, ChevronRight, Info, Route, Search, X } from "lucide-react";
import { go, SPANS, type Span, useWhereabouts } from "../app/address";
import { useNarrow } from "../app/screen";
import { useWords } from "../i18n";
import { dayAfter } from "./days";
import { Legend } from "./Legend";
import css from "./timeline.module.css";

export const ENGINEER_SEARCH = "timeline-search";

interface Props {
  readonly day: string;
  readonly today: string;
  readonly text: string;
  readonly onText: (text: string) => void;
  readonly territory: string | null;
  readonly onTerritory: (territory: string | null) => void;
  readonly territories: ReadonlyMap<string, string>;
  readonly onPlan: () => void;
}

/** Shows other days; today needs no date in the address. */
export function showDay(day: string, today: string): void {
  go({ day: day === today ? null : day });
}

export function Toolbar(props: Props) {
  const { t } = useWords();
  const narrow = useNarrow();
  return (
    <header className={css.tools}>
      <DaySteps day={props.day} today={props.today} />
      {!narrow && <Spans />}
      <label className={css.search}>
        <Search size={15} aria-hidden="true" />
        <input
          id={ENGINEER_SEARCH}
          type="search"
          value={props.text}
          placeholder={t("timeline.search")}
          aria-label={t("timeline.search")}
          autoComplete="off"
          spellCheck={false}
          onChange={(event) => props.onText(event.target.value)}
          onKeyDown={(event) => {
            if (event.key !== "Escape") return;
            props.onText("");
            event.currentTarget.blur();
          }}
        />
        {props.text && (
          <button type="button" aria-label={t("list.clear")} onClick={() => props.onText("")}>
            <X size={14} />
          </button>
        )}
      </label>
      {props.territories.size > 0 && (
        <Select
          className={css.territory ?? ""}
          size="xs"
          clearable
          aria-label={t("timeline.territory")}
          placeholder={t("timeline.everyTerritory")}
          data={[...props.territories].map(([value, label]) => ({ value, label }))}
          value={props.territory}
          onChange={props.onTerritory}
        />
      )}
      <span className={css.spring} />
      {!narrow && (
        <Popover position="bottom-end" shadow="md" radius={10}>
          <Popover.Target>
            <Button size="xs" variant="subtle" color="gray" leftSection={<Info size={15} />}>
              {t("legend.title")}
            </Button>
          </Popover.Target>
          <Popover.Dropdown>
            <Legend />
          </Popover.Dropdown>
        </Popover>
      )}
      <Button size="xs" variant="light" leftSection={<Route size={15} />} onClick={props.onPlan}>
        {t("plan.new")}
      </Button>
    </header>
  );
}

function DaySteps({ day, today }: { day: string; today: string }) {
  const { t } = useWords();
  const { span } = useWhereabouts();
  return (
    <div className={css.steps}>
      <button type="button" aria-label={t("timeline.earlier")} onClick={() => showDay(dayAfter(day, -span), today)}>
        <ChevronLeft size={17} />
      </button>
      <button type="button" className={css.today} aria-pressed={day === today} onClick={() => showDay(today, today)}>
        {t("timeline.today")}
      </button>
      <button type="button" aria-label={t("timeline.later")} onClick={() => showDay(dayAfter(day, span), today)}>
        <ChevronRight size={17} />
      </button>
      <input
        type="date"
        aria-label={t("timeline.date")}
        value={day}
        onChange={(event) => event.target.value && showDay(event.target.value, today)}
      />
    </div>
  );
}

function Spans() {
  const { t } = useWords();
  const { span } = useWhereabouts();
  return (
    <SegmentedControl
      size="xs"
      aria-label={t("timeline.span")}
      value={String(span)}
      onChange={(next) => go({ span: Number(next) as Span })}
      data={SPANS.map((days) => ({ value: String(days), label: t("timeline.days", { days }) }))}
    />
  );
}
