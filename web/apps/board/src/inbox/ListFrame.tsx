import { Button } from "@mantine/core";
import type { UseInfiniteQueryResult } from "@tanstack/react-query";
import type { ReactNode } from "react";
import { go, useWhereabouts } from "../app/address";
import { useWords } from "../i18n";
import { Failure, Skeleton } from "../ui/Messages";
import css from "./inbox.module.css";
import { useListKeys } from "./useListKeys";

interface Identified {
  readonly id: string;
}

interface Props<Item extends Identified> {
  readonly found: UseInfiniteQueryResult<unknown>;
  readonly items: readonly Item[];
  readonly failed: string;
  readonly empty: ReactNode;
  readonly line: (item: Item) => ReactNode;
}

/** A list that is being fetched, could not be, is empty, or has more; j and k step through it. */
export function ListFrame<Item extends Identified>({ found, items, failed, empty, line }: Props<Item>) {
  const { t } = useWords();
  const { item: chosen } = useWhereabouts();
  useListKeys(items.map((item) => item.id));
  return (
    <div className={css.scroller} data-scroller>
      {found.isPending && <Skeletons />}
      {found.isError && items.length === 0 && (
        <Failure title={failed} problem={found.error} onRetry={() => void found.refetch()} />
      )}
      {found.isSuccess && items.length === 0 && empty}
      <ul>
        {items.map((item) => (
          <li key={item.id}>
            <button
              type="button"
              className={css.line}
              data-item={item.id}
              aria-current={item.id === chosen}
              onClick={() => go({ item: item.id })}
            >
              {line(item)}
            </button>
          </li>
        ))}
      </ul>
      {found.hasNextPage && (
        <Button
          variant="subtle"
          fullWidth
          loading={found.isFetchingNextPage}
          onClick={() => void found.fetchNextPage()}
        >
          {t("inbox.more")}
        </Button>
      )}
    </div>
  );
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
