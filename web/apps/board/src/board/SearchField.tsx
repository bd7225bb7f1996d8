import { Search, X } from "lucide-react";
import { useWords } from "../i18n";
import css from "./list.module.css";

export const SEARCH_ID = "board-search";

export function SearchField(props: { label: string; value: string; onChange: (text: string) => void }) {
  const { t } = useWords();
  return (
    <div className={css.search}>
      <Search size={15} aria-hidden="true" />
      <input
        id={SEARCH_ID}
        type="search"
        value={props.value}
        placeholder={props.label}
        aria-label={props.label}
        autoComplete="off"
        spellCheck={false}
        onChange={(event) => props.onChange(event.target.value)}
      />
      {props.value ? (
        <button type="button" aria-label={t("list.clear")} onClick={() => props.onChange("")}>
          <X size={15} />
        </button>
      ) : (
        <kbd>/</kbd>
      )}
    </div>
  );
}
