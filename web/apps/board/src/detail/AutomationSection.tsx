import { answered } from "@callout/api";
import { Button } from "@mantine/core";
import { Bot, Hand, Hourglass, type LucideIcon, Send, UserRoundX, UsersRound } from "lucide-react";
import { useServerMinute } from "../app/clock";
import { type OrderDetail, stageOf } from "../app/model";
import { useNames } from "../app/queries";
import { useServices } from "../app/services";
import type { Times } from "../app/time";
import { type Translate, useWords } from "../i18n";
import { Failure } from "../ui/Messages";
import { ARRANGED, type Attempt, type Automation, granted, useAutomation } from "./arranging";
import css from "./arranging.module.css";
import detailCss from "./detail.module.css";
import { Section } from "./Section";
import { useChange } from "./useChange";
import { sayUndo } from "./useOrderActions";

/** What rules did with the order or wait for, and whether it lies in the open pool. */
export function AutomationSection({ detail }: { detail: OrderDetail }) {
  const { t } = useWords();
  const found = useAutomation(detail.id);
  const waits = stageOf(detail.state) === "open" && !detail.voided_at;
  if (!found.isError && !found.data) return null;
  if (found.data && found.data.attempts.length === 0 && !found.data.offer && !waits) return null;
  return (
    <Section title={t("auto.title")}>
      {found.isError && <Failure title={t("auto.failed")} problem={found.error} onRetry={() => void found.refetch()} />}
      {found.data && <Told automation={found.data} detail={detail} waits={waits} />}
    </Section>
  );
}

function Told(props: { automation: Automation; detail: OrderDetail; waits: boolean }) {
  const { automation, detail, waits } = props;
  const { t } = useWords();
  const [latest, ...earlier] = automation.attempts;
  const { offer } = automation;
  const offered = offer !== null && offer.ended_at === null;
  return (
    <>
      {offer && <OfferRow offer={offer} />}
      {latest && (
        <ul className={css.rows}>
          <AttemptRow attempt={latest} />
        </ul>
      )}
      {!latest && !offer && <p className={detailCss.faint}>{t("auto.none")}</p>}
      {earlier.length > 0 && (
        <details className={detailCss.history}>
          <summary>{t("auto.earlier", { count: earlier.length })}</summary>
          <ul className={css.rows}>
            {earlier.map((attempt) => (
              <AttemptRow key={attempt.id} attempt={attempt} />
            ))}
          </ul>
        </details>
      )}
      {(waits || offered) && <PoolButton detail={detail} offered={offered} />}
    </>
  );
}

function PoolButton({ detail, offered }: { detail: OrderDetail; offered: boolean }) {
  const { t } = useWords();
  const { api } = useServices();
  const { busy, attempt } = useChange();
  const params = { path: { work_order_id: detail.id } };
  const put = () =>
    attempt(
      () => answered(api.POST("/api/v1/work-orders/{work_order_id}/pool", { params, body: {} })),
      ARRANGED.automation(detail.id),
    );
  const take = () =>
    attempt(
      () => granted(api.DELETE("/api/v1/work-orders/{work_order_id}/pool", { params })),
      ARRANGED.automation(detail.id),
    );
  async function flip() {
    const number = `#${detail.number}`;
    if (offered) {
      if (await take()) sayUndo(t, t("auto.taken", { number }), () => void put());
    } else if (await put()) sayUndo(t, t("auto.offered", { number }), () => void take());
  }
  return (
    <Button
      size="xs"
      mt={8}
      variant="default"
      loading={busy}
      leftSection={<UsersRound size={15} />}
      onClick={() => void flip()}
    >
      {t(offered ? "auto.takeOut" : "auto.putIn")}
    </Button>
  );
}

function OfferRow({ offer }: { offer: NonNullable<Automation["offer"]> }) {
  const { t, times } = useWords();
  const now = useServerMinute();
  const names = useNames();
  const taker = (offer.taken_by && names.get(offer.taken_by)) || t("dry.somebody");
  const open = offer.ended_at === null;
  return (
    <ul className={css.rows}>
      <li>
        <span className={css.mark} data-tone={open ? "good" : undefined}>
          <UsersRound size={15} aria-hidden="true" />
        </span>
        <div>
          <strong>
            {open
              ? t("auto.inPool", { time: times.moment(offer.closes_at, now) })
              : t(`auto.ending.${offer.ending ?? "expired"}`, { name: taker })}
          </strong>
          <span className={detailCss.faint}>
            {t(offer.opened_by ? "auto.byPerson" : "auto.byRule", {
              name: (offer.opened_by && names.get(offer.opened_by)) || t("dry.somebody"),
            })}{" "}
            · {times.moment(offer.opened_at, now)}
          </span>
        </div>
      </li>
    </ul>
  );
}

const ICONS: Record<Attempt["outcome"], LucideIcon> = {
  assigned: Send,
  waiting: Hourglass,
  pooled: UsersRound,
  limits_not_met: Hand,
  nobody: UserRoundX,
  left: Hand,
};

function AttemptRow({ attempt }: { attempt: Attempt }) {
  const { t, times } = useWords();
  const now = useServerMinute();
  const Icon = ICONS[attempt.outcome] ?? Bot;
  const waits = attempt.outcome === "waiting" && attempt.over_at === null;
  return (
    <li>
      <span className={css.mark} data-tone={attempt.outcome === "assigned" || waits ? "good" : undefined}>
        <Icon size={15} aria-hidden="true" />
      </span>
      <div>
        <strong>{attemptWords(t, times, attempt, now)}</strong>
        {attempt.limits.map((broken) => (
          <p key={broken.limit}>{limitWords(t, times, broken)}</p>
        ))}
        <span className={detailCss.faint}>
          {t("auto.rule", { name: attempt.rule_name, version: attempt.rule_version })} · {times.moment(attempt.at, now)}
        </span>
      </div>
    </li>
  );
}

function attemptWords(t: Translate, times: Times, attempt: Attempt, now: number): string {
  const name = attempt.engineer_name ?? t("dry.somebody");
  const until = attempt.until ? times.moment(attempt.until, now) : "";
  switch (attempt.outcome) {
    case "waiting":
      return attempt.over_at === null ? t("auto.waiting", { time: until }) : t("auto.waited");
    case "assigned":
      return t("auto.assigned", { name });
    case "limits_not_met":
      return attempt.engineer_name ? t("auto.unclear", { name }) : t("auto.unclearNobody");
    default:
      return t(`auto.${attempt.outcome}`);
  }
}

export function limitWords(t: Translate, times: Times, broken: Attempt["limits"][number]): string {
  const { limit, found, allowed } = broken;
  const words = {
    min_score: (value: number) => times.number(value * 100),
    min_lead: (value: number) => times.number(value * 100, 1),
    max_eta_minutes: (value: number) => times.span(value * 60),
    max_load_percent: (value: number) => `${times.number(value)}%`,
  }[limit];
  return t(`limit.${limit}`, { found: words(found), allowed: words(allowed) });
}
