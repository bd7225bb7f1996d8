import { IntlMessageFormat } from "intl-messageformat";
import { describe, expect, it } from "vitest";
import { CATALOGUES, LANGUAGES, type MessageKey } from "./catalogue";

const holes = (text: string) => [...text.matchAll(/\{(\w+)/g)].map(([, name]) => name ?? "");
const PLURAL_WORDS = new Set(["one", "other", "No", "none", "no"]);
const names = (text: string) => [...new Set(holes(text))].filter((name) => !PLURAL_WORDS.has(name)).sort();

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
      const english = names(CATALOGUES.en[key]).filter((name) => !/^\d/.test(name));
      expect(names(CATALOGUES.zh[key]), key).toEqual(english);
    }
  });
});
