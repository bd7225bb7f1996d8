import { useEffect, useMemo, useRef, useState } from "react";
import { useWhereabouts } from "../app/address";
import { type Engineer, type Order, type Place, type Route, stageOf } from "../app/model";
import { useRoute } from "../app/queries";
import { useBoard } from "../app/services";
import { type Coordinates, metresBetween, remaining } from "./line";
import { usePreviewedCandidate } from "./preview";

export interface Way {
  readonly line: number[][];
  readonly engineer: Engineer;
  readonly order: Order;
  readonly route: Route;
}

// The contract says GeoJSON and leaves its inside open.
const coordinatesOf = (route: Route): Coordinates => (route.line as { coordinates: Coordinates }).coordinates;

const ARRIVED_M = 30;
const ASK_AGAIN_MS = 8_000;

/** The drive worth drawing now, from where the engineer is; null when there is none. */
export function useWay(): Way | null {
  const pair = usePair();
  const from = pair?.engineer.place ?? null;
  const to = pair?.order.place ?? null;
  const key = pair && `${pair.engineer.id} ${pair.order.id}`;
  const asked = useSlow(key, from);
  const route = useRoute(key, asked, to).data ?? null;
  return useMemo(() => {
    if (!pair || !from || !to || !route || metresBetween(from, to) < ARRIVED_M) return null;
    return {
      line: remaining(coordinatesOf(route), from),
      engineer: pair.engineer,
      order: pair.order,
      route,
    };
  }, [pair, from, to, route]);
}

/** Who drives where: the candidate being compared, else the selected order's engineer, else the selected engineer. */
function usePair(): { engineer: Engineer; order: Order } | null {
  const { order: orderId, engineer: engineerId } = useWhereabouts();
  const candidate = usePreviewedCandidate();
  const chosen = useBoard((now) => (engineerId ? now.engineers.get(engineerId) : undefined));
  const order = useBoard((now) => now.orders.get(orderId ?? chosen?.current_order_id ?? ""));
  const driver = candidate ?? (orderId ? order?.engineer_id : engineerId);
  const engineer = useBoard((now) => (driver ? now.engineers.get(driver) : undefined));
  return useMemo(() => {
    if (!order || !engineer) return null;
    return candidate || isStillToDrive(order) ? { engineer, order } : null;
  }, [order, engineer, candidate]);
}

function isStillToDrive(order: Order): boolean {
  return stageOf(order.state) === "planned" || order.state === "travelling";
}

/** A place that changes at once with its key but else only every few seconds: one question per fix would be too many. */
function useSlow(key: string | null, place: Place | null): Place | null {
  const latest = useRef(place);
  latest.current = place;
  const [held, setHeld] = useState({ key, place });
  useEffect(() => {
    const take = () => setHeld({ key, place: latest.current });
    take();
    const timer = key === null ? undefined : setInterval(take, ASK_AGAIN_MS);
    return () => clearInterval(timer);
  }, [key]);
  return held.key === key ? held.place : place;
}
