import { Button, SegmentedControl } from "@mantine/core";
import { GitCompareArrows, InboxIcon, PackageX } from "lucide-react";
import { useState } from "react";
import { go, useWhereabouts } from "../app/address";
import { useServerMinute } from "../app/clock";
import { useNarrow } from "../app/screen";
import { isKey, useWords, wordOf } from "../i18n";
import { Failure, Message, Skeleton } from "../ui/Messages";
import { CaseView } from "./CaseView";
import css from "./inbox.module.css";
import { type Item, type ItemState, type Kind, useInbox } from "./queries";
import { useListKeys } from "./useListKeys";

export function InboxPage() {
  const { t } = useWords();
  const narrow = useNarrow();
  const { item: chosen } = useWhereabouts();
  const [state, setState] = useState<ItemState>("open");
  const [kind, setKind] = useState<Kind | "all">("all");
  const inbox = useInbox(state, kind === "all" ? null : kind);
  const items = inbox.data?.pages.flatMap((page) => page.items) ?? [];
  useListKeys(items.map((item) => item.id));
  return (
    <main className={css.page}>
      {!(narrow && chosen) && (
        <section className={css.list} aria-label={t("inbox.title")}>
          <header className={css.head}>
            <h1>{t("inbox.title")}</h1>
            <SegmentedControl
              size="xs"
              value={state}
              onChange={(next) => setState(next as ItemState)}
              data={(["open", "settled"] as const).map((value) => ({ value, label: t(`inbox.${value}`) }))}
            />
            <SegmentedControl
              size="xs"
              fullWidth
              className={css.kinds}
              value={kind}
              onChange={(next) => setKind(next as Kind | "all")}
              data={(["all", "conflict", "quarantine"] as const).map((value) => ({
                value,
                label: t(`inbox.${value}`),
              }))}
            />
          </header>
          <div className={css.scroller} data-scroller>
            {inbox.isPending && <Skeletons />}
            {inbox.isError && (
              <Failure title={t("inbox.fail")} problem={inbox.error} onRetry={() => void inbox.refetch()} />
            )}
            {inbox.isSuccess && items.length === 0 && <Empty state={state} />}
            <ul>
              {items.map((item) => (
                <Line key={item.id} item={item} chosen={item.id === chosen} />
              ))}
            </ul>
            {inbox.hasNextPage && (
              <Button
                variant="subtle"
                fullWidth
                loading={inbox.isFetchingNextPage}
                onClick={() => void inbox.fetchNextPage()}
              >
                {t("inbox.more")}
              </Button>
            )}
          </div>
        </section>
      )}
      {chosen ? (
        <CaseView key={chosen} id={chosen} />
      ) : (
        !narrow && (
          <div className={css.nothing}>
            <Message icon={InboxIcon} title={t("inbox.pick")} hint={t("inbox.pickHint")} />
          </div>
        )
      )}
    </main>
  );
}

function Empty({ state }: { state: ItemState }) {
  const { t } = useWords();
  if (state === "settled") return <Message icon={InboxIcon} title={t("inbox.emptySettled")} />;
  return <Message icon={InboxIcon} title={t("inbox.empty")} hint={t("inbox.emptyHint")} />;
}

function Skeletons() {
  return (
    <div className={css.skeletons}>
      {["78%", "64%", "71%", "58%"].map((width) => (
        <Skeleton key={width} width={width} height={34} />
      ))}
    </div>
  );
}

function Line({ item, chosen }: { item: Item; chosen: boolean }) {
  const { t, times } = useWords();
  const now = useServerMinute();
  const Icon = item.kind === "conflict" ? GitCompareArrows : PackageX;
  return (
    <li>
      <button
        type="button"
        className={css.line}
        data-item={item.id}
        aria-current={chosen}
        onClick={() => go({ item: item.id })}
      >
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
      </button>
    </li>
  );
}
