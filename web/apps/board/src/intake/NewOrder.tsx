import { answered } from "@callout/api";
import { Button, Modal, MultiSelect, NumberInput, Select, Textarea, TextInput } from "@mantine/core";
import { useDebouncedValue } from "@mantine/hooks";
import { useQuery } from "@tanstack/react-query";
import { type FormEvent, useEffect, useEffectEvent, useState } from "react";
import { showOrder } from "../app/address";
import { type Customer, type NewOrder as NewOrderBody, orderOf, PRIORITIES, type Priority } from "../app/model";
import { useNarrow } from "../app/screen";
import { useServices } from "../app/services";
import { complain, say } from "../detail/useOrderActions";
import { textIn, useWords } from "../i18n";
import { PriorityMark } from "../ui/Badges";
import { type Draft, EMPTY_DRAFT, PROMISE_S, type Problems, problemsOf, requestOf } from "./draft";
import css from "./intake.module.css";

export function NewOrder(props: { opened: boolean; onClose: () => void }) {
  const { t } = useWords();
  const narrow = useNarrow();
  return (
    <Modal
      opened={props.opened}
      onClose={props.onClose}
      title={t("new.title")}
      size={700}
      fullScreen={narrow}
      closeButtonProps={{ "aria-label": t("close") }}
    >
      <NewOrderForm onClose={props.onClose} />
    </Modal>
  );
}

type Change = (change: Partial<Draft>) => void;
interface PartProps {
  readonly draft: Draft;
  readonly change: Change;
  readonly problems: Problems;
}

function NewOrderForm({ onClose }: { onClose: () => void }) {
  const { t, timeZone } = useWords();
  const { api, board } = useServices();
  const [draft, setDraft] = useState(EMPTY_DRAFT);
  const [checked, setChecked] = useState(false);
  const [busy, setBusy] = useState(false);
  const problems = checked ? problemsOf(draft) : {};
  // One key per form, not per click: sending the same form twice after a lost answer makes one order.
  const [key] = useState(() => crypto.randomUUID());
  const change: Change = (part) => setDraft((now) => ({ ...now, ...part }));

  async function submit(event: FormEvent<HTMLFormElement>) {
    event.preventDefault();
    setChecked(true);
    if (Object.keys(problemsOf(draft)).length > 0) {
      const form = event.currentTarget;
      requestAnimationFrame(() => form.querySelector<HTMLElement>("[data-error]")?.focus());
      return;
    }
    setBusy(true);
    try {
      const body: NewOrderBody = requestOf(draft, timeZone);
      const headers = { "Idempotency-Key": key };
      const order = orderOf(await answered(api.POST("/api/v1/work-orders", { body, headers })));
      board.learn(order);
      onClose();
      showOrder(order.id, "candidates");
      say(t("done.created", { number: `#${order.number}` }));
    } catch (problem) {
      complain(t, problem);
    }
    setBusy(false);
  }

  const parts = { draft, change, problems };
  return (
    <form className={css.form} onSubmit={submit} noValidate>
      <WherePart {...parts} />
      <WhatPart {...parts} />
      <WhenPart {...parts} />
      <div className={css.foot}>
        <Button variant="default" onClick={onClose}>
          {t("new.cancel")}
        </Button>
        <Button type="submit" loading={busy}>
          {t("new.submit")}
        </Button>
      </div>
    </form>
  );
}

function useRequired(problems: Problems): (field: keyof Draft) => string | undefined {
  const { t } = useWords();
  return (field) => problems[field] && t(problems[field]);
}

function WherePart({ draft, change, problems }: PartProps) {
  const { t } = useWords();
  const required = useRequired(problems);
  const [typed, setTyped] = useState("");
  const customers = useCustomers(typed);
  const sites = useSites(draft.customer);
  const assets = useAssets(draft.site);
  const onlySite = sites.length === 1 ? sites[0]?.value : undefined;
  const choose = useEffectEvent((site: string) => change({ site }));
  useEffect(() => {
    if (onlySite) choose(onlySite); // most customers have one site: nobody should have to pick it
  }, [onlySite]);
  return (
    <fieldset className={css.part}>
      <legend>{t("new.where")}</legend>
      <Select
        className={css.whole ?? ""}
        label={t("new.customer")}
        placeholder={t("new.customerHint")}
        nothingFoundMessage={t("new.noCustomer")}
        searchable
        required
        data-autofocus
        data={customers}
        filter={({ options }) => options}
        value={draft.customer}
        searchValue={typed}
        onSearchChange={setTyped}
        onChange={(customer) => change({ customer, site: null, asset: null })}
        error={required("customer")}
      />
      <Select
        label={t("new.site")}
        required
        disabled={draft.customer === null}
        nothingFoundMessage={t("new.noSite")}
        data={sites}
        value={draft.site}
        onChange={(site) => change({ site, asset: null })}
        error={required("site")}
      />
      <Select
        label={t("new.asset")}
        placeholder={t("new.noAsset")}
        clearable
        disabled={draft.site === null || assets.length === 0}
        data={assets}
        value={draft.asset}
        onChange={(asset) => change({ asset })}
      />
    </fieldset>
  );
}

function WhatPart({ draft, change, problems }: PartProps) {
  const { t } = useWords();
  const required = useRequired(problems);
  const skills = useSkills();
  return (
    <fieldset className={css.part}>
      <legend>{t("new.what")}</legend>
      <TextInput
        className={css.whole ?? ""}
        label={t("new.titleField")}
        placeholder={t("new.titleHint")}
        required
        maxLength={200}
        value={draft.title}
        onChange={(event) => change({ title: event.currentTarget.value })}
        error={required("title")}
      />
      <Textarea
        className={css.whole ?? ""}
        label={t("new.description")}
        placeholder={t("new.descriptionHint")}
        autosize
        minRows={2}
        maxRows={8}
        value={draft.description}
        onChange={(event) => change({ description: event.currentTarget.value })}
      />
      <Select
        label={t("new.problemType")}
        required
        searchable
        data={skills}
        value={draft.problemType || null}
        onChange={(problemType) => change({ problemType: problemType ?? "" })}
        error={required("problemType")}
      />
      <NumberInput
        label={t("new.duration")}
        min={5}
        max={1440}
        step={15}
        value={draft.minutes}
        onChange={(minutes) => change({ minutes: Number(minutes) || 0 })}
      />
      <PriorityChoice value={draft.priority} onChange={(priority) => change({ priority })} />
    </fieldset>
  );
}

function PriorityChoice(props: { value: Priority; onChange: (priority: Priority) => void }) {
  const { t, times } = useWords();
  return (
    <div className={css.whole} role="radiogroup" aria-label={t("priority.label")}>
      <div className={css.priorities}>
        {PRIORITIES.map((one) => (
          <label key={one} data-chosen={props.value === one} data-priority={one}>
            <input type="radio" name="priority" checked={props.value === one} onChange={() => props.onChange(one)} />
            <PriorityMark priority={one} size={16} />
            {t(`priority.${one}`)}
          </label>
        ))}
      </div>
      <p className={css.hint}>{t("new.promise", { span: times.span(PROMISE_S[props.value]) })}</p>
    </div>
  );
}

function WhenPart({ draft, change, problems }: PartProps) {
  const { t } = useWords();
  const required = useRequired(problems);
  const skills = useSkills();
  return (
    <fieldset className={css.part}>
      <legend>{t("new.when")}</legend>
      <TextInput
        type="datetime-local"
        label={`${t("new.window")}: ${t("new.from")}`}
        value={draft.from}
        onChange={(event) => change({ from: event.currentTarget.value })}
      />
      <TextInput
        type="datetime-local"
        label={t("new.to")}
        value={draft.to}
        onChange={(event) => change({ to: event.currentTarget.value })}
        error={required("to")}
      />
      <MultiSelect
        className={css.whole ?? ""}
        label={t("new.skills")}
        placeholder={draft.skills.length === 0 ? t("new.skillsHint") : ""}
        data={skills}
        value={[...draft.skills]}
        onChange={(chosen) => change({ skills: chosen })}
      />
    </fieldset>
  );
}

interface Option {
  readonly value: string;
  readonly label: string;
}

function useCustomers(typed: string): Option[] {
  const { api } = useServices();
  const [q] = useDebouncedValue(typed.replace(/ · .*$/, "").trim(), 180);
  const { data } = useQuery<{ items: Customer[] }>({
    queryKey: ["customers", q],
    placeholderData: (before) => before,
    queryFn: ({ signal }) =>
      answered(api.GET("/api/v1/customers", { params: { query: { limit: 20, ...(q && { q }) } }, signal })),
  });
  return (data?.items ?? []).map((one) => ({ value: one.id, label: `${one.name} · ${one.number}` }));
}

function useSites(customer: string | null): Option[] {
  const { api } = useServices();
  const { data } = useQuery({
    queryKey: ["sites", customer],
    enabled: customer !== null,
    queryFn: ({ signal }) =>
      answered(api.GET("/api/v1/sites", { params: { query: { customer_id: customer ?? "" } }, signal })),
  });
  return customer ? (data?.items ?? []).map((one) => ({ value: one.id, label: `${one.name}, ${one.address}` })) : [];
}

function useAssets(site: string | null): Option[] {
  const { api } = useServices();
  const { data } = useQuery({
    queryKey: ["assets", site],
    enabled: site !== null,
    queryFn: ({ signal }) =>
      answered(api.GET("/api/v1/assets", { params: { query: { site_id: site ?? "" } }, signal })),
  });
  if (!site) return [];
  return (data?.items ?? []).map((one) => ({
    value: one.id,
    label: [one.product, one.model, one.serial].filter(Boolean).join(" · "),
  }));
}

function useSkills(): Option[] {
  const { api } = useServices();
  const { language } = useWords();
  const { data } = useQuery({
    queryKey: ["skills"],
    staleTime: 300_000,
    queryFn: ({ signal }) => answered(api.GET("/api/v1/skills", { signal })),
  });
  return (data?.items ?? []).map((one) => ({ value: one.key, label: textIn(language, one.name) }));
}
