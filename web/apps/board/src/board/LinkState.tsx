import { CloudOff } from "lucide-react";
import { useEffect, useState } from "react";
import { serverTimeAt } from "../app/clock";
import { useBoard } from "../app/services";
import { useWords } from "../i18n";
import css from "./board.module.css";

const CALM_MS = 4_000;

type Shown = "live" | "connecting" | "reconnecting" | "offline";

/** The state of the live link; a short break is a hiccup, a longer one is news. */
function useLink(): { shown: Shown; since: Date | null } {
  const link = useBoard((now) => now.link);
  const brokenSince = useBoard((now) => now.brokenSince);
  const [old, setOld] = useState(false);
  useEffect(() => {
    if (brokenSince === null) {
      setOld(false);
      return;
    }
    const timer = setTimeout(() => setOld(true), Math.max(0, brokenSince + CALM_MS - Date.now()));
    return () => clearTimeout(timer);
  }, [brokenSince]);
  if (brokenSince !== null)
    return { shown: old ? "offline" : "reconnecting", since: new Date(serverTimeAt(brokenSince)) };
  return { shown: link === "live" ? "live" : "connecting", since: null };
}

export function LinkLight() {
  const { t, times } = useWords();
  const { shown, since } = useLink();
  const label =
    shown === "offline" && since ? t("link.offline", { time: times.clock(since) }) : t(`link.${shown as "live"}`);
  return (
    <span
      className={css.link}
      data-link={shown}
      role="status"
      title={t(shown === "live" ? "link.liveHint" : "link.offlineHint")}
    >
      <i aria-hidden="true" />
      <span>{label}</span>
    </span>
  );
}

export function LinkBanner() {
  const { t, times } = useWords();
  const { shown, since } = useLink();
  if (shown !== "offline" || !since) return null;
  return (
    <div className={css.banner}>
      <CloudOff size={16} aria-hidden="true" />
      <strong>{t("link.offline", { time: times.clock(since) })}</strong>
      <span>{t("link.offlineHint")}</span>
    </div>
  );
}
