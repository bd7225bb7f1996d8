import { describe, expect, it } from "vitest";
import type { Order } from "../app/model";
import { anOrder } from "../app/samples";
import { countOf, countOrders, type Filter, NO_FILTER, visibleOrders } from "./filter";

const numbers = (orders: Order[], filter: Partial<Filter> = {}) =>
  visibleOrders(orders, { ...NO_FILTER, ...filter }).map((order) => order.number);

describe("the list of orders", () => {
  it("puts urgent before normal, and the earlier promise first among equals", () => {
    const orders = [
      anOrder({ number: 1, priority: "normal", respond_by: "2026-11-22T08:00:00Z" }),
      anOrder({ number: 2, priority: "urgent", respond_by: "2026-11-22T12:00:00Z" }),
      anOrder({ number: 3, priority: "urgent", respond_by: "2026-11-22T11:00:00Z" }),
      anOrder({ number: 4, priority: "urgent", respond_by: "2026-11-22T10:00:00Z", state: "resolved" }),
    ];
    expect(numbers(orders)).toEqual([3, 2, 1, 4]);
  });

  it("puts those that nobody has reached before those under way", () => {
    const orders = [
      anOrder({ number: 1, state: "working", respond_by: "2026-11-22T08:00:00Z" }),
      anOrder({ number: 2, state: "new", respond_by: "2026-11-22T12:00:00Z" }),
    ];
    expect(numbers(orders)).toEqual([2, 1]);
  });

  it("leaves out what is over unless somebody searches or asks for it", () => {
    const orders = [anOrder({ number: 1 }), anOrder({ number: 2, state: "closed", title: "Lift stuck" })];
    expect(numbers(orders)).toEqual([1]);
    expect(numbers(orders, { text: "lift" })).toEqual([2]);
    expect(numbers(orders, { states: ["closed"] })).toEqual([2]);
  });

  it("finds accented names typed plainly, and numbers", () => {
    const orders = [anOrder({ number: 20431, customer_name: "Hôtel Bellevue" }), anOrder({ number: 7 })];
    expect(numbers(orders, { text: "hotel belle" })).toEqual([20431]);
    expect(numbers(orders, { text: "20431" })).toEqual([20431]);
  });

  it("shows only the priorities asked for", () => {
    const orders = [anOrder({ number: 1, priority: "high" }), anOrder({ number: 2, priority: "normal" })];
    expect(numbers(orders, { priorities: ["high"] })).toEqual([1]);
  });
});

it("counts what is still to be done", () => {
  const counts = countOrders([
    anOrder({ state: "new", priority: "urgent" }),
    anOrder({ state: "triaged" }),
    anOrder({ state: "closed", priority: "urgent" }),
  ]);
  expect(countOf(counts, ["new", "triaged", "reopened"])).toBe(2);
  expect(counts.priorities).toEqual({ urgent: 1, high: 0, normal: 1 });
});
