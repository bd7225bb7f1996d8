import { describe, expect, it } from "vitest";
import { compared, type Stretch } from "./words";

const shown = (stretches: readonly Stretch[]) =>
  stretches.map(({ text, same }) => (same ? text : `[${text}]`)).join("");

function both(mine: string, theirs: string, locale = "en-GB") {
  const [a, b] = compared(mine, theirs, locale);
  return [shown(a), shown(b)];
}

describe("two texts compared word by word", () => {
  it("marks the words that differ and leaves the rest", () => {
    expect(both("The pump leaks at night.", "The valve leaks at night.")).toEqual([
      "The [pump] leaks at night.",
      "The [valve] leaks at night.",
    ]);
  });

  it("marks neighbours as one stretch, not in shreds", () => {
    expect(both("Ring the front door", "Ring the side gate")).toEqual([
      "Ring the [front door]",
      "Ring the [side gate]",
    ]);
  });

  it("marks what only one of them has", () => {
    expect(both("Key at reception", "Key at the reception desk")).toEqual([
      "Key at reception",
      "Key at [the ]reception[ desk]",
    ]);
  });

  it("finds Chinese words, which no spaces divide", () => {
    const [mine, theirs] = both("水泵夜间漏水", "阀门夜间漏水", "zh-CN");
    expect(mine).toContain("夜间漏水");
    expect(mine).toMatch(/^\[水泵\]/);
    expect(theirs).toMatch(/^\[阀门\]/);
  });

  it("marks all of texts that have nothing in common, and nothing of equal ones", () => {
    expect(both("one", "two")).toEqual(["[one]", "[two]"]);
    expect(both("same words", "same words")).toEqual(["same words", "same words"]);
    expect(both("", "new")).toEqual(["", "[new]"]);
  });
});
