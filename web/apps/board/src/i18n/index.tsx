import { createContext, type ReactNode, use, useEffect, useMemo, useState } from "react";
import { localeOf, type Times, timesFor } from "../app/time";
import { type Language, type MessageKey, type Translate, translatorFor } from "./catalogue";

export { isKey, LANGUAGES, type Language, type MessageKey, type Translate } from "./catalogue";

interface Words {
  readonly language: Language;
  readonly setLanguage: (language: Language) => void;
  readonly t: Translate;
  readonly times: Times;
  readonly timeZone: string;
}

const WordsContext = createContext<Words | null>(null);
const KEY = "callout.language";

function languageIn(tag: string): Language {
  return tag.toLowerCase().startsWith("zh") ? "zh" : "en";
}

function chosenLanguage(): Language | null {
  const chosen = localStorage.getItem(KEY);
  return chosen ? languageIn(chosen) : null;
}

/** `theirs` is the language of whoever is signed in; what was chosen on this machine comes before it. */
export function WordsProvider(props: { theirs: string | null; timeZone: string | null; children: ReactNode }) {
  const [chosen, setLanguage] = useState(chosenLanguage);
  const language = chosen ?? languageIn(props.theirs ?? navigator.language);
  const timeZone = props.timeZone ?? Intl.DateTimeFormat().resolvedOptions().timeZone;
  useEffect(() => {
    document.documentElement.lang = localeOf(language);
  }, [language]);
  const words = useMemo<Words>(
    () => ({
      language,
      setLanguage: (next) => {
        localStorage.setItem(KEY, next);
        setLanguage(next);
      },
      t: translatorFor(language, localeOf(language)),
      times: timesFor(language, timeZone),
      timeZone,
    }),
    [language, timeZone],
  );
  return <WordsContext value={words}>{props.children}</WordsContext>;
}

export function useWords(): Words {
  const words = use(WordsContext);
  if (!words) throw new Error("useWords outside of WordsProvider");
  return words;
}

/** Text that the server sends in both languages, or in one only. */
export type ServerText = string | { readonly [language: string]: unknown };

export function textIn(language: Language, text: ServerText | null | undefined): string {
  if (text === null || text === undefined) return "";
  if (typeof text === "string") return text;
  return String(text[language] ?? text.en ?? Object.values(text)[0] ?? "");
}

/** The message for a word of the server's, or the word itself when this page does not know it yet. */
export function wordOf(t: Translate, group: string, word: string, known: (key: string) => key is MessageKey): string {
  const key = `${group}.${word}`;
  return known(key) ? t(key) : word.replaceAll("_", " ");
}
