import { SegmentedControl } from "@mantine/core";
import { Boxes, PackageSearch } from "lucide-react";
import { useState } from "react";
import { useServerMinute } from "../app/clock";
import { useWords } from "../i18n";
import { Message } from "../ui/Messages";
import css from "./inbox.module.css";
import { ListFrame } from "./ListFrame";
import { type Discrepancy, type DiscrepancyState, useDiscrepancies } from "./queries";

export function StockList() {
  const { t } = useWords();
  const [state, setState] = useState<DiscrepancyState>("open");
  const found = useDiscrepancies(state);
  return (
    <>
      <header className={css.head}>
        <SegmentedControl
          size="xs"
          value={state}
          onChange={(next) => setState(next as DiscrepancyState)}
          data={[
            { value: "open", label: t("inbox.open") },
            { value: "resolved", label: t("inbox.settled") },
          ]}
        />
      </header>
      <ListFrame
        found={found}
        items={found.data?.pages.flatMap((page) => page.items) ?? []}
        failed={t("stock.fail")}
        empty={
          <Message
            icon={Boxes}
            title={t(state === "open" ? "stock.empty" : "inbox.emptySettled")}
            {...(state === "open" && { hint: t("stock.emptyHint") })}
          />
        }
        line={(one) => <Line one={one} />}
      />
    </>
  );
}

function Line({ one }: { one: Discrepancy }) {
  const { t, times } = useWords();
  const now = useServerMinute();
  return (
    <>
      <span className={css.kind} data-tone={one.state === "resolved" ? "off" : undefined}>
        <PackageSearch size={17} aria-hidden="true" />
      </span>
      <span className={css.text}>
        <strong>{t(`stock.${one.kind}`)}</strong>
        <span>{[one.sku, one.serial, one.location_name].filter(Boolean).join(" · ")}</span>
        <small>{times.moment(one.opened_at, now)}</small>
      </span>
    </>
  );
}
