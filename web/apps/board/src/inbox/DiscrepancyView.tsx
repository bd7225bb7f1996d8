import { answered } from "@callout/api";
import { Button, Textarea } from "@mantine/core";
import { useQueryClient } from "@tanstack/react-query";
import { Check } from "lucide-react";
import { type FormEvent, useRef, useState } from "react";
import { useMay } from "../app/pages";
import { useNames } from "../app/queries";
import { useServices } from "../app/services";
import { Fact } from "../detail/Section";
import { complain, say } from "../detail/useOrderActions";
import { textIn, useWords } from "../i18n";
import { Failure, Skeleton } from "../ui/Messages";
import { ItemHead } from "./ItemHead";
import css from "./inbox.module.css";
import { type Discrepancy, useDiscrepancy, usePart } from "./queries";
import { useListKeys } from "./useListKeys";

export function DiscrepancyView({ id }: { id: string }) {
  const { t } = useWords();
  const found = useDiscrepancy(id);
  return (
    <article className={css.case} data-discrepancy={id}>
      <div className={css.caseBody} data-scroller>
        {found.isPending && <Skeleton height={120} />}
        {found.isError && (
          <Failure title={t("stock.fail")} problem={found.error} onRetry={() => void found.refetch()} />
        )}
        {found.data && <Told one={found.data} />}
      </div>
      {found.data && <Resolution one={found.data} />}
    </article>
  );
}

function Told({ one }: { one: Discrepancy }) {
  const { t, times, language } = useWords();
  const names = useNames();
  const part = usePart(one.part_id, one.sku).data;
  const amount = (value: number) => [times.number(value, 3), part?.unit].filter(Boolean).join(" ");
  return (
    <>
      <ItemHead title={t(`stock.${one.kind}`)} order={one.work_order_id}>
        {[part && textIn(language, part.name), one.sku].filter(Boolean).join(" · ")}
      </ItemHead>
      <p className={css.lead}>{t(`stock.${one.kind}Hint`)}</p>
      {one.kind === "negative" && one.found !== null && (
        <div className={css.figures}>
          <Figure label={t("stock.expected")} value={amount(one.found)} strong />
        </div>
      )}
      {one.kind !== "negative" && one.expected !== null && one.found !== null && (
        <div className={css.figures}>
          <Figure label={t(one.kind === "transfer" ? "stock.sent" : "stock.expected")} value={amount(one.expected)} />
          <Figure label={t(one.kind === "transfer" ? "stock.arrived" : "stock.found")} value={amount(one.found)} />
          <Figure
            label={t("stock.difference")}
            value={`${one.found > one.expected ? "+" : ""}${amount(one.found - one.expected)}`}
            strong
          />
        </div>
      )}
      <dl className={css.facts}>
        {one.location_name && <Fact label={t("stock.place")}>{one.location_name}</Fact>}
        {one.serial && <Fact label={t("stock.serial")}>{one.serial}</Fact>}
        <Fact label={t("stock.opened")}>{times.full(one.opened_at)}</Fact>
        {one.opened_by && <Fact label={t("stock.openedBy")}>{names.get(one.opened_by) ?? "–"}</Fact>}
        {one.note && <Fact label={t("stock.note")}>{one.note}</Fact>}
      </dl>
    </>
  );
}

function Figure(props: { label: string; value: string; strong?: boolean }) {
  return (
    <p data-strong={props.strong}>
      <span>{props.label}</span>
      <b>{props.value}</b>
    </p>
  );
}

function Resolution({ one }: { one: Discrepancy }) {
  const { t, times } = useWords();
  const names = useNames();
  const mayResolve = useMay("stock.move");
  if (one.state === "resolved") {
    const by = one.resolved_by ? (names.get(one.resolved_by) ?? "–") : t("stock.byItself");
    return (
      <footer className={css.decision}>
        <span className={css.verdict}>
          <Check size={15} aria-hidden="true" /> {by}
          {one.resolved_at && `, ${times.full(one.resolved_at)}`}
        </span>
        <p className={css.said}>{one.resolution}</p>
      </footer>
    );
  }
  if (!mayResolve) return <footer className={css.decision}>{t("stock.readOnly")}</footer>;
  return <Resolve one={one} />;
}

function Resolve({ one }: { one: Discrepancy }) {
  const { t } = useWords();
  const { api } = useServices();
  const queries = useQueryClient();
  const [why, setWhy] = useState("");
  const [lacking, setLacking] = useState(false);
  const [busy, setBusy] = useState(false);
  const field = useRef<HTMLTextAreaElement>(null);
  useListKeys([], { a: () => field.current?.focus(), r: () => field.current?.focus() });

  async function resolve(event?: FormEvent) {
    event?.preventDefault();
    const said = why.trim();
    setLacking(!said);
    if (!said || busy) return;
    setBusy(true);
    try {
      const params = { path: { discrepancy_id: one.id }, header: { "Idempotency-Key": crypto.randomUUID() } };
      const body = { why: said };
      await answered(api.POST("/api/v1/stock-discrepancies/{discrepancy_id}/resolution", { params, body }));
      say(t("done.resolved"));
    } catch (problem) {
      complain(t, problem);
    } finally {
      setBusy(false);
      void queries.invalidateQueries({ queryKey: ["discrepancies"] });
    }
  }
  return (
    <form className={css.decision} onSubmit={(event) => void resolve(event)}>
      <Textarea
        ref={field}
        label={t("stock.why")}
        description={t("stock.whyHint")}
        error={lacking && t("new.required")}
        autosize
        minRows={1}
        maxRows={5}
        maxLength={200}
        value={why}
        onChange={(event) => setWhy(event.currentTarget.value)}
        onKeyDown={(event) => {
          if (event.key === "Escape") event.currentTarget.blur();
          if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) void resolve();
        }}
      />
      <div className={css.buttons}>
        <Button type="submit" loading={busy} leftSection={<Check size={16} />}>
          {t("stock.resolve")}
        </Button>
      </div>
    </form>
  );
}
