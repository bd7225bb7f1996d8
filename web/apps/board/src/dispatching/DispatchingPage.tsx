import { DoorClosed } from "lucide-react";
import { useEffect, useRef, useState } from "react";
import { go, PARTS, type Part, useWhereabouts } from "../app/address";
import { useMay } from "../app/pages";
import { useNarrow } from "../app/screen";
import { DetailPanel } from "../detail/DetailPanel";
import { useWords } from "../i18n";
import { Message } from "../ui/Messages";
import css from "./dispatching.module.css";
import { LearningPart } from "./LearningPart";
import { PlanningPart, type PolicyDraft } from "./PlanningPart";
import { ResultsPart } from "./ResultsPart";
import { RulesPart } from "./RulesPart";
import { type WeightsDraft, WeightsPart } from "./WeightsPart";

/** How dispatch decides: what counts, what happens by itself, what was learnt, and what came of it. */
export function DispatchingPage() {
  const { t } = useWords();
  const narrow = useNarrow();
  const parts = useParts();
  const { part, order } = useWhereabouts();
  const here = parts.includes(part) ? part : parts[0];
  usePageKeys(parts);
  return (
    <main className={css.page} data-order={order !== null} id="orders">
      {/* Hidden, not gone: what somebody is about to change is still there when the order beside it is closed. */}
      <section className={css.main} aria-label={t("nav.dispatching")} hidden={narrow && order !== null}>
        <Parts parts={parts} here={here} />
        <div className={css.scroller} data-scroller id="part" role="tabpanel" aria-labelledby={`part-${here}`}>
          <div className={css.content}>{here ? <Shown part={here} /> : <Nothing />}</div>
        </div>
      </section>
      {order && <DetailPanel key={order} id={order} onClose={() => go({ order: null })} />}
    </main>
  );
}

function useParts(): readonly Part[] {
  const reports = useMay("reports.read");
  const dispatches = useMay("visits.dispatch");
  return PARTS.filter((part) => (part === "rules" || part === "planning" ? dispatches : reports));
}

function Nothing() {
  const { t } = useWords();
  return <Message icon={DoorClosed} title={t("nav.nothing")} hint={t("nav.nothingHint")} />;
}

function Parts({ parts, here }: { parts: readonly Part[]; here: Part | undefined }) {
  const { t } = useWords();
  const tabs = useRef<HTMLDivElement>(null);
  const show = (part: Part | undefined) => part && go({ part, order: null });
  const move = (by: number) => {
    const at = here ? parts.indexOf(here) : 0;
    const next = parts[(at + by + parts.length) % parts.length];
    show(next);
    tabs.current?.querySelector<HTMLElement>(`#part-${next}`)?.focus();
  };
  return (
    <div className={css.parts} role="tablist" aria-label={t("nav.dispatching")} ref={tabs}>
      {parts.map((part) => (
        <button
          key={part}
          id={`part-${part}`}
          type="button"
          role="tab"
          aria-selected={part === here}
          aria-controls="part"
          tabIndex={part === here ? 0 : -1}
          onClick={() => show(part)}
          onKeyDown={(event) => {
            if (event.key === "ArrowRight") move(1);
            if (event.key === "ArrowLeft") move(-1);
          }}
        >
          {t(`part.${part}`)}
        </button>
      ))}
    </div>
  );
}

/** Digits choose a part; Escape closes the order beside it, and nothing else: there may be something unsaved. */
function usePageKeys(parts: readonly Part[]): void {
  useEffect(() => {
    const pressed = (event: KeyboardEvent) => {
      if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey || inUse(event.target)) return;
      const part = parts[Number(event.key) - 1];
      if (event.key === "Escape") go({ order: null });
      else if (part) go({ part, order: null });
    };
    window.addEventListener("keydown", pressed);
    return () => window.removeEventListener("keydown", pressed);
  }, [parts]);
}

function inUse(target: EventTarget | null): boolean {
  if (document.querySelector("[role=dialog]")) return true;
  return target instanceof Element && target.closest("input, textarea, select, [role=menu]") !== null;
}

/** Drafts stay while the reader looks at another part. */
function Shown({ part }: { part: Part }) {
  const [weights, setWeights] = useState<WeightsDraft | null>(null);
  const [policy, setPolicy] = useState<PolicyDraft | null>(null);
  switch (part) {
    case "weights":
      return <WeightsPart draft={weights} onDraft={setWeights} />;
    case "rules":
      return <RulesPart />;
    case "learning":
      return <LearningPart />;
    case "results":
      return <ResultsPart />;
    case "planning":
      return <PlanningPart draft={policy} onDraft={setPolicy} />;
  }
}
