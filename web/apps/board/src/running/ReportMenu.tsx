import { Menu } from "@mantine/core";
import { CarFront, Clock3, EllipsisVertical, type LucideIcon, RotateCcw, Stethoscope, UserRoundX } from "lucide-react";
import { useMay } from "../app/pages";
import { useWords } from "../i18n";
import { askReport } from "./asking";
import { REPORTED, type Reported } from "./model";
import { useDisturbing } from "./queries";
import { useReports } from "./useReports";
import { useDisruptionWords } from "./words";

export const KIND_ICONS: Record<Reported | "cancellation", LucideIcon> = {
  absence: Stethoscope,
  breakdown: CarFront,
  delay: Clock3,
  no_show: UserRoundX,
  cancellation: UserRoundX,
};

interface Props {
  readonly engineer: { readonly id: string; readonly name: string };
  readonly className: string | undefined;
}

/** What can be said of an engineer's day: what went wrong, and that it is over. */
export function ReportMenu({ engineer, className }: Props) {
  const { t } = useWords();
  const may = useMay("visits.dispatch");
  const disturbing = useDisturbing(engineer.id);
  const { withdraw } = useReports();
  const words = useDisruptionWords();
  if (!may) return null;
  return (
    <Menu width={250} position="bottom-start" withinPortal returnFocus>
      <Menu.Target>
        <button type="button" className={className} aria-label={t("report.menu", { name: engineer.name })}>
          <EllipsisVertical size={17} aria-hidden="true" />
        </button>
      </Menu.Target>
      <Menu.Dropdown>
        <Menu.Label>{engineer.name}</Menu.Label>
        {disturbing.map((one) => (
          <Menu.Item key={one.id} leftSection={<RotateCcw size={15} />} onClick={() => void withdraw(one)}>
            {t("running.withdrawWhat", { what: words(one) })}
          </Menu.Item>
        ))}
        {disturbing.length > 0 && <Menu.Divider />}
        {REPORTED.map((kind) => {
          const Icon = KIND_ICONS[kind];
          return (
            <Menu.Item
              key={kind}
              leftSection={<Icon size={15} />}
              onClick={() => askReport({ kind, engineer, orderId: null })}
            >
              {t(`report.do.${kind}`)}
            </Menu.Item>
          );
        })}
      </Menu.Dropdown>
    </Menu>
  );
}
