import { AlarmClock } from "lucide-react";
import { useServerNow } from "../app/clock";
import type { Order } from "../app/model";
import { responseDue } from "../app/model";
import { useWords } from "../i18n";
import css from "./ui.module.css";

const SOON_S = 3600;

export type Pressure = "late" | "soon" | "calm";

/** How pressing a promise is that lies `left` seconds ahead. */
export function pressureOf(left: number): Pressure {
  if (left < 0) return "late";
  return left < SOON_S ? "soon" : "calm";
}

export function secondsLeft(order: Pick<Order, "respond_by">, now: number): number {
  return (Date.parse(order.respond_by) - now) / 1000;
}

/** The countdown of the response promise; nothing once somebody is there. */
export function Countdown({ order }: { order: Pick<Order, "respond_by" | "state"> }) {
  const { t, times } = useWords();
  const now = useServerNow();
  if (!responseDue(order.state)) return null;
  const left = secondsLeft(order, now);
  const pressure = pressureOf(left);
  return (
    <span
      className={`${css.promise} ${css[pressure] ?? ""}`}
      title={t("promise.respondBy", { time: times.full(order.respond_by) })}
    >
      {pressure === "late" && <AlarmClock size={13} aria-hidden="true" />}
      {t(pressure === "late" ? "promise.late" : "promise.left", { span: times.span(left) })}
    </span>
  );
}
