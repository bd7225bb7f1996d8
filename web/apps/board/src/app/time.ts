import type { Language } from "../i18n/catalogue";

const LOCALES: Record<Language, string> = { en: "en-GB", zh: "zh-CN" };

export const localeOf = (language: Language): string => LOCALES[language];

const MINUTE = 60;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

/** Writes instants and spans in the reader's language and the organisation's time zone. */
export interface Times {
  readonly clock: (at: Date | string) => string;
  readonly clockWithSeconds: (at: Date | string) => string;
  /** The time alone on the same day as `now`, else with the date. */
  readonly moment: (at: Date | string, now: number) => string;
  readonly full: (at: Date | string) => string;
  readonly date: (at: Date | string) => string;
  /** Two units at most: `1h 12m`, `3d 4h`, `40s`. Rounds down; the sign is dropped. */
  readonly span: (seconds: number) => string;
  readonly distance: (metres: number) => string;
  readonly number: (value: number, digits?: number) => string;
  readonly money: (minor: number, currency: string) => string;
  readonly percent: (share: number) => string;
}

export function timesFor(language: Language, timeZone: string): Times {
  const locale = localeOf(language);
  const format = (options: Intl.DateTimeFormatOptions) => new Intl.DateTimeFormat(locale, { timeZone, ...options });
  const clock = format({ hour: "2-digit", minute: "2-digit" });
  const seconds = format({ hour: "2-digit", minute: "2-digit", second: "2-digit" });
  const day = format({ day: "numeric", month: "short" });
  const dayAndClock = format({ day: "numeric", month: "short", hour: "2-digit", minute: "2-digit" });
  const full = format({ dateStyle: "medium", timeStyle: "medium" });
  const date = format({ dateStyle: "medium" });
  const asDate = (at: Date | string) => (typeof at === "string" ? new Date(at) : at);
  return {
    clock: (at) => clock.format(asDate(at)),
    clockWithSeconds: (at) => seconds.format(asDate(at)),
    moment: (at, now) => (day.format(asDate(at)) === day.format(now) ? clock : dayAndClock).format(asDate(at)),
    full: (at) => full.format(asDate(at)),
    date: (at) => date.format(asDate(at)),
    span: spanIn(locale),
    distance: distanceIn(locale),
    number: (value, digits = 0) => value.toLocaleString(locale, { maximumFractionDigits: digits }),
    money: (minor, currency) => moneyIn(locale, minor, currency),
    percent: (share) => share.toLocaleString(locale, { style: "percent", maximumFractionDigits: 0 }),
  };
}

function spanIn(locale: string): (seconds: number) => string {
  const unit = (name: "day" | "hour" | "minute" | "second") =>
    new Intl.NumberFormat(locale, { style: "unit", unit: name, unitDisplay: "narrow" });
  const [days, hours, minutes, seconds] = [unit("day"), unit("hour"), unit("minute"), unit("second")];
  return (signed) => {
    const span = Math.floor(Math.abs(signed));
    if (span >= DAY) return joined([days, Math.floor(span / DAY)], [hours, Math.floor((span % DAY) / HOUR)]);
    if (span >= HOUR) return joined([hours, Math.floor(span / HOUR)], [minutes, Math.floor((span % HOUR) / MINUTE)]);
    if (span >= MINUTE) return minutes.format(Math.floor(span / MINUTE));
    return span === 0 ? minutes.format(0) : seconds.format(span);
  };
}

type Part = readonly [Intl.NumberFormat, number];

function joined(large: Part, small: Part): string {
  return [large, small]
    .filter(([, value]) => value > 0)
    .map(([unit, value]) => unit.format(value))
    .join(" ");
}

function distanceIn(locale: string): (metres: number) => string {
  const metre = new Intl.NumberFormat(locale, { style: "unit", unit: "meter", unitDisplay: "short" });
  const kilometre = new Intl.NumberFormat(locale, {
    style: "unit",
    unit: "kilometer",
    unitDisplay: "short",
    maximumFractionDigits: 1,
  });
  return (metres) => (metres < 1000 ? metre.format(Math.round(metres / 10) * 10) : kilometre.format(metres / 1000));
}

function moneyIn(locale: string, minor: number, currency: string): string {
  const format = new Intl.NumberFormat(locale, { style: "currency", currency });
  return format.format(minor / 10 ** (format.resolvedOptions().maximumFractionDigits ?? 2));
}

/** The instant of a wall-clock time such as `2026-11-22T14:30`, read in `timeZone`. */
export function instantOf(wallClock: string, timeZone: string): Date {
  const asUtc = Date.parse(`${wallClock}:00Z`);
  // The offset at the guess is right except within an hour of a clock change; asking again there settles it.
  const guess = asUtc - offsetAt(asUtc, timeZone);
  return new Date(asUtc - offsetAt(guess, timeZone));
}

function offsetAt(instant: number, timeZone: string): number {
  const parts = new Intl.DateTimeFormat("en-GB", {
    timeZone,
    hourCycle: "h23",
    year: "numeric",
    month: "2-digit",
    day: "2-digit",
    hour: "2-digit",
    minute: "2-digit",
    second: "2-digit",
  }).formatToParts(instant);
  const part = (type: string) => Number(parts.find((found) => found.type === type)?.value ?? 0);
  const wall = Date.UTC(part("year"), part("month") - 1, part("day"), part("hour"), part("minute"), part("second"));
  return wall - Math.floor(instant / 1000) * 1000;
}
