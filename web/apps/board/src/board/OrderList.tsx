import { Button } from "@mantine/core";
import { useVirtualizer } from "@tanstack/react-virtual";
import { Inbox, SearchX } from "lucide-react";
import { memo, useEffect, useRef } from "react";
import { go, showOrder, useWhereabouts } from "../app/address";
import type { Order } from "../app/model";
import { useBoard } from "../app/services";
import { useWords } from "../i18n";
import { Avatar } from "../ui/Avatar";
import { PriorityMark } from "../ui/Badges";
import { Message } from "../ui/Messages";
import { Countdown } from "../ui/Promise";
import { StateGlyph } from "../ui/StateGlyph";
import { Filters } from "./Filters";
import { isFiltered, NO_FILTER } from "./filter";
import css from "./list.module.css";
import { SearchField } from "./SearchField";

const ROW_PX = 66;

export function OrderList({ shown }: { shown: readonly Order[] }) {
  const { t } = useWords();
  const { filter } = useWhereabouts();
  return (
    <>
      <div className={css.tools}>
        <SearchField
          label={t("list.search")}
          value={filter.text}
          onChange={(text) => go({ filter: { ...filter, text } })}
        />
        <Filters />
      </div>
      {shown.length > 0 ? <Rows orders={shown} /> : <Nothing filtered={isFiltered(filter)} />}
    </>
  );
}

function Nothing({ filtered }: { filtered: boolean }) {
  const { t } = useWords();
  if (!filtered) return <Message icon={Inbox} title={t("list.empty")} hint={t("list.emptyHint")} />;
  return (
    <Message icon={SearchX} title={t("list.noMatch")} hint={t("list.noMatchHint")}>
      <Button variant="default" size="xs" mt={6} onClick={() => go({ filter: NO_FILTER })}>
        {t("list.clearFilters")}
      </Button>
    </Message>
  );
}

function Rows({ orders }: { orders: readonly Order[] }) {
  const { t } = useWords();
  const { order: selected } = useWhereabouts();
  const scroller = useRef<HTMLDivElement>(null);
  const rows = useVirtualizer({
    count: orders.length,
    getScrollElement: () => scroller.current,
    estimateSize: () => ROW_PX,
    getItemKey: (index) => orders[index]?.id ?? index,
    overscan: 8,
  });
  useKeepInSight(rows.scrollToIndex, orders, selected);
  return (
    <div
      className={css.scroller}
      ref={scroller}
      role="listbox"
      aria-label={t("list.label")}
      aria-activedescendant={selected ? `order-${selected}` : undefined}
      tabIndex={0}
    >
      <div className={css.rows} style={{ height: rows.getTotalSize() }}>
        {rows.getVirtualItems().map((row) => {
          const order = orders[row.index];
          return (
            order && (
              <div
                key={row.key}
                className={css.slot}
                style={{ transform: `translateY(${row.start}px)`, height: row.size }}
              >
                <OrderRow order={order} selected={order.id === selected} />
              </div>
            )
          );
        })}
      </div>
    </div>
  );
}

/** Scrolls to the selected row when the selection changes, not whenever the list is sorted anew. */
function useKeepInSight(
  scrollToIndex: (index: number, options: { align: "auto" }) => void,
  orders: readonly Order[],
  selected: string | null,
): void {
  const latest = useRef({ orders, scrollToIndex });
  latest.current = { orders, scrollToIndex };
  useEffect(() => {
    const index = latest.current.orders.findIndex((order) => order.id === selected);
    if (index >= 0) latest.current.scrollToIndex(index, { align: "auto" });
  }, [selected]);
}

const OrderRow = memo(function OrderRow({ order, selected }: { order: Order; selected: boolean }) {
  const { t } = useWords();
  const label = t("list.rowLabel", {
    priority: t(`priority.${order.priority}`),
    state: t(`state.${order.state}`),
    number: String(order.number),
    title: order.title,
    customer: order.customer_name,
  });
  return (
    // biome-ignore lint/a11y/useKeyWithClickEvents: the keys j, k, Enter and the arrows work on the whole board
    // biome-ignore lint/a11y/useFocusableInteractive: the list box has the focus and names its active option
    <div
      id={`order-${order.id}`}
      role="option"
      aria-selected={selected}
      aria-label={label}
      className={css.row}
      data-priority={order.priority}
      data-testid="order-row"
      onClick={() => showOrder(order.id)}
    >
      <span className={css.glyph} title={t(`state.${order.state}`)}>
        <StateGlyph state={order.state} />
      </span>
      <div className={css.main}>
        <div className={css.line}>
          <PriorityMark priority={order.priority} />
          <strong className={css.title}>{order.title}</strong>
          <Countdown order={order} />
        </div>
        <div className={css.line}>
          <span className={css.where}>
            <span className={css.number}>#{order.number}</span>
            {order.customer_name}
          </span>
          <Assignee order={order} />
        </div>
      </div>
    </div>
  );
});

function Assignee({ order }: { order: Order }) {
  const { t } = useWords();
  const engineer = useBoard((now) => (order.engineer_id ? now.engineers.get(order.engineer_id) : undefined));
  if (!order.engineer_id) {
    return (
      <span className={css.nobody}>
        {t(`state.${order.state}`)}
        <Avatar name={null} size={20} />
      </span>
    );
  }
  return (
    <span className={css.assignee}>
      {t(`state.${order.state}`)}
      <span title={order.engineer_name ?? ""}>
        <Avatar name={order.engineer_name ?? "?"} state={engineer?.state} size={20} />
      </span>
    </span>
  );
}
