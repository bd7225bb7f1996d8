import { expect, it } from "vitest";
import { anOrder } from "../app/samples";
import { pinsOf } from "./pins";

const elsewhere = { lon: 7.5, lat: 43.8 };

it("stands orders of one door side by side and alone ones in the middle", () => {
  const { features } = pinsOf([anOrder(), anOrder(), anOrder({ place: elsewhere })], null);
  expect(features.map((pin) => pin.properties.offset[0])).toEqual([-9.5, 9.5, 0]);
});

it("says how many more wait where a row would grow too long", () => {
  const { features } = pinsOf(
    Array.from({ length: 9 }, () => anOrder()),
    null,
  );
  expect(features).toHaveLength(4);
  expect(features.at(-1)?.properties.more).toBe("+5");
});

it("always shows the selected order, in front and at the door itself", () => {
  const orders = Array.from({ length: 9 }, () => anOrder());
  const selected = orders[7]?.id ?? "";
  const pin = pinsOf(orders, selected).features.find(({ properties }) => properties.id === selected);
  expect(pin?.properties).toMatchObject({ offset: [0, 0], selected: true, rank: 1_000_000 });
});
