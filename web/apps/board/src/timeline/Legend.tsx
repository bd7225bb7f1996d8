import { Coffee, Pin } from "lucide-react";
import type { ReactNode } from "react";
import { useWords } from "../i18n";
import { StateGlyph } from "../ui/StateGlyph";
import { type Look, orderStateOf } from "./model";
import css from "./timeline.module.css";

const LOOKS = [
  ["planned", "planned"],
  ["sent", "dispatched"],
  ["accepted", "accepted"],
  ["underway", "working"],
  ["done", "completed"],
] as const satisfies readonly (readonly [Look, string])[];

/** What the looks mean. */
export function Legend() {
  const { t } = useWords();
  const sample = (look: Look, glyph: ReactNode, late?: string) => (
    <span className={`${css.bar} ${css.sample}`} data-look={look} data-priority="normal" data-late={late}>
      <span className={css.face}>{glyph}</span>
    </span>
  );
  return (
    <dl className={css.legend}>
      {LOOKS.map(([look, state]) => (
        <div key={look}>
          <dt>
            {sample(
              look,
              look === "underway" ? <i className={css.pulse} /> : <StateGlyph state={orderStateOf(state)} size={13} />,
            )}
          </dt>
          <dd>{t(`look.${look}`)}</dd>
        </div>
      ))}
      <div>
        <dt>{sample("sent", null, "overdue")}</dt>
        <dd>{t("legend.late")}</dd>
      </div>
      <div>
        <dt>
          <Pin size={13} />
        </dt>
        <dd>{t("legend.pin")}</dd>
      </div>
      <div>
        <dt>
          <span className={`${css.drive} ${css.sample}`} />
        </dt>
        <dd>{t("legend.drive")}</dd>
      </div>
      <div>
        <dt>
          <span className={`${css.expected} ${css.sample}`} />
        </dt>
        <dd>{t("legend.expected")}</dd>
      </div>
      <div>
        <dt>
          <Coffee size={13} />
        </dt>
        <dd>{t("legend.rest")}</dd>
      </div>
      <div>
        <dt>
          <span className={`${css.shift} ${css.sample}`} />
        </dt>
        <dd>{t("legend.shift")}</dd>
      </div>
    </dl>
  );
}
