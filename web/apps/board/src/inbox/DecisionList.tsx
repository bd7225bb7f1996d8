import { SegmentedControl } from "@mantine/core";
import { GitCompareArrows, InboxIcon, PackageX } from "lucide-react";
import { useState } from "react";
import { useServerMinute } from "../app/clock";
import { isKey, useWords, wordOf } from "../i18n";
import { Message } from "../ui/Messages";
import css from "./inbox.module.css";
import { ListFrame } from "./ListFrame";
import { type Item, type ItemState, type Kind, useInbox } from "./queries";

export function DecisionList() {
  const { t } = useWords();
  const [state, setState] = useState<ItemState>("open");
  const [kind, setKind] = useState<Kind | "all">("all");
  const inbox = useInbox(state, kind === "all" ? null : kind);
  return (
    <>
      <header className={css.head}>
        <SegmentedControl
          size="xs"
          value={kind}
          onChange={(next) => setKind(next as Kind | "all")}
          data={(["all", "conflict", "quarantine"] as const).map((value) => ({ value, label: t(`inbox.${value}`) }))}
        />
        <SegmentedControl
          size="xs"
          value={state}
          onChange={(next) => setState(next as ItemState)}
          data={(["open", "settled"] as const).map((value) => ({ value, label: t(`inbox.${value}`) }))}
        />
      </header>
      <ListFrame
        found={inbox}
        items={inbox.data?.pages.flatMap((page) => page.items) ?? []}
        failed={t("inbox.fail")}
        empty={<Empty state={state} />}
        line={(item) => <Line item={item} />}
      />
    </>
  );
}

function Empty({ state }: { state: ItemState }) {
  const { t } = useWords();
  if (state === "settled") return <Message icon={InboxIcon} title={t("inbox.emptySettled")} />;
  return <Message icon={InboxIcon} title={t("inbox.empty")} hint={t("inbox.emptyHint")} />;
}

function Line({ item }: { item: Item }) {
  const { t, times } = useWords();
  const now = useServerMinute();
  const Icon = item.kind === "conflict" ? GitCompareArrows : PackageX;
  return (
    <>
      <span className={css.kind} data-kind={item.kind}>
        <Icon size={17} aria-hidden="true" />
      </span>
      <span className={css.text}>
        <strong>{wordOf(t, "code", item.code, isKey)}</strong>
        <span>
          {wordOf(t, "mutation", item.name, isKey)} ·{" "}
          {item.order
            ? `#${item.order.number} ${item.order.customer_name}`
            : t(item.work_order_id ? "inbox.gone" : "inbox.noOrder")}
        </span>
        <small>
          {item.person_name} · {times.moment(item.at_estimated, now)}
          {item.verdict && ` · ${t(`verdict.${item.verdict}`)}`}
        </small>
      </span>
    </>
  );
}
