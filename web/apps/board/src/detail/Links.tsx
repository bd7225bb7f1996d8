import { answered } from "@callout/api";
import { Button, NumberInput, Select } from "@mantine/core";
import { useDebouncedValue } from "@mantine/hooks";
import { useQuery } from "@tanstack/react-query";
import { ArrowRight, Link2, Plus, X } from "lucide-react";
import { type FormEvent, useState } from "react";
import { showOrder } from "../app/address";
import type { OrderDetail } from "../app/model";
import { useMay } from "../app/pages";
import { useServices } from "../app/services";
import { useWords } from "../i18n";
import { Failure } from "../ui/Messages";
import { ARRANGED, comeIntoView, granted, type Link, type NewLink, useLinks } from "./arranging";
import css from "./arranging.module.css";
import detailCss from "./detail.module.css";
import { Section } from "./Section";
import { useChange } from "./useChange";
import { sayUndo } from "./useOrderActions";

/** Which other orders this one depends on, or goes together with. */
export function Links({ detail }: { detail: OrderDetail }) {
  const { t } = useWords();
  const may = useMay("orders.triage");
  const found = useLinks(detail.id);
  const [adding, setAdding] = useState(false);
  const links = found.data ?? [];
  if (found.isSuccess && links.length === 0 && !may) return null;
  return (
    <Section title={t("links.title")} aside={links.length > 0 && links.length}>
      {found.isError && (
        <Failure title={t("links.failed")} problem={found.error} onRetry={() => void found.refetch()} />
      )}
      {found.isSuccess && links.length === 0 && <p className={detailCss.faint}>{t("links.none")}</p>}
      <ul className={css.rows}>
        {links.map((link) => (
          <LinkRow key={link.id} link={link} id={detail.id} />
        ))}
      </ul>
      {may && !adding && found.isSuccess && (
        <Button size="compact-sm" variant="subtle" leftSection={<Plus size={14} />} onClick={() => setAdding(true)}>
          {t("links.add")}
        </Button>
      )}
      {adding && <LinkForm detail={detail} onClose={() => setAdding(false)} />}
    </Section>
  );
}

function useLinkActs(id: string) {
  const { t } = useWords();
  const { api } = useServices();
  const { busy, attempt } = useChange();
  const stale = (other: string) => [ARRANGED.links(id), ARRANGED.links(other)] as const;
  const otherIn = (link: { first_id: string; then_id: string }) =>
    link.first_id === id ? link.then_id : link.first_id;
  const add = (body: NewLink) =>
    attempt(() => answered(api.POST("/api/v1/work-order-links", { body })), ...stale(otherIn(body)));
  const remove = async (link: Link) => {
    const params = { path: { link_id: link.id } };
    const done = await attempt(
      () => granted(api.DELETE("/api/v1/work-order-links/{link_id}", { params })),
      ...stale(otherIn(link)),
    );
    const { kind, first_id, then_id, gap_minutes } = link;
    if (done) sayUndo(t, t("links.removed"), () => void add({ kind, first_id, then_id, gap_minutes }));
  };
  return { busy, add, remove };
}

function LinkRow({ link, id }: { link: Link; id: string }) {
  const { t, times } = useWords();
  const may = useMay("orders.triage");
  const acts = useLinkActs(id);
  const isFirst = link.first_id === id;
  const other = isFirst
    ? { id: link.then_id, number: link.then_number, title: link.then_title }
    : { id: link.first_id, number: link.first_number, title: link.first_title };
  const words = link.kind === "together" ? "links.together" : isFirst ? "links.followedBy" : "links.after";
  return (
    <li>
      <span className={css.mark}>
        {link.kind === "together" ? (
          <Link2 size={15} aria-hidden="true" />
        ) : (
          <ArrowRight size={15} aria-hidden="true" />
        )}
      </span>
      <div>
        <span className={detailCss.faint}>
          {t(words)}
          {link.gap_minutes > 0 && ` · ${t("links.gapOf", { span: times.span(link.gap_minutes * 60) })}`}
        </span>
        <button type="button" className={css.order} onClick={() => showOrder(other.id)}>
          <b>#{other.number}</b> {other.title}
        </button>
      </div>
      {may && (
        <button
          type="button"
          className={css.remove}
          disabled={acts.busy}
          aria-label={t("links.remove", { number: `#${other.number}` })}
          title={t("links.remove", { number: `#${other.number}` })}
          onClick={() => void acts.remove(link)}
        >
          <X size={15} aria-hidden="true" />
        </button>
      )}
    </li>
  );
}

const RELATIONS = ["together", "after", "followedBy"] as const;
type Relation = (typeof RELATIONS)[number];
const FOUND = 8;

function LinkForm({ detail, onClose }: { detail: OrderDetail; onClose: () => void }) {
  const { t } = useWords();
  const acts = useLinkActs(detail.id);
  const [relation, setRelation] = useState<Relation>("together");
  const [other, setOther] = useState<string | null>(null);
  const [gap, setGap] = useState<number | string>(0);
  const [typed, setTyped] = useState("");
  const [checked, setChecked] = useState(false);
  const orders = useOrdersLike(typed, detail.id);

  async function submit(event: FormEvent) {
    event.preventDefault();
    setChecked(true);
    if (!other) return;
    const [first_id, then_id] = relation === "after" ? [other, detail.id] : [detail.id, other];
    const kind = relation === "together" ? "together" : "before";
    const gap_minutes = kind === "before" ? Number(gap) || 0 : 0;
    if (await acts.add({ kind, first_id, then_id, gap_minutes })) onClose();
  }
  return (
    <form ref={comeIntoView} className={css.form} onSubmit={submit} noValidate aria-label={t("links.add")}>
      <Select
        label={t("links.relation")}
        allowDeselect={false}
        value={relation}
        onChange={(value) => setRelation(RELATIONS.find((one) => one === value) ?? "together")}
        data={RELATIONS.map((value) => ({ value, label: t(`links.${value}`) }))}
      />
      <Select
        label={t("links.order")}
        placeholder={t("links.search")}
        searchable
        required
        nothingFoundMessage={t(typed.trim() ? "links.nothing" : "links.search")}
        filter={({ options }) => options}
        data={orders}
        value={other}
        onChange={setOther}
        searchValue={typed}
        onSearchChange={setTyped}
        error={checked && !other && t("new.required")}
      />
      {relation !== "together" && (
        <NumberInput
          label={t("links.gap")}
          min={0}
          max={100_000}
          step={15}
          suffix={` ${t("rules.minutes")}`}
          value={gap}
          onChange={setGap}
        />
      )}
      <div className={css.formFoot}>
        <Button size="xs" variant="default" onClick={onClose}>
          {t("new.cancel")}
        </Button>
        <Button size="xs" type="submit" loading={acts.busy}>
          {t("links.record")}
        </Button>
      </div>
    </form>
  );
}

/** Orders by number or words, without this one. What was chosen stays named while its own label is searched for. */
function useOrdersLike(typed: string, not: string): { value: string; label: string }[] {
  const { api } = useServices();
  const [q] = useDebouncedValue(typed.replace(/^#(\d+)\b.*$/, "$1").trim(), 180);
  const { data } = useQuery<{ items: readonly { id: string; number: number; title: string }[] }>({
    queryKey: ["orders-like", q],
    enabled: q.length > 0,
    placeholderData: (before) => before,
    queryFn: ({ signal }) =>
      answered(api.GET("/api/v1/work-orders", { params: { query: { q, limit: FOUND } }, signal })),
  });
  return (data?.items ?? [])
    .filter((one) => one.id !== not)
    .map((one) => ({ value: one.id, label: `#${one.number} ${one.title}` }));
}
