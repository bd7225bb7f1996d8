import { Button } from "@mantine/core";
import { Plus, Route } from "lucide-react";
import { useEffect, useState } from "react";
import { go, useWhereabouts, whereabouts } from "../app/address";
import { useNarrow } from "../app/screen";
import { DetailPanel } from "../detail/DetailPanel";
import { useWords } from "../i18n";
import { ListFrame } from "../inbox/ListFrame";
import { useListKeys } from "../inbox/useListKeys";
import { Message } from "../ui/Messages";
import { PlanDialog } from "./PlanDialog";
import { PlanLine } from "./PlanLine";
import { PlanView } from "./PlanView";
import css from "./plans.module.css";
import { useLivePlans, usePlans } from "./queries";

/** Plans and what they would change: asked for, looked at, taken or not. */
export function PlansPage() {
  useLivePlans();
  const { t } = useWords();
  const narrow = useNarrow();
  const { item, order } = useWhereabouts();
  const [planning, setPlanning] = useState(false);
  useListKeys([], { p: () => setPlanning(true) });
  useOrderFirst();
  const list = narrow ? item === null && order === null : order === null;
  const view = !narrow || order === null;
  return (
    <main className={css.page} data-list={list} data-order={order !== null} id="orders">
      {list && <PlanList onPlan={() => setPlanning(true)} />}
      {item && view && <PlanView key={item} id={item} onPlan={() => setPlanning(true)} />}
      {!item && !narrow && (
        <div className={css.nothing}>
          <Message icon={Route} title={t("plans.pick")} hint={t("plans.pickHint")} />
        </div>
      )}
      {order && <DetailPanel key={order} id={order} onClose={() => go({ order: null })} />}
      <PlanDialog opened={planning} day={null} days={1} onClose={() => setPlanning(false)} />
    </main>
  );
}

/** Escape closes an order that is open beside the plan first, then the plan. */
function useOrderFirst(): void {
  useEffect(() => {
    const pressed = (event: KeyboardEvent) => {
      if (event.key !== "Escape" || !whereabouts().order || document.querySelector("[role=dialog], [role=menu]"))
        return;
      event.preventDefault();
      go({ order: null });
    };
    window.addEventListener("keydown", pressed, { capture: true });
    return () => window.removeEventListener("keydown", pressed, { capture: true });
  }, []);
}

function PlanList({ onPlan }: { onPlan: () => void }) {
  const { t } = useWords();
  const found = usePlans();
  return (
    <section className={css.list} aria-label={t("nav.plans")}>
      <header className={css.head}>
        <h1>{t("nav.plans")}</h1>
        <Button size="xs" leftSection={<Plus size={15} />} onClick={onPlan} data-testid="new-plan">
          {t("plan.new")}
        </Button>
      </header>
      <ListFrame
        found={found}
        items={found.data?.pages.flatMap((page) => page.items) ?? []}
        failed={t("plans.failed")}
        empty={
          <Message icon={Route} title={t("plans.empty")} hint={t("plans.emptyHint")}>
            <Button size="xs" mt={8} onClick={onPlan}>
              {t("plan.new")}
            </Button>
          </Message>
        }
        line={(plan) => <PlanLine plan={plan} />}
      />
    </section>
  );
}
