import { Button } from "@mantine/core";
import { useWords } from "../i18n";
import { useDisturbing } from "./queries";
import { KIND_ICONS } from "./ReportMenu";
import css from "./running.module.css";
import { useReports } from "./useReports";
import { useDisruptionWords } from "./words";

/** What keeps an engineer from their work, the newest alone; `brief`: how long stands beside it. */
export function Mark({ engineer, brief = false }: { engineer: string; brief?: boolean }) {
  const { t } = useWords();
  const words = useDisruptionWords();
  const [one] = useDisturbing(engineer);
  if (!one) return null;
  const Icon = KIND_ICONS[one.kind];
  return (
    <span className={css.mark} title={words(one)} data-testid="disturbed-mark">
      <Icon size={12} aria-hidden="true" />
      <span>{brief ? t(`cause.${one.kind}`) : words(one)}</span>
    </span>
  );
}

/** All of it, each with the way back. */
export function Marks({ engineer }: { engineer: string }) {
  const { t } = useWords();
  const words = useDisruptionWords();
  const disturbing = useDisturbing(engineer);
  const { busy, withdraw } = useReports();
  if (disturbing.length === 0) return null;
  return (
    <ul className={css.marks}>
      {disturbing.map((one) => {
        const Icon = KIND_ICONS[one.kind];
        return (
          <li key={one.id}>
            <span className={css.mark}>
              <Icon size={13} aria-hidden="true" />
              <span>{words(one)}</span>
            </span>
            <Button size="compact-xs" variant="default" loading={busy} onClick={() => void withdraw(one)}>
              {t("running.withdraw")}
            </Button>
          </li>
        );
      })}
    </ul>
  );
}
