import { Button, Textarea } from "@mantine/core";
import { Check, MessageSquarePlus, RotateCcw, Server, Smartphone, Trash2, Undo2 } from "lucide-react";
import { useRef, useState } from "react";
import { useServerMinute } from "../app/clock";
import { useMay } from "../app/pages";
import { Fact, Section } from "../detail/Section";
import { isKey, useWords, wordOf } from "../i18n";
import { Failure, Skeleton } from "../ui/Messages";
import { Fields } from "./Fields";
import { ItemHead } from "./ItemHead";
import css from "./inbox.module.css";
import { type Case, type Choice, useCase } from "./queries";
import { Sides } from "./Sides";
import { useListKeys } from "./useListKeys";
import { useSettle } from "./useSettle";

export function CaseView({ id }: { id: string }) {
  const { t } = useWords();
  const found = useCase(id);
  return (
    <article className={css.case} data-case={id}>
      <div className={css.caseBody} data-scroller>
        {found.isPending && <Skeleton height={120} />}
        {found.isError && (
          <Failure title={t("inbox.fail")} problem={found.error} onRetry={() => void found.refetch()} />
        )}
        {found.data && <Told it={found.data} />}
      </div>
      {found.data && <Decision it={found.data} />}
    </article>
  );
}

function Told({ it }: { it: Case }) {
  const { t } = useWords();
  const why = detailOf(it.result);
  return (
    <>
      <ItemHead title={wordOf(t, "code", it.code, isKey)} order={it.order?.id ?? null}>
        {wordOf(t, "mutation", it.name, isKey)} · {orderName(it, t)}
      </ItemHead>
      {it.kind === "conflict" && it.mine && it.theirs ? (
        <Sides it={it} mine={it.mine} theirs={it.theirs} />
      ) : (
        <Section title={t("inbox.what")}>
          {why && <p className={css.lead}>{why}</p>}
          <Fields of={argsOf(it.mutation)} />
        </Section>
      )}
      <Circumstances it={it} />
      <Remarks it={it} />
      <details className={css.verbatim}>
        <summary>{t("inbox.verbatim")}</summary>
        <pre>{JSON.stringify(it.mutation, null, 2)}</pre>
      </details>
    </>
  );
}

function orderName(it: Case, t: ReturnType<typeof useWords>["t"]): string {
  if (it.order) return `${t("inbox.order", { number: `#${it.order.number}` })}, ${it.order.customer_name}`;
  return it.work_order_id ? t("inbox.gone") : t("inbox.noOrder");
}

/** The server's sentence on why it did not take something in. */
function detailOf(result: Record<string, unknown>): string | null {
  const detail = (result.facts as Record<string, unknown> | undefined)?.detail;
  return typeof detail === "string" ? detail : null;
}

function argsOf(mutation: Case["mutation"]): Record<string, unknown> {
  const args: unknown = mutation.args;
  return args !== null && typeof args === "object" ? { ...args } : { ...mutation };
}

function Circumstances({ it }: { it: Case }) {
  const { t, times } = useWords();
  return (
    <dl className={css.facts}>
      <Fact label={t("inbox.who")}>{it.person_name}</Fact>
      <Fact label={t("inbox.device")}>{it.device_name}</Fact>
      <Fact label={t("inbox.when")}>
        {t("inbox.uncertain", { time: times.full(it.at_estimated), span: times.span(it.uncertainty_ms / 1000) })}
      </Fact>
      <Fact label={t("inbox.deviceTime")}>{times.full(it.at_device)}</Fact>
      <Fact label={t("inbox.received")}>{times.full(it.received_at)}</Fact>
    </dl>
  );
}

function Remarks({ it }: { it: Case }) {
  const { t, times } = useWords();
  const now = useServerMinute();
  if (it.remarks.length === 0) return null;
  return (
    <Section title={t("inbox.remarks")}>
      <ol className={css.remarks}>
        {it.remarks.map((remark) => (
          <li key={remark.id}>
            <strong>
              {t("inbox.settledAs", {
                who: remark.person_name,
                verdict: t(`verdict.${remark.verdict}`),
                when: times.moment(remark.at, now),
              })}
            </strong>
            {remark.note && <p>{remark.note}</p>}
            {remark.result && <small>{outcome(remark.result)}</small>}
          </li>
        ))}
      </ol>
    </Section>
  );

  function outcome(result: Record<string, unknown>): string {
    const status = wordOf(t, "status", String(result.status), isKey);
    return [t("inbox.replayResult", { status }), detailOf(result)].filter(Boolean).join(" – ");
  }
}

const CHOICES = {
  conflict: [
    { choice: "accept_mine", key: "m", icon: Smartphone },
    { choice: "accept_theirs", key: "t", icon: Server },
  ],
  quarantine: [
    { choice: "replay", key: "r", icon: RotateCcw },
    { choice: "discard", key: "d", icon: Trash2 },
  ],
} as const;

function Decision({ it }: { it: Case }) {
  const { t } = useWords();
  const { busy, settle } = useSettle();
  const [note, setNote] = useState("");
  const field = useRef<HTMLTextAreaElement>(null);
  const mayDecide = useMay("visits.dispatch");
  const open = it.state === "open";
  const choices = open && mayDecide ? CHOICES[it.kind] : [];
  const undoable = !open && mayDecide && it.verdict !== "replay";

  async function decide(choice: Choice) {
    if (busy) return;
    if (await settle(it.id, choice, note.trim() || undefined)) setNote("");
  }
  useListKeys([], {
    ...Object.fromEntries(choices.map(({ choice, key }) => [key, () => void decide(choice)])),
    ...(undoable && { u: () => void decide("undo") }),
    ...(mayDecide && { a: () => field.current?.focus() }),
  });
  if (!mayDecide) return <footer className={css.decision}>{t("inbox.readOnly")}</footer>;
  return (
    <footer className={css.decision}>
      <Textarea
        ref={field}
        aria-label={t("inbox.remark")}
        placeholder={t("inbox.remarkPlaceholder")}
        autosize
        minRows={1}
        maxRows={5}
        value={note}
        onChange={(event) => setNote(event.currentTarget.value)}
        onKeyDown={(event) => {
          if (event.key === "Escape") event.currentTarget.blur();
          if (event.key === "Enter" && (event.ctrlKey || event.metaKey) && note.trim()) void decide("annotate");
        }}
      />
      <div className={css.buttons}>
        {choices.map(({ choice, key, icon: Icon }, at) => (
          <Button
            key={choice}
            variant={at === 0 ? "filled" : "default"}
            disabled={busy}
            leftSection={<Icon size={16} />}
            rightSection={<kbd>{key}</kbd>}
            onClick={() => void decide(choice)}
          >
            {t(`verdict.${choice}`)}
          </Button>
        ))}
        {undoable && (
          <Button
            variant="default"
            disabled={busy}
            leftSection={<Undo2 size={16} />}
            rightSection={<kbd>u</kbd>}
            onClick={() => void decide("undo")}
          >
            {t("verdict.undo")}
          </Button>
        )}
        {!open && it.verdict && (
          <span className={css.verdict}>
            <Check size={15} aria-hidden="true" /> {it.settled_by_name}: {t(`verdict.${it.verdict}`)}
          </span>
        )}
        {note.trim() && (
          <Button
            variant="subtle"
            disabled={busy}
            leftSection={<MessageSquarePlus size={16} />}
            onClick={() => void decide("annotate")}
          >
            {t("inbox.addRemark")}
          </Button>
        )}
      </div>
    </footer>
  );
}
