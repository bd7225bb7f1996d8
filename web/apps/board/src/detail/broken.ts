import type { Times } from "../app/time";
import type { MessageKey, Translate } from "../i18n";
import type { WhatIf } from "./arranging";

export type Broken = WhatIf["broken"][number];

interface Reader {
  readonly t: Translate;
  readonly times: Times;
  readonly now: number;
  readonly name: string;
  /** Names of skills by key; one that is not known is told by its key. */
  readonly skills: ReadonlyMap<string, string>;
}

/** A rule that would be broken, in the reader's words and the organisation's time. */
export function brokenWords(one: Broken, { t, times, now, name, skills }: Reader): string {
  const span = times.span(one.seconds ?? 0);
  const time = one.at === null ? "" : times.moment(one.at, now);
  switch (one.code) {
    case "skill": {
      const lacking = one.skills.map(({ key, level, has }) =>
        t(has === 0 ? "broken.lacks" : "broken.lacksLevel", { skill: skills.get(key) ?? key, level, has }),
      );
      if (lacking.length === 0) return t("broken.skill", { name });
      return t("broken.skills", { name, skills: lacking.join(t("gist.comma")) });
    }
    case "shift":
    case "window":
    case "promise": {
      if (one.side === null || one.at === null) return t(`broken.${one.code}`, { name });
      return t(SIDES[`${one.code}.${one.side}`], { name, span, time });
    }
    default:
      return t(`broken.${one.code}`, { name });
  }
}

const SIDES: Record<`${"shift" | "window" | "promise"}.${"early" | "late"}`, MessageKey> = {
  "shift.early": "broken.shift.early",
  "shift.late": "broken.shift.late",
  "window.early": "broken.window.early",
  "window.late": "broken.window.late",
  "promise.early": "broken.promise",
  "promise.late": "broken.promise.late",
};
