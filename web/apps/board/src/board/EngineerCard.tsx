import { X } from "lucide-react";
import { useMemo } from "react";
import { go, showOrder } from "../app/address";
import { useServerNow } from "../app/clock";
import type { Engineer } from "../app/model";
import { useBoard } from "../app/services";
import { useWords } from "../i18n";
import { Marks } from "../running/Marks";
import { ReportMenu } from "../running/ReportMenu";
import { Avatar } from "../ui/Avatar";
import { PriorityMark } from "../ui/Badges";
import { Bar } from "../ui/Messages";
import { StateGlyph } from "../ui/StateGlyph";
import css from "./board.module.css";
import { loadColour, openOrdersOf } from "./crew";
import { EngineerStateLabel, loadShare, Shift } from "./EngineerList";

/** The selected engineer, on the map. */
export function EngineerCard({ id }: { id: string }) {
  const { t, times } = useWords();
  const engineer = useBoard((now) => now.engineers.get(id));
  if (!engineer) return null;
  const load = times.span(engineer.load_minutes * 60);
  const capacity = times.span(engineer.capacity_minutes * 60);
  return (
    <section className={css.card} aria-label={engineer.name} data-testid="engineer-card">
      <header>
        <Avatar name={engineer.name} state={engineer.state} size={38} />
        <div>
          <strong>{engineer.name}</strong>
          <EngineerStateLabel engineer={engineer} />
        </div>
        <ReportMenu engineer={engineer} className={css.close} />
        <button
          type="button"
          className={css.close}
          aria-label={t("engineer.close")}
          onClick={() => go({ engineer: null })}
        >
          <X size={17} />
        </button>
      </header>
      <Marks engineer={engineer.id} />
      <Bar share={loadShare(engineer)} fill={loadColour(loadShare(engineer))} />
      <p className={css.cardFacts}>
        <span>{t("engineer.load", { load, capacity })}</span>
        <Shift engineer={engineer} />
      </p>
      <Fix engineer={engineer} />
      <OpenOrders engineer={engineer} />
    </section>
  );
}

const FRESH_S = 15;

function Fix({ engineer }: { engineer: Engineer }) {
  const { t, times } = useWords();
  const now = useServerNow();
  if (engineer.paused_until && Date.parse(engineer.paused_until) > now) {
    return <p className={css.cardFacts}>{t("engineer.paused", { until: times.clock(engineer.paused_until) })}</p>;
  }
  if (!engineer.fixed_at) return <p className={css.cardFacts}>{t("engineer.noFix")}</p>;
  const age = Math.max(0, (now - Date.parse(engineer.fixed_at)) / 1000);
  const moving = engineer.state === "travelling" && engineer.speed_kmh;
  return (
    <p className={css.cardFacts}>
      <span>{age < FRESH_S ? t("engineer.fixNow") : t("engineer.fix", { ago: times.span(age) })}</span>
      {moving ? <span>{t("engineer.speed", { speed: times.number(moving) })}</span> : null}
    </p>
  );
}

function OpenOrders({ engineer }: { engineer: Engineer }) {
  const { t } = useWords();
  const orders = useBoard((now) => now.orders);
  const open = useMemo(() => openOrdersOf(engineer.id, orders.values()), [engineer.id, orders]);
  return (
    <>
      <h3 className={css.cardTitle}>{t("engineer.orders", { count: open.length })}</h3>
      <ul className={css.cardOrders}>
        {open.map((order) => (
          <li key={order.id}>
            <button type="button" onClick={() => showOrder(order.id)}>
              <StateGlyph state={order.state} size={15} />
              <PriorityMark priority={order.priority} />
              <span>{order.title}</span>
            </button>
          </li>
        ))}
      </ul>
    </>
  );
}
