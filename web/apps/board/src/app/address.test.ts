import { expect, it } from "vitest";
import { readAddress, writeAddress } from "./address";

it("leads back to the same view", () => {
  const search = "?pane=engineers&q=lift&state=new+triaged&priority=urgent&voided=1&order=abc&tab=candidates";
  expect(writeAddress(readAddress(search))).toBe(search);
});

it("leads back to an item of another page", () => {
  const search = "?page=inbox&group=stock&item=abc";
  expect(writeAddress(readAddress(search))).toBe(search);
});

it("leads back to the days of the timeline", () => {
  const search = "?page=timeline&day=2026-11-23&days=3";
  expect(writeAddress(readAddress(search))).toBe(search);
  expect(readAddress("?page=timeline&day=tomorrow&days=5")).toMatchObject({ day: null, span: 1 });
});

it("leads back to a part of the page about dispatching", () => {
  const search = "?page=dispatching&part=rules";
  expect(writeAddress(readAddress(search))).toBe(search);
  expect(readAddress("?page=dispatching&part=magic").part).toBe("weights");
});

it("ignores words it does not know", () => {
  const where = readAddress("?pane=moon&state=new+exploded&tab=secrets");
  expect(where.pane).toBe("orders");
  expect(where.filter.states).toEqual(["new"]);
  expect(where.tab).toBe("overview");
});
