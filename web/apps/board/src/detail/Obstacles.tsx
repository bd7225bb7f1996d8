import { ReceiptText } from "lucide-react";
import type { OrderDetail } from "../app/model";
import { isKey, useWords, wordOf } from "../i18n";
import css from "./detail.module.css";

/** What stands in the way of an invoice. That work is still going on is trouble to nobody. */
export function Obstacles({ detail, onlyTrouble = false }: { detail: OrderDetail; onlyTrouble?: boolean }) {
  const { t } = useWords();
  const { invoice_obstacles: all, missing_files: missing, voided_at } = detail;
  const shown = onlyTrouble ? all.filter((one) => one !== "not_closed") : all;
  const trouble = all.some((one) => one !== "not_closed");
  if (shown.length === 0 || voided_at) return null;
  const words = shown.map((one) =>
    one === "files_missing" ? t("obstacle.files_missing", { count: missing }) : wordOf(t, "obstacle", one, isKey),
  );
  return (
    <p className={css.obstacles} data-trouble={trouble} role="note">
      <ReceiptText size={16} aria-hidden="true" />
      <span>
        <strong>{t("obstacle.title")}</strong> {words.join(t("obstacle.and"))}
      </span>
    </p>
  );
}
