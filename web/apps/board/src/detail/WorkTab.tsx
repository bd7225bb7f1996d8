import { Button } from "@mantine/core";
import { Check, CircleDashed, FileText, Star, TriangleAlert } from "lucide-react";
import { useState } from "react";
import { useServerMinute } from "../app/clock";
import type { ChecklistItem, OrderDetail, Signature } from "../app/model";
import { useServices } from "../app/services";
import { isKey, textIn, useWords, wordOf } from "../i18n";
import { useAnswerWords } from "./answers";
import css from "./detail.module.css";
import { Obstacles } from "./Obstacles";
import { Photos } from "./Photos";
import { Section } from "./Section";
import { TextHistory } from "./TextHistory";
import { complain } from "./useOrderActions";

export function WorkTab({ detail }: { detail: OrderDetail }) {
  return (
    <>
      <Obstacles detail={detail} />
      <Findings detail={detail} />
      <Confirmation detail={detail} />
      <Checklist items={detail.checklist} />
      <Photos photos={detail.photos} />
      <Parts parts={detail.parts} />
      <Times entries={detail.time_entries} />
      <Costs costs={detail.costs} />
    </>
  );
}

/** What the engineer found. */
function Findings({ detail }: { detail: OrderDetail }) {
  const { t } = useWords();
  if (!detail.findings && detail.findings_rev < 2) return null;
  return (
    <Section title={t("detail.findings")}>
      {detail.findings && <p className={css.description}>{detail.findings}</p>}
      <TextHistory id={detail.id} field="findings" rev={detail.findings_rev} />
    </Section>
  );
}

function Confirmation({ detail }: { detail: OrderDetail }) {
  const { t, times } = useWords();
  const { signature } = detail;
  const refusal = detail.earlier_signatures.find((answer) => answer.ending !== "signed");
  return (
    <Section title={t("sign.title")}>
      {signature ? (
        <div className={css.signature} data-old={signature.superseded_at !== null}>
          <p>
            <strong>{t("sign.by", { name: signature.signer_name })}</strong>
            {signature.rating !== null && <Stars rating={signature.rating} />}
          </p>
          <p className={css.faint}>{[signature.signer_role, times.full(signature.at)].filter(Boolean).join(" · ")}</p>
          {signature.comment && <blockquote>{signature.comment}</blockquote>}
          <p className={css.hash} title={signature.document_hash}>
            {t("sign.hash", { hash: signature.document_hash.slice(0, 16) })}…
          </p>
          <SignatureDoubts signature={signature} />
        </div>
      ) : refusal ? (
        <div className={css.signature} data-old="true">
          <p>
            <strong>{t(refusal.ending === "absent" ? "sign.absent" : "sign.declined")}</strong>
          </p>
          <p className={css.faint}>{[refusal.signer_name, times.full(refusal.at)].filter(Boolean).join(" · ")}</p>
          <blockquote>{refusal.reason}</blockquote>
        </div>
      ) : (
        <p className={css.faint}>{t(detail.state === "closed" ? "sign.exception" : "sign.none")}</p>
      )}
      {detail.reports.length > 0 && <ReportLink id={detail.id} />}
    </Section>
  );
}

/** What somebody should know before they rely on it: it is old, or not what its phone signed. */
function SignatureDoubts({ signature }: { signature: Signature }) {
  const { t, times } = useWords();
  const parts = signature.superseded_parts.map((part) => wordOf(t, "sign.part", part, isKey)).join(", ");
  return (
    <>
      {signature.superseded_at && (
        <p className={css.doubt} role="note">
          <TriangleAlert size={15} aria-hidden="true" />
          {[t("sign.superseded", { at: times.full(signature.superseded_at) }), parts].filter(Boolean).join(" ")}
        </p>
      )}
      {signature.attested === "invalid" && (
        <p className={css.doubt} role="note">
          <TriangleAlert size={15} aria-hidden="true" />
          {t("sign.invalid")}
        </p>
      )}
    </>
  );
}

function Stars({ rating }: { rating: number }) {
  const { t } = useWords();
  return (
    <span className={css.stars} role="img" aria-label={t("sign.rating", { rating })}>
      {[1, 2, 3, 4, 5].map((star) => (
        <Star key={star} size={15} fill={star <= rating ? "currentColor" : "none"} data-off={star > rating} />
      ))}
    </span>
  );
}

/** The report needs the access token, so it can't be a plain link: it is fetched and opened as a file of this page. */
function ReportLink({ id }: { id: string }) {
  const { t, language } = useWords();
  const { session } = useServices();
  const [busy, setBusy] = useState(false);
  async function open() {
    setBusy(true);
    const target = window.open("", "_blank"); // now, while it still counts as the reader's own click
    try {
      const answer = await session.fetch(
        new URL(`/api/v1/work-orders/${id}/report.pdf?language=${language}`, location.origin).href,
      );
      if (!answer.ok) throw new Error(t("report.failed"));
      const file = URL.createObjectURL(new Blob([await answer.blob()], { type: "application/pdf" }));
      if (target) target.location.href = file;
      setTimeout(() => URL.revokeObjectURL(file), 60_000);
    } catch (problem) {
      target?.close();
      complain(t, problem);
    }
    setBusy(false);
  }
  return (
    <Button
      variant="default"
      size="xs"
      h={32}
      mt={10}
      leftSection={<FileText size={16} />}
      loading={busy}
      onClick={open}
    >
      {t("report.open")}
    </Button>
  );
}

function Checklist({ items }: { items: readonly ChecklistItem[] }) {
  const { t } = useWords();
  const answered = items.filter((item) => item.answer).length;
  return (
    <Section
      title={t("check.title")}
      aside={items.length > 0 && t("check.progress", { done: answered, all: items.length })}
    >
      {items.length === 0 && <p className={css.faint}>{t("check.none")}</p>}
      <ul className={css.checklist}>
        {items.map((item) => (
          <ChecklistRow key={item.id} item={item} />
        ))}
      </ul>
    </Section>
  );
}

function ChecklistRow({ item }: { item: ChecklistItem }) {
  const { t, language } = useWords();
  const outside = item.out_of_limits;
  const Icon = outside ? TriangleAlert : item.answer ? Check : CircleDashed;
  return (
    <li data-answered={item.answer !== null} data-outside={outside}>
      <Icon size={16} aria-hidden="true" />
      <span>
        {textIn(language, item.label)}
        {!item.required && <small> {t("check.optional")}</small>}
      </span>
      <ChecklistAnswer item={item} />
    </li>
  );
}

function ChecklistAnswer({ item }: { item: ChecklistItem }) {
  const { t, times } = useWords();
  const written = useAnswerWords();
  if (!item.answer) return <em>{t("check.open")}</em>;
  return (
    <b>
      {written(item, item.answer.value)}
      {item.out_of_limits && (
        <small>
          {t("check.outside", {
            min: times.number(item.minimum ?? 0, 2),
            max: times.number(item.maximum ?? 0, 2),
          })}
        </small>
      )}
    </b>
  );
}

function Parts({ parts }: { parts: OrderDetail["parts"] }) {
  const { t, times, language } = useWords();
  return (
    <Section title={t("parts.title")}>
      {parts.length === 0 && <p className={css.faint}>{t("parts.none")}</p>}
      <ul className={css.ledger}>
        {parts.map((part) => (
          <li key={part.part_id}>
            <span>
              {textIn(language, part.name)}
              <small>{[part.sku, ...part.serials].join(" · ")}</small>
            </span>
            <b>
              {times.number(Number(part.quantity), 2)} {part.unit}
            </b>
          </li>
        ))}
      </ul>
    </Section>
  );
}

function Times({ entries }: { entries: OrderDetail["time_entries"] }) {
  const { t, times } = useWords();
  const now = useServerMinute();
  const length = (entry: (typeof entries)[number]) =>
    (Date.parse(entry.ended_at ?? new Date(now).toISOString()) - Date.parse(entry.started_at)) / 1000;
  const total = entries.reduce((sum, entry) => sum + length(entry), 0);
  return (
    <Section title={t("time.title")} aside={entries.length > 1 && `${t("time.total")} ${times.span(total)}`}>
      {entries.length === 0 && <p className={css.faint}>{t("time.none")}</p>}
      <ul className={css.ledger}>
        {entries.map((entry) => (
          <li key={entry.id}>
            <span>
              {wordOf(t, "time", entry.kind, isKey)}
              <small>
                {[
                  entry.person_name,
                  `${times.moment(entry.started_at, now)}–${entry.ended_at ? times.clock(entry.ended_at) : t("time.running")}`,
                ]
                  .filter(Boolean)
                  .join(" · ")}
              </small>
            </span>
            <b>{times.span(length(entry))}</b>
          </li>
        ))}
      </ul>
    </Section>
  );
}

function Costs({ costs }: { costs: OrderDetail["costs"] }) {
  const { t, times } = useWords();
  if (costs.length === 0) return null;
  return (
    <Section title={t("costs.title")}>
      <ul className={css.ledger}>
        {costs.map((cost) => (
          <li key={cost.id}>
            <span>
              {wordOf(t, "cost", cost.kind, isKey)}
              <small>{cost.description}</small>
            </span>
            <b>{times.money(cost.amount_minor, cost.currency)}</b>
          </li>
        ))}
      </ul>
    </Section>
  );
}
