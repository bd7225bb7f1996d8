import type { ChecklistItem } from "../app/model";
import { textIn, useWords } from "../i18n";

type Asked = Pick<ChecklistItem, "kind" | "unit" | "choices">;

/** Writes answers to checklist items as a person reads them. `item` null: only the value is known. */
export function useAnswerWords(): (item: Asked | null, value: unknown) => string {
  const { t, times, language } = useWords();
  return (item, value) => {
    if (typeof value === "boolean") return t(value ? "check.yes" : "check.no");
    if (typeof value === "number") return [times.number(value, 3), item?.unit].filter(Boolean).join(" ");
    if (item?.kind === "photo") return t("check.photo");
    const choice = item?.choices.find((one) => one.key === value);
    return choice ? textIn(language, choice) : String(value ?? "");
  };
}
