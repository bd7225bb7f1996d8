import { ApiProblem, answered } from "@callout/api";
import { Button, Modal, Select, TextInput } from "@mantine/core";
import { useQueryClient } from "@tanstack/react-query";
import { CalendarX2 } from "lucide-react";
import { useState } from "react";
import { useServerMinute } from "../app/clock";
import { type Order, orderOf } from "../app/model";
import { orderKeys } from "../app/queries";
import { useNarrow } from "../app/screen";
import { useServices } from "../app/services";
import { instantOf, localeOf } from "../app/time";
import { useWords } from "../i18n";
import { Failure, Message, Skeleton } from "../ui/Messages";
import { type Slot, type Slots, type SlotsAsked, useSlots } from "./arranging";
import css from "./arranging.module.css";
import { byDay, dayIn, slotKey } from "./foresight";
import { complain, say } from "./useOrderActions";

const DAYS = [1, 3, 7, 14] as const;
const WIDTHS = [60, 120, 240] as const;
const RATINGS = ["good", "fair", "poor"] as const;
const RATING_TONES = { good: "#3a9d6b", fair: "#e0a33a", poor: "#c9625a" } as const;
const SOON_S = 60;

/** Times to offer a customer, each with the engineer for whom it is cheapest. */
export function SlotDialog({ order, onClose }: { order: Order; onClose: () => void }) {
  const { t, timeZone } = useWords();
  const narrow = useNarrow();
  const now = useServerMinute();
  const [today] = useState(() => dayIn(now, timeZone));
  const [asked, setAsked] = useState<SlotsAsked>({ first: today, days: 7, width: 240 });
  const [chosen, setChosen] = useState<string | null>(null);
  const [overtaken, setOvertaken] = useState(false);
  const found = useSlots(order.id, asked);
  const taking = useTaking(order, asked.width);
  const slot = found.data?.slots.find((one) => slotKey(one) === chosen);
  const ask = (change: Partial<SlotsAsked>) => {
    setAsked({ ...asked, ...change });
    setChosen(null);
    setOvertaken(false);
  };
  async function take(wanted: Slot) {
    const came = await taking.take(wanted);
    if (came === "taken") onClose();
    setOvertaken(came === "overtaken");
    if (came === "overtaken") setChosen(null);
  }
  return (
    <Modal
      opened
      onClose={onClose}
      size={760}
      fullScreen={narrow}
      title={t("slots.title", { number: `#${order.number}` })}
      closeButtonProps={{ "aria-label": t("close") }}
    >
      <div className={css.slotHead}>
        <TextInput
          type="date"
          label={t("slots.first")}
          min={today}
          value={asked.first}
          onChange={(event) => event.currentTarget.value && ask({ first: event.currentTarget.value })}
        />
        <Select
          w={120}
          label={t("slots.days")}
          allowDeselect={false}
          data={DAYS.map((count) => ({ value: String(count), label: t("dispatching.days", { count }) }))}
          value={String(asked.days)}
          onChange={(days) => ask({ days: Number(days) })}
        />
        <Select
          w={120}
          label={t("slots.width")}
          allowDeselect={false}
          data={WIDTHS.map((minutes) => ({ value: String(minutes), label: t("slots.hours", { count: minutes / 60 }) }))}
          value={String(asked.width)}
          onChange={(width) => ask({ width: Number(width) })}
        />
      </div>
      {overtaken && (
        <p className={css.notice} role="alert">
          {t("slots.overtaken")}
        </p>
      )}
      {found.isPending && (
        <div className={css.days} aria-busy="true">
          <Skeleton height={60} />
          <Skeleton height={60} />
          <Skeleton height={60} />
        </div>
      )}
      {found.isError && (
        <Failure title={t("slots.failed")} problem={found.error} onRetry={() => void found.refetch()} />
      )}
      {found.data && <Days found={found.data} chosen={chosen} onChoose={setChosen} />}
      <Foot slot={slot} busy={taking.busy} onClose={onClose} onTake={take} />
    </Modal>
  );
}

function Days(props: { found: Slots; chosen: string | null; onChoose: (slot: string) => void }) {
  const { found, chosen, onChoose } = props;
  const { t, times, language, timeZone } = useWords();
  if (found.slots.length === 0) {
    return (
      <Message icon={CalendarX2} title={t("slots.none")} hint={t("slots.noneHint")}>
        <LeftOut found={found} />
      </Message>
    );
  }
  const dayName = new Intl.DateTimeFormat(localeOf(language), {
    timeZone,
    weekday: "long",
    day: "numeric",
    month: "long",
  });
  return (
    <>
      <p className={css.ratings}>
        {RATINGS.map((rating) => (
          <span key={rating}>
            <i style={{ background: RATING_TONES[rating] }} />
            {t(`rating.${rating}`)}
          </span>
        ))}
      </p>
      <div className={css.days} data-scroller>
        {byDay(found.slots).map(([day, slots]) => (
          <section key={day} className={css.day}>
            <h3>{dayName.format(instantOf(`${day}T12:00`, timeZone))}</h3>
            <ul>
              {slots.map((slot) => (
                <li key={slotKey(slot)}>
                  <button
                    type="button"
                    className={css.slot}
                    data-rating={slot.rating}
                    data-testid="slot"
                    aria-pressed={slotKey(slot) === chosen}
                    title={t(`rating.${slot.rating}`)}
                    onClick={() => onChoose(slotKey(slot))}
                  >
                    <strong>
                      {times.clock(slot.opens_at)}–{times.clock(slot.closes_at)}
                    </strong>
                    <span>{slot.breaks_promise ? t("slots.afterPromise") : slot.place.name}</span>
                  </button>
                </li>
              ))}
            </ul>
          </section>
        ))}
      </div>
    </>
  );
}

const MOST_NAMED = 4;

/** Why nobody has room, as far as it was looked at. */
function LeftOut({ found }: { found: Slots }) {
  const { t } = useWords();
  const people = new Map(found.left_out.map((one) => [one.engineer_id, one] as const));
  return (
    <ul>
      {[...people.values()].slice(0, MOST_NAMED).map((one) => (
        <li key={one.engineer_id}>
          {one.name}: {t(`miss.${one.why}`)}
        </li>
      ))}
    </ul>
  );
}

interface FootProps {
  readonly slot: Slot | undefined;
  readonly busy: boolean;
  readonly onClose: () => void;
  readonly onTake: (slot: Slot) => Promise<void>;
}

function Foot({ slot, busy, onClose, onTake }: FootProps) {
  const { t, times } = useWords();
  const now = useServerMinute();
  return (
    <div className={css.slotFoot}>
      <div aria-live="polite">
        {slot ? (
          <>
            <strong>
              {slot.place.name}, {times.moment(slot.opens_at, now)}–{times.clock(slot.closes_at)}
            </strong>
            <span>{meaningOf(slot)}</span>
          </>
        ) : (
          <span>{t("slots.choose")}</span>
        )}
      </div>
      <Button variant="default" onClick={onClose}>
        {t("new.cancel")}
      </Button>
      <Button disabled={!slot} loading={busy} onClick={() => slot && void onTake(slot)} data-testid="take-slot">
        {t("slots.take")}
      </Button>
    </div>
  );

  function meaningOf({ place }: Slot): string {
    const parts = [t("slots.expected", { time: times.clock(place.begins_at) })];
    if (place.extra_seconds >= SOON_S) parts.push(t("slots.driving", { span: times.span(place.extra_seconds) }));
    if (place.delays.length > 0) {
      parts.push(t("slots.delays", { count: place.delays.length, span: times.span(place.delay_seconds) }));
    }
    if (place.overtime_seconds >= SOON_S) {
      parts.push(t("whatIf.overtime", { span: times.span(place.overtime_seconds) }));
    }
    if (place.late_seconds > 0) parts.push(t("slots.late", { span: times.span(place.late_seconds) }));
    return parts.join(t("gist.comma"));
  }
}

type Came = "taken" | "overtaken" | "refused";

function useTaking(order: Order, width: number): { busy: boolean; take: (slot: Slot) => Promise<Came> } {
  const { t, times } = useWords();
  const { api, board } = useServices();
  const queries = useQueryClient();
  const now = useServerMinute();
  const [busy, setBusy] = useState(false);

  async function take(slot: Slot): Promise<Came> {
    setBusy(true);
    try {
      const body = {
        work_order_id: order.id,
        engineer_id: slot.place.engineer_id,
        begins_at: slot.place.begins_at,
        window_opens_at: slot.opens_at,
        window_closes_at: slot.closes_at,
        delay_seconds: slot.place.delay_seconds,
        width_minutes: width,
      };
      board.learn(orderOf(await answered(api.POST("/api/v1/slots/take", { body }))));
      const time = `${times.moment(slot.opens_at, now)}–${times.clock(slot.closes_at)}`;
      say(t("slots.taken", { number: `#${order.number}`, name: slot.place.name, time }));
      return "taken";
    } catch (problem) {
      if (problem instanceof ApiProblem && problem.code === "slot.taken") return "overtaken";
      complain(t, problem);
      return "refused";
    } finally {
      setBusy(false);
      void queries.invalidateQueries({ queryKey: orderKeys.all(order.id) });
    }
  }
  return { busy, take };
}
