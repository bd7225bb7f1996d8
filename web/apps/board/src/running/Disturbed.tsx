import { Button, Drawer } from "@mantine/core";
import { ArrowRight, CalendarCheck2 } from "lucide-react";
import { go } from "../app/address";
import { useServerMinute } from "../app/clock";
import { useBoard } from "../app/services";
import { useWords } from "../i18n";
import { Failure, Message, Skeleton } from "../ui/Messages";
import { closeAbove } from "./asking";
import { type Disruption, isOpen, lasts, standOf } from "./model";
import { useDisruptions } from "./queries";
import { KIND_ICONS } from "./ReportMenu";
import css from "./running.module.css";
import { useReports } from "./useReports";
import { useDisruptionWords } from "./words";

/** What is disturbed today, and what becomes of it. */
export function Disturbed() {
  const { t } = useWords();
  return (
    <Drawer
      opened
      onClose={closeAbove}
      position="right"
      size={430}
      lockScroll={false}
      padding={20}
      overlayProps={{ backgroundOpacity: 0.35 }}
      title={t("running.title")}
      closeButtonProps={{ "aria-label": t("close") }}
    >
      <List />
    </Drawer>
  );
}

function List() {
  const { t } = useWords();
  const now = useServerMinute();
  const found = useDisruptions();
  if (found.isPending) {
    return (
      <div className={css.list} aria-busy="true">
        <Skeleton height={86} />
        <Skeleton height={86} />
      </div>
    );
  }
  if (!found.data) {
    return <Failure title={t("running.failed")} problem={found.error} onRetry={() => void found.refetch()} />;
  }
  if (found.data.length === 0) {
    return <Message icon={CalendarCheck2} title={t("running.none")} hint={t("running.noneHint")} />;
  }
  const open = found.data.filter((one) => isOpen(one, now));
  const earlier = found.data.filter((one) => !isOpen(one, now));
  return (
    <>
      {open.length === 0 && <p className={css.calm}>{t("running.noneOpen")}</p>}
      <ul className={css.list} aria-label={t("running.open")}>
        {open.map((one) => (
          <Item key={one.id} one={one} now={now} />
        ))}
      </ul>
      {earlier.length > 0 && (
        <>
          <h3 className={css.earlier}>{t("running.earlier")}</h3>
          <ul className={css.list}>
            {earlier.map((one) => (
              <Item key={one.id} one={one} now={now} />
            ))}
          </ul>
        </>
      )}
    </>
  );
}

function Item({ one, now }: { one: Disruption; now: number }) {
  const { t, times } = useWords();
  const words = useDisruptionWords();
  const Icon = KIND_ICONS[one.kind];
  const order = useBoard((board) => (one.work_order_id ? board.orders.get(one.work_order_id) : undefined));
  const { busy, withdraw } = useReports();
  const stand = standOf(one);
  return (
    <li className={css.item} data-stand={stand} data-testid="disruption">
      <span className={css.icon} data-open={isOpen(one, now)}>
        <Icon size={17} aria-hidden="true" />
      </span>
      <div>
        <strong>{one.engineer_name}</strong>
        <p>{words(one)}</p>
        {order && (
          <p className={css.faint}>
            #{order.number} {order.title}
          </p>
        )}
        {one.said && <p className={css.said}>{one.said}</p>}
        <p className={css.faint}>
          {t(one.reported_by === null ? "running.noticed" : "running.reported", {
            time: times.moment(one.reported_at, now),
          })}
        </p>
        <p className={css.stand} data-stand={stand}>
          {t(`stand.${stand}`, { count: one.repair?.changes ?? 0 })}
        </p>
        <div className={css.itemFoot}>
          {one.plan_id !== null && one.repair !== null && one.repair.changes > 0 && (
            <Button
              size="xs"
              variant={stand === "proposed" ? "filled" : "default"}
              rightSection={<ArrowRight size={14} />}
              onClick={() => showPlan(one.plan_id)}
            >
              {t(stand === "proposed" ? "running.look" : "running.plan")}
            </Button>
          )}
          {lasts(one, now) && (
            <Button size="xs" variant="default" loading={busy} onClick={() => void withdraw(one)}>
              {t(one.kind === "no_show" || one.kind === "cancellation" ? "running.leave" : "running.withdraw")}
            </Button>
          )}
        </div>
      </div>
    </li>
  );
}

export function showPlan(plan: string | null): void {
  closeAbove();
  go({ page: "plans", item: plan, order: null });
}
