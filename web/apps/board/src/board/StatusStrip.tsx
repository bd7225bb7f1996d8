import { AlarmClock, Hourglass, Users } from "lucide-react";
import { useMemo } from "react";
import { go, useWhereabouts } from "../app/address";
import { useServerMinute } from "../app/clock";
import { type Order, responseDue, STATES, type State } from "../app/model";
import { useBoard } from "../app/services";
import { useWords } from "../i18n";
import { pressureOf, secondsLeft } from "../ui/Promise";
import { StateGlyph } from "../ui/StateGlyph";
import css from "./board.module.css";
import { countOrders } from "./filter";

export function StatusStrip() {
  return (
    <footer className={css.strip}>
      <StateCounts />
      <Promises />
      <Crew />
    </footer>
  );
}

function StateCounts() {
  const { t } = useWords();
  const { filter } = useWhereabouts();
  const orders = useBoard((now) => now.orders);
  const { states } = useMemo(() => countOrders(orders.values()), [orders]);
  const only = (state: State) => filter.states.length === 1 && filter.states[0] === state;
  return (
    <fieldset className={css.counts} aria-label={t("strip.counts")}>
      {STATES.filter((state) => states[state]).map((state) => (
        <button
          key={state}
          type="button"
          aria-pressed={only(state)}
          onClick={() => go({ pane: "orders", filter: { ...filter, states: only(state) ? [] : [state] } })}
        >
          <StateGlyph state={state} size={14} />
          {t(`state.${state}`)} <b>{states[state]}</b>
        </button>
      ))}
    </fieldset>
  );
}

function Promises() {
  const { t } = useWords();
  const now = useServerMinute();
  const orders = useBoard((board) => board.orders);
  const { late, soon } = useMemo(() => countPromises(orders.values(), now), [orders, now]);
  return (
    <>
      <span className={css.stripFact} data-tone={late > 0 ? "late" : undefined}>
        <AlarmClock size={14} aria-hidden="true" /> {t("strip.overdue", { count: late })}
      </span>
      {soon > 0 && (
        <span className={css.stripFact} data-tone="soon">
          <Hourglass size={14} aria-hidden="true" /> {t("strip.soon", { count: soon })}
        </span>
      )}
    </>
  );
}

export function countPromises(orders: Iterable<Order>, now: number): { late: number; soon: number } {
  const count = { late: 0, soon: 0, calm: 0 };
  for (const order of orders) if (responseDue(order.state)) count[pressureOf(secondsLeft(order, now))] += 1;
  return count;
}

function Crew() {
  const { t } = useWords();
  const engineers = useBoard((now) => now.engineers);
  const onShift = [...engineers.values()].filter((one) => one.state !== "off_shift");
  const free = onShift.filter((one) => one.state === "idle").length;
  return (
    <span className={css.stripFact}>
      <Users size={14} aria-hidden="true" /> {t("strip.crew", { free, onShift: onShift.length })}
    </span>
  );
}
