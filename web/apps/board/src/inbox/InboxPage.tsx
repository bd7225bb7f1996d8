import { InboxIcon } from "lucide-react";
import { useRef } from "react";
import { type Group, go, useWhereabouts } from "../app/address";
import { useGroup, useGroups } from "../app/pages";
import { useNarrow } from "../app/screen";
import { useWords } from "../i18n";
import { Message } from "../ui/Messages";
import { CaseView } from "./CaseView";
import { DecisionList } from "./DecisionList";
import { DiscrepancyView } from "./DiscrepancyView";
import { FileList } from "./FileList";
import { FileView } from "./FileView";
import css from "./inbox.module.css";
import { countOf, useDiscrepancies, useMissingFiles, useOpenDecisions } from "./queries";
import { StockList } from "./StockList";
import { useListKeys } from "./useListKeys";

/** What waits for somebody: decisions, files that have not come, stock that differs. Each shows only to who may see it. */
export function InboxPage() {
  const { t } = useWords();
  const narrow = useNarrow();
  const group = useGroup();
  const { item: chosen } = useWhereabouts();
  return (
    <main className={css.page}>
      {!(narrow && chosen) && (
        <section className={css.list} aria-label={t("inbox.title")}>
          <Groups />
          <List group={group} />
        </section>
      )}
      {chosen ? (
        <One group={group} id={chosen} key={`${group} ${chosen}`} />
      ) : (
        !narrow && (
          <div className={css.nothing}>
            <Message icon={InboxIcon} title={t("inbox.pick")} hint={t("inbox.pickHint")} />
          </div>
        )
      )}
    </main>
  );
}

function List({ group }: { group: Group }) {
  switch (group) {
    case "decisions":
      return <DecisionList />;
    case "files":
      return <FileList />;
    case "stock":
      return <StockList />;
  }
}

function One({ group, id }: { group: Group; id: string }) {
  switch (group) {
    case "decisions":
      return <CaseView id={id} />;
    case "files":
      return <FileView id={id} />;
    case "stock":
      return <DiscrepancyView id={id} />;
  }
}

function useCounts(): Record<Group, { count: number; more: boolean }> {
  const groups = useGroups();
  const decisions = useOpenDecisions();
  const files = useMissingFiles(groups.includes("files"));
  const stock = useDiscrepancies("open", groups.includes("stock"));
  return { decisions: { count: decisions, more: false }, files: countOf(files.data), stock: countOf(stock.data) };
}

function Groups() {
  const { t } = useWords();
  const groups = useGroups();
  const here = useGroup();
  const counts = useCounts();
  const tabs = useRef<HTMLDivElement>(null);
  const show = (group: Group | undefined) => group && go({ group, item: null });
  const move = (by: number) => {
    const next = groups[(groups.indexOf(here) + by + groups.length) % groups.length];
    show(next);
    tabs.current?.querySelector<HTMLElement>(`#group-${next}`)?.focus();
  };
  useListKeys([], Object.fromEntries(groups.map((group, at) => [String(at + 1), () => show(group)])));
  return (
    <div className={css.groups} role="tablist" aria-label={t("inbox.title")} ref={tabs}>
      {groups.map((group) => (
        <button
          key={group}
          id={`group-${group}`}
          type="button"
          role="tab"
          aria-selected={group === here}
          tabIndex={group === here ? 0 : -1}
          onClick={() => show(group)}
          onKeyDown={(event) => {
            if (event.key === "ArrowRight") move(1);
            if (event.key === "ArrowLeft") move(-1);
          }}
        >
          {t(`group.${group}`)}
          {counts[group].count > 0 && (
            <b>
              {counts[group].count}
              {counts[group].more && "+"}
            </b>
          )}
        </button>
      ))}
    </div>
  );
}
