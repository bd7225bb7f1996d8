import { answered } from "@callout/api";
import { Button, SegmentedControl, Select, TextInput } from "@mantine/core";
import { Ban, Heart, Plus, X } from "lucide-react";
import { type FormEvent, useMemo, useState } from "react";
import { useServerMinute } from "../app/clock";
import type { OrderDetail } from "../app/model";
import { useMay } from "../app/pages";
import { orderKeys, useNames } from "../app/queries";
import { useBoard, useServices } from "../app/services";
import { useWords } from "../i18n";
import { Failure } from "../ui/Messages";
import { ARRANGED, comeIntoView, granted, useWishes, type Wish } from "./arranging";
import css from "./arranging.module.css";
import detailCss from "./detail.module.css";
import { Section } from "./Section";
import { useChange } from "./useChange";
import { say, sayUndo } from "./useOrderActions";

/** Whom the customer likes to see, and whom not again. */
export function Wishes({ detail }: { detail: OrderDetail }) {
  const { t } = useWords();
  const mayRead = useMay("customers.read");
  const mayWrite = useMay("customers.write");
  const [adding, setAdding] = useState(false);
  const found = useWishes(detail.customer.id);
  const wishes = found.data ?? [];
  if (!mayRead || (wishes.length === 0 && !mayWrite && !found.isError)) return null;
  return (
    <Section title={t("wish.title")} aside={wishes.length > 0 && wishes.length}>
      {found.isError && <Failure title={t("wish.failed")} problem={found.error} onRetry={() => void found.refetch()} />}
      {found.isSuccess && wishes.length === 0 && <p className={detailCss.faint}>{t("wish.none")}</p>}
      <ul className={css.rows}>
        {wishes.map((wish) => (
          <WishRow key={wish.engineer_id} wish={wish} detail={detail} />
        ))}
      </ul>
      {mayWrite && !adding && found.isSuccess && (
        <Button size="compact-sm" variant="subtle" leftSection={<Plus size={14} />} onClick={() => setAdding(true)}>
          {t("wish.add")}
        </Button>
      )}
      {adding && <WishForm detail={detail} wishes={wishes} onClose={() => setAdding(false)} />}
    </Section>
  );
}

function useWishActs(detail: OrderDetail) {
  const { t } = useWords();
  const { api } = useServices();
  const arranging = useChange();
  const customer = detail.customer.id;
  // Wishes weigh in rankings, a ban rules out: who may come is worked out anew.
  const stale = [ARRANGED.wishes(customer), orderKeys.candidates(detail.id)] as const;
  const record = (engineer: string, wish: Wish["wish"], why: string) =>
    arranging.attempt(
      () =>
        answered(
          api.PUT("/api/v1/customers/{customer_id}/wishes/{engineer_id}", {
            params: { path: { customer_id: customer, engineer_id: engineer } },
            body: { wish, why },
          }),
        ),
      ...stale,
    );
  const withdraw = async (wish: Wish) => {
    const params = { path: { customer_id: customer, engineer_id: wish.engineer_id } };
    const done = await arranging.attempt(
      () => granted(api.DELETE("/api/v1/customers/{customer_id}/wishes/{engineer_id}", { params })),
      ...stale,
    );
    const message = t("wish.withdrawn", { name: wish.engineer_name });
    if (done) sayUndo(t, message, () => void record(wish.engineer_id, wish.wish, wish.why));
  };
  return { busy: arranging.busy, record, withdraw };
}

function WishRow({ wish, detail }: { wish: Wish; detail: OrderDetail }) {
  const { t, times } = useWords();
  const now = useServerMinute();
  const mayWrite = useMay("customers.write");
  const names = useNames();
  const acts = useWishActs(detail);
  const Icon = wish.wish === "banned" ? Ban : Heart;
  const by = names.get(wish.recorded_by);
  return (
    <li>
      <span className={css.mark} data-tone={wish.wish === "banned" ? "bad" : "good"}>
        <Icon size={15} aria-hidden="true" />
      </span>
      <div>
        <strong>{t(`wish.${wish.wish}`, { name: wish.engineer_name })}</strong>
        <p>{wish.why}</p>
        <span className={detailCss.faint}>
          {by && `${by} · `}
          {times.moment(wish.at, now)}
        </span>
      </div>
      {mayWrite && (
        <button
          type="button"
          className={css.remove}
          disabled={acts.busy}
          aria-label={t("wish.withdraw", { name: wish.engineer_name })}
          title={t("wish.withdraw", { name: wish.engineer_name })}
          onClick={() => void acts.withdraw(wish)}
        >
          <X size={15} aria-hidden="true" />
        </button>
      )}
    </li>
  );
}

/** The company's engineers as choices. */
export function useEngineerChoices(): readonly { readonly value: string; readonly label: string }[] {
  const engineers = useBoard((board) => board.engineers);
  const { language } = useWords();
  return useMemo(
    () =>
      [...engineers.values()]
        .map(({ id, name }) => ({ value: id, label: name }))
        .sort((a, b) => a.label.localeCompare(b.label, language)),
    [engineers, language],
  );
}

function WishForm(props: { detail: OrderDetail; wishes: readonly Wish[]; onClose: () => void }) {
  const { detail, wishes, onClose } = props;
  const { t } = useWords();
  const engineers = useEngineerChoices();
  const acts = useWishActs(detail);
  const [engineer, setEngineer] = useState<string | null>(null);
  const [kind, setKind] = useState<Wish["wish"]>("preferred");
  const [why, setWhy] = useState("");
  const [checked, setChecked] = useState(false);
  const before = wishes.find((wish) => wish.engineer_id === engineer);

  async function submit(event: FormEvent) {
    event.preventDefault();
    setChecked(true);
    if (!engineer || !why.trim()) return;
    const done = await acts.record(engineer, kind, why.trim());
    if (!done) return;
    say(t("wish.recorded", { name: done.engineer_name }));
    onClose();
  }
  return (
    <form ref={comeIntoView} className={css.form} onSubmit={submit} noValidate aria-label={t("wish.add")}>
      <SegmentedControl
        fullWidth
        value={kind}
        onChange={(value) => setKind(value === "banned" ? "banned" : "preferred")}
        data={[
          { value: "preferred", label: t("wish.likes") },
          { value: "banned", label: t("wish.bans") },
        ]}
      />
      <Select
        label={t("wish.engineer")}
        placeholder={t("moveTo.choose")}
        searchable
        required
        data={[...engineers]}
        value={engineer}
        onChange={setEngineer}
        error={checked && !engineer && t("new.required")}
      />
      <TextInput
        label={t("wish.why")}
        placeholder={t(kind === "banned" ? "wish.whyBanHint" : "wish.whyHint")}
        required
        maxLength={200}
        value={why}
        onChange={(event) => setWhy(event.currentTarget.value)}
        error={checked && !why.trim() && t("new.required")}
      />
      {before && <p className={detailCss.faint}>{t("wish.replaces", { name: before.engineer_name })}</p>}
      {kind === "banned" && <p className={detailCss.faint}>{t("wish.banHint")}</p>}
      <div className={css.formFoot}>
        <Button size="xs" variant="default" onClick={onClose}>
          {t("new.cancel")}
        </Button>
        <Button size="xs" type="submit" loading={acts.busy}>
          {t("wish.record")}
        </Button>
      </div>
    </form>
  );
}
