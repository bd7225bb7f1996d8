import { IntlMessageFormat } from "intl-messageformat";
import { describe, expect, it } from "vitest";
import { CATALOGUES, LANGUAGES, type MessageKey } from "./catalogue";

// Kinds of elements in the parsed message that hold no name.
const LITERAL = 0;
const POUND = 7;

type Element = ReturnType<IntlMessageFormat["getAst"]>[number];

/** Names of the holes of a message, those inside its plural branches too. */
function holesIn(elements: readonly Element[]): string[] {
  return elements.flatMap((element) => {
    if (element.type === LITERAL || element.type === POUND) return [];
    const branches = "options" in element ? Object.values(element.options) : [];
    return [element.value, ...branches.flatMap((branch) => holesIn(branch.value))];
  });
}

function names(text: string, language: string): string[] {
  return [...new Set(holesIn(new IntlMessageFormat(text, language, undefined, { ignoreTag: true }).getAst()))].sort();
}

describe("message catalogues", () => {
  it("have the same keys in every language", () => {
    const [first, ...others] = LANGUAGES.map((language) => Object.keys(CATALOGUES[language]).sort());
    for (const other of others) expect(other).toEqual(first);
  });

  it("are valid ICU messages and never empty", () => {
    for (const language of LANGUAGES) {
      for (const [key, text] of Object.entries(CATALOGUES[language])) {
        expect(text.trim(), key).not.toBe("");
        expect(() => new IntlMessageFormat(text, language, undefined, { ignoreTag: true }), key).not.toThrow();
      }
    }
  });

  it("fill the same holes in every language", () => {
    for (const key of Object.keys(CATALOGUES.en) as MessageKey[]) {
      expect(names(CATALOGUES.zh[key], "zh"), key).toEqual(names(CATALOGUES.en[key], "en"));
    }
  });
});
