import { Server, Smartphone } from "lucide-react";
import type { ReactNode } from "react";
import { isKey, useWords } from "../i18n";
import css from "./inbox.module.css";
import type { Case } from "./queries";

export interface Told {
  /** Who says so and when, as far as it is known. */
  readonly by: ReactNode;
  readonly says: ReactNode;
}

/** Both stand beside one another until somebody decides. */
const BOTH_STAND = new Set(["SAFETY_ANSWER", "BOTH_COMPLETED", "COMPLETED_DISPUTED"]);

/** Which side stands now: what was decided, else what the rules let stand meanwhile. */
function standing(it: Case): "mine" | "theirs" | null {
  if (it.verdict === "accept_mine") return "mine";
  if (it.verdict === "accept_theirs") return "theirs";
  if (BOTH_STAND.has(it.code)) return null;
  return it.code === "TAKEN_BACK" ? "mine" : "theirs";
}

/** The two sides of a conflict beside each other, each with what it would mean to choose it. */
export function Pair({ it, mine, theirs }: { it: Case; mine: Told; theirs: Told }) {
  return (
    <div className={css.sides}>
      <Side it={it} which="mine" told={mine} />
      <Side it={it} which="theirs" told={theirs} />
    </div>
  );
}

function Side({ it, which, told }: { it: Case; which: "mine" | "theirs"; told: Told }) {
  const { t } = useWords();
  const Icon = which === "mine" ? Smartphone : Server;
  const stake = `stake.${it.code}.${which}`;
  return (
    <section className={css.side} data-side={which}>
      <h3>
        <Icon size={15} aria-hidden="true" /> {t(`inbox.${which}`)}
        {standing(it) === which && <small>{t("inbox.standing")}</small>}
      </h3>
      <p className={css.by}>{told.by}</p>
      <div className={css.says}>{told.says}</div>
      {it.state === "open" && isKey(stake) && (
        <p className={css.stake}>
          <b>{t("inbox.ifChosen")}</b> {t(stake)}
        </p>
      )}
    </section>
  );
}

/** `Nora Lindqvist, 10:32 ± 2 s`: whoever recorded it, by the server's clock. */
export function Recorder({ it }: { it: Case }) {
  const { t, times } = useWords();
  const span = times.span(it.uncertainty_ms / 1000);
  return (
    <>
      <strong>{it.person_name}</strong>, {t("inbox.uncertain", { time: times.full(it.at_estimated), span })}
    </>
  );
}
