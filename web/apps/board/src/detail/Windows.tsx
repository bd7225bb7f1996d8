import { answered } from "@callout/api";
import { Button, TextInput } from "@mantine/core";
import { CalendarClock, Plus, X } from "lucide-react";
import { type FormEvent, useState } from "react";
import { useServerMinute } from "../app/clock";
import type { OrderDetail } from "../app/model";
import { useMay } from "../app/pages";
import { orderKeys } from "../app/queries";
import { useServices } from "../app/services";
import { instantOf } from "../app/time";
import { useWords } from "../i18n";
import { Failure } from "../ui/Messages";
import { ARRANGED, comeIntoView, useWindows, type Window } from "./arranging";
import css from "./arranging.module.css";
import detailCss from "./detail.module.css";
import { dayAfter, dayIn } from "./foresight";
import { Section } from "./Section";
import { useChange } from "./useChange";
import { sayUndo } from "./useOrderActions";

const MOST = 20;

/** When else the customer could be visited. */
export function Windows({ detail }: { detail: OrderDetail }) {
  const { t, times } = useWords();
  const now = useServerMinute();
  const may = useMay("orders.triage");
  const found = useWindows(detail.id);
  const [adding, setAdding] = useState(false);
  const acts = useWindowActs(detail.id);
  const windows = found.data ?? [];
  if (found.isSuccess && windows.length === 0 && !may) return null;

  async function remove(window: Window) {
    const done = await acts.set(windows.filter((one) => one !== window));
    if (done) sayUndo(t, t("windows.removed"), () => void acts.set(windows));
  }
  return (
    <Section title={t("windows.title")} aside={windows.length > 0 && windows.length}>
      {found.isError && (
        <Failure title={t("windows.failed")} problem={found.error} onRetry={() => void found.refetch()} />
      )}
      {found.isSuccess && windows.length === 0 && <p className={detailCss.faint}>{t("windows.none")}</p>}
      <ul className={css.rows}>
        {windows.map((window) => (
          <li key={window.opens_at}>
            <span className={css.mark}>
              <CalendarClock size={15} aria-hidden="true" />
            </span>
            <div>
              <strong>
                {times.moment(window.opens_at, now)}–{endOf(window)}
              </strong>
            </div>
            {may && (
              <button
                type="button"
                className={css.remove}
                disabled={acts.busy}
                aria-label={t("windows.remove")}
                title={t("windows.remove")}
                onClick={() => void remove(window)}
              >
                <X size={15} aria-hidden="true" />
              </button>
            )}
          </li>
        ))}
      </ul>
      {may && !adding && found.isSuccess && windows.length < MOST && (
        <Button size="compact-sm" variant="subtle" leftSection={<Plus size={14} />} onClick={() => setAdding(true)}>
          {t("windows.add")}
        </Button>
      )}
      {adding && <WindowForm id={detail.id} windows={windows} onClose={() => setAdding(false)} />}
    </Section>
  );

  function endOf({ opens_at, closes_at }: Window): string {
    return times.moment(closes_at, Date.parse(opens_at));
  }
}

function useWindowActs(id: string) {
  const { api } = useServices();
  const { busy, attempt } = useChange();
  const set = (windows: readonly Window[]) =>
    attempt(
      () =>
        answered(
          api.PUT("/api/v1/work-orders/{work_order_id}/windows", {
            params: { path: { work_order_id: id } },
            body: { items: windows.map(({ opens_at, closes_at }) => ({ opens_at, closes_at })) },
          }),
        ),
      ARRANGED.windows(id),
      orderKeys.candidates(id),
    );
  return { busy, set };
}

function WindowForm({ id, windows, onClose }: { id: string; windows: readonly Window[]; onClose: () => void }) {
  const { t, timeZone } = useWords();
  const now = useServerMinute();
  const acts = useWindowActs(id);
  const [day, setDay] = useState(() => dayAfter(dayIn(now, timeZone), 1));
  const [from, setFrom] = useState("08:00");
  const [to, setTo] = useState("12:00");
  const backwards = from >= to;

  async function submit(event: FormEvent) {
    event.preventDefault();
    if (!day || !from || !to || backwards) return;
    const opens_at = instantOf(`${day}T${from}`, timeZone).toISOString();
    const closes_at = instantOf(`${day}T${to}`, timeZone).toISOString();
    if (await acts.set([...windows, { opens_at, closes_at }])) onClose();
  }
  return (
    <form ref={comeIntoView} className={css.form} onSubmit={submit} noValidate aria-label={t("windows.add")}>
      <div className={css.three}>
        <TextInput
          type="date"
          label={t("windows.day")}
          value={day}
          onChange={(event) => setDay(event.currentTarget.value)}
        />
        <TextInput
          type="time"
          label={t("new.from")}
          value={from}
          onChange={(event) => setFrom(event.currentTarget.value)}
        />
        <TextInput
          type="time"
          label={t("new.to")}
          value={to}
          error={backwards}
          onChange={(event) => setTo(event.currentTarget.value)}
        />
      </div>
      {backwards && (
        <small className={css.error} role="alert">
          {t("windows.backwards")}
        </small>
      )}
      <div className={css.formFoot}>
        <Button size="xs" variant="default" onClick={onClose}>
          {t("new.cancel")}
        </Button>
        <Button size="xs" type="submit" loading={acts.busy} disabled={backwards || !day}>
          {t("windows.record")}
        </Button>
      </div>
    </form>
  );
}
