import type { ServerEvent } from "@callout/api";
import { expect, it } from "vitest";
import { anEngineer, anOrder } from "../app/samples";
import { applied } from "./store";

const told = (name: string, data: unknown): ServerEvent => ({ id: null, name, data: JSON.stringify(data) });

it("shows the news of an order and leaves the engineers' map as it was", () => {
  const order = anOrder();
  const board = { orders: new Map([[order.id, order]]), engineers: new Map(), voided: new Map() };
  const next = applied(board, [told("order", { order: { ...order, state: "triaged", version: 2 } })]);
  expect(next.board.orders.get(order.id)?.state).toBe("triaged");
  expect(next.board.engineers).toBe(board.engineers);
});

it("does not go back when older news come after the answer to an action of one's own", () => {
  const order = anOrder({ state: "dispatched", version: 4 });
  const board = { orders: new Map([[order.id, order]]), engineers: new Map(), voided: new Map() };
  const next = applied(board, [told("order", { order: { ...order, state: "triaged", version: 3 } })]);
  expect(next.board.orders).toBe(board.orders);
  expect([...next.touched]).toEqual([order.id]);
});

it("shows only the last of several fixes of one engineer", () => {
  const engineer = anEngineer();
  const board = { orders: new Map(), engineers: new Map([[engineer.id, engineer]]), voided: new Map() };
  const fix = (lon: number) => told("engineer", { engineer: { ...engineer, place: { lon, lat: 43.7 } } });
  const next = applied(board, [fix(7.41), fix(7.42), fix(7.43)]);
  expect(next.board.engineers.get(engineer.id)?.place?.lon).toBe(7.43);
});

it("names the order that something happened to on a visit", () => {
  const board = { orders: new Map(), engineers: new Map(), voided: new Map() };
  const happened = { name: "visit.arrived", subject_id: "v1", at: "", payload: { work_order_id: "w1" } };
  expect([...applied(board, [told("event", happened)]).touched]).toEqual(["w1"]);
});

it("tells of plans apart from orders", () => {
  const board = { orders: new Map(), engineers: new Map(), voided: new Map() };
  const next = applied(board, [told("event", { name: "plan.ready", subject_id: "p1", at: "", payload: {} })]);
  expect([...next.plans]).toEqual(["p1"]);
  expect(next.touched.size).toBe(0);
});

it("tells of disruptions apart from plans and orders", () => {
  const board = { orders: new Map(), engineers: new Map(), voided: new Map() };
  const next = applied(board, [told("event", { name: "disruption.open", subject_id: "d1", at: "", payload: {} })]);
  expect([...next.disruptions]).toEqual(["d1"]);
  expect(next.plans.size + next.touched.size).toBe(0);
});

it("drops an order that was taken back and shows it again, with the last news of it, once it is restored", () => {
  const order = anOrder();
  const board = { orders: new Map([[order.id, order]]), engineers: new Map(), voided: new Map() };
  const event = (name: string) => told("event", { name, subject_id: order.id, at: "", payload: {} });
  const gone = applied(board, [told("order", { order: { ...order, version: 2 } }), event("work_order.voided")]);
  expect(gone.board.orders.size).toBe(0);
  const late = applied(gone.board, [told("order", { order: { ...order, version: 3 } })]);
  expect(late.board.orders.size).toBe(0);
  const back = applied(late.board, [event("work_order.restored")]);
  expect(back.board.orders.get(order.id)?.version).toBe(3);
});
