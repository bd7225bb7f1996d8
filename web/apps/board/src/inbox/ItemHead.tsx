import { Button } from "@mantine/core";
import { ArrowLeft } from "lucide-react";
import type { ReactNode } from "react";
import { go, type Tab } from "../app/address";
import { usePages } from "../app/pages";
import { useWords } from "../i18n";
import css from "./inbox.module.css";

/** The head of what is chosen: back on a phone, what it is, and the way to the order it is about. */
export function ItemHead(props: { title: string; order: string | null; tab?: Tab; children: ReactNode }) {
  const { t } = useWords();
  const { title, order, tab = "overview", children } = props;
  const watching = usePages().includes("board");
  return (
    <header className={css.caseHead}>
      <button type="button" className={css.back} aria-label={t("nav.back")} onClick={() => go({ item: null })}>
        <ArrowLeft size={18} aria-hidden="true" />
      </button>
      <div>
        <h2>{title}</h2>
        <p>{children}</p>
      </div>
      {order && watching && (
        <Button variant="default" size="xs" onClick={() => go({ page: "board", item: null, order, tab })}>
          {t("inbox.showOrder")}
        </Button>
      )}
    </header>
  );
}
