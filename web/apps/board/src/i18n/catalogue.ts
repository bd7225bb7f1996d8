import { IntlMessageFormat } from "intl-messageformat";
import en from "./en.json";
import zh from "./zh.json";

export type MessageKey = keyof typeof en;
export type Values = Record<string, string | number>;

export const LANGUAGES = ["en", "zh"] as const;
export type Language = (typeof LANGUAGES)[number];

export const CATALOGUES: Record<Language, Record<MessageKey, string>> = { en, zh };

/** Answers the message in ICU syntax filled with `values`. */
export type Translate = (key: MessageKey, values?: Values) => string;

export function translatorFor(language: Language, locale: string): Translate {
  const compiled = new Map<MessageKey, IntlMessageFormat>();
  const messages = CATALOGUES[language];
  return (key, values) => {
    const text = messages[key] ?? key; // a word of a newer server than this page
    if (!text.includes("{")) return text;
    let message = compiled.get(key);
    if (!message) {
      message = new IntlMessageFormat(text, locale, undefined, { ignoreTag: true });
      compiled.set(key, message);
    }
    return String(message.format(values));
  };
}

/** Whether there is a message of this name: for words that come from the server and may be newer than this page. */
export function isKey(key: string): key is MessageKey {
  return Object.hasOwn(en, key);
}
