import { Button, Textarea } from "@mantine/core";
import { PauseCircle, Phone, Undo2 } from "lucide-react";
import { useState } from "react";
import { useServerMinute } from "../app/clock";
import type { OrderDetail, Visit } from "../app/model";
import { useBoard } from "../app/services";
import { isKey, useWords, wordOf } from "../i18n";
import { Avatar } from "../ui/Avatar";
import { AutomationSection } from "./AutomationSection";
import css from "./detail.module.css";
import { Links } from "./Links";
import { Obstacles } from "./Obstacles";
import { Fact, Section } from "./Section";
import { TextHistory } from "./TextHistory";
import { useOrderActions } from "./useOrderActions";
import { VisitPin } from "./VisitPin";
import { WhyEngineer } from "./WhyEngineer";
import { Windows } from "./Windows";
import { Wishes } from "./Wishes";

export function OverviewTab({ detail }: { detail: OrderDetail }) {
  return (
    <>
      <VoidedNotice detail={detail} />
      <HoldNotice detail={detail} />
      <Obstacles detail={detail} onlyTrouble />
      <Problem detail={detail} />
      <Where detail={detail} />
      <Visits detail={detail} />
      <WhyEngineer detail={detail} />
      <AutomationSection detail={detail} />
      <Wishes detail={detail} />
      <Windows detail={detail} />
      <Links detail={detail} />
      <Notes detail={detail} />
    </>
  );
}

function VoidedNotice({ detail }: { detail: OrderDetail }) {
  const { t, times } = useWords();
  if (!detail.voided_at) return null;
  return (
    <p className={css.voided} role="note">
      <Undo2 size={16} aria-hidden="true" /> {t("detail.voided", { at: times.full(detail.voided_at) })}
    </p>
  );
}

function HoldNotice({ detail }: { detail: OrderDetail }) {
  const { t } = useWords();
  if (detail.state !== "on_hold" || !detail.hold_reason) return null;
  return (
    <p className={css.hold}>
      <PauseCircle size={16} aria-hidden="true" /> {wordOf(t, "hold", detail.hold_reason, isKey)}
    </p>
  );
}

function Problem({ detail }: { detail: OrderDetail }) {
  const { t, times } = useWords();
  const now = useServerMinute();
  const { window_start: start, window_end: end } = detail;
  return (
    <Section title={t("detail.problem")}>
      {detail.description && <p className={css.description}>{detail.description}</p>}
      <TextHistory id={detail.id} field="description" rev={detail.description_rev} />
      <p className={css.faint}>
        {t("detail.reported", {
          time: times.moment(detail.reported_at, now),
          channel: wordOf(t, "channel", detail.channel, isKey),
        })}
      </p>
      <dl className={css.facts}>
        {start && end && (
          <Fact label={t("detail.window")}>
            {times.moment(start, now)}–{times.clock(end)}
          </Fact>
        )}
        <Fact label={t("detail.duration")}>{times.span(detail.duration_minutes * 60)}</Fact>
      </dl>
    </Section>
  );
}

function Where({ detail }: { detail: OrderDetail }) {
  const { t } = useWords();
  const { customer, site, asset } = detail;
  const contact = detail.contacts[0];
  const phone = contact?.phone ?? customer.phone;
  return (
    <Section title={t("detail.customer")}>
      <dl className={css.facts}>
        <Fact label={t("detail.customer")}>
          <strong>{customer.name}</strong>
          {customer.tier !== "standard" && <span className={css.tier}>{wordOf(t, "tier", customer.tier, isKey)}</span>}
        </Fact>
        <Fact label={t("detail.site")}>
          {site.name}
          <br />
          <span className={css.faint}>{site.address}</span>
        </Fact>
        {site.access_notes && <Fact label={t("detail.access")}>{site.access_notes}</Fact>}
        {(contact || phone) && (
          <Fact label={t("detail.contact")}>
            {contact?.name}
            {phone && (
              <a className={css.phone} href={`tel:${phone.replaceAll(" ", "")}`}>
                <Phone size={13} aria-hidden="true" /> {phone}
              </a>
            )}
          </Fact>
        )}
        {asset && <Equipment asset={asset} />}
      </dl>
    </Section>
  );
}

function Equipment({ asset }: { asset: NonNullable<OrderDetail["asset"]> }) {
  const { t, times } = useWords();
  const now = useServerMinute();
  const until = asset.warranty_until;
  const over = until !== null && Date.parse(until) < now;
  return (
    <Fact label={t("detail.asset")}>
      {asset.product} · {asset.model}
      <br />
      <span className={css.faint}>
        {asset.serial && t("detail.serial", { serial: asset.serial })}
        {until && (
          <>
            {asset.serial && " · "}
            {t(over ? "detail.warrantyOver" : "detail.warranty", { date: times.date(until) })}
          </>
        )}
      </span>
    </Fact>
  );
}

function Visits({ detail }: { detail: OrderDetail }) {
  const { t } = useWords();
  const { visits } = detail;
  return (
    <Section title={t("detail.visits")}>
      {visits.length === 0 && <p className={css.faint}>{t("detail.noVisits")}</p>}
      <ul className={css.visits}>
        {visits.map((visit) => (
          <VisitRow key={visit.id} detail={detail} visit={visit} />
        ))}
      </ul>
    </Section>
  );
}

const OVER = new Set(["cancelled", "declined", "interrupted"]);

function VisitRow({ detail, visit }: { detail: OrderDetail; visit: Visit }) {
  const { t, times } = useWords();
  const now = useServerMinute();
  const engineer = useBoard((board) => (visit.engineer_id ? board.engineers.get(visit.engineer_id) : undefined));
  const over = OVER.has(visit.state);
  return (
    <li data-over={over}>
      <Avatar name={visit.engineer_name} state={over ? "off_shift" : engineer?.state} size={28} />
      <div>
        <strong>{visit.engineer_name ?? t("list.unassigned")}</strong>
        <span className={css.faint}>
          {t("detail.visit", { ordinal: visit.ordinal })}
          {visit.planned_start && ` · ${times.moment(visit.planned_start, now)}`}
          {visit.planned_end && `–${times.clock(visit.planned_end)}`}
        </span>
      </div>
      <span className={css.visitState}>{wordOf(t, "visit", visit.state, isKey)}</span>
      <VisitPin detail={detail} visit={visit} />
    </li>
  );
}

function Notes({ detail }: { detail: OrderDetail }) {
  const { t, times } = useWords();
  const now = useServerMinute();
  return (
    <Section title={t("notes.title")}>
      {detail.notes.length === 0 && <p className={css.faint}>{t("notes.none")}</p>}
      <ul className={css.notes}>
        {detail.notes.map((note) => (
          <li key={note.id}>
            <p>{note.body}</p>
            <span className={css.faint}>
              {note.author_name} · {times.moment(note.at, now)}
            </span>
          </li>
        ))}
      </ul>
      <NoteForm detail={detail} />
    </Section>
  );
}

function NoteForm({ detail }: { detail: OrderDetail }) {
  const { t } = useWords();
  const { note } = useOrderActions();
  const [words, setWords] = useState("");
  const [busy, setBusy] = useState(false);
  const said = words.trim();
  async function send() {
    if (!said || busy) return;
    setBusy(true);
    if (await note(detail, said)) setWords("");
    setBusy(false);
  }
  return (
    <form
      className={css.noteForm}
      onSubmit={(event) => {
        event.preventDefault();
        void send();
      }}
    >
      <Textarea
        aria-label={t("notes.add")}
        placeholder={t("notes.add")}
        autosize
        minRows={1}
        maxRows={8}
        value={words}
        onChange={(event) => setWords(event.currentTarget.value)}
        onKeyDown={(event) => {
          if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) void send();
        }}
      />
      {said && (
        <div>
          <span className={css.faint}>{t("notes.hint")}</span>
          <Button type="submit" size="xs" loading={busy}>
            {t("notes.send")}
          </Button>
        </div>
      )}
    </form>
  );
}
