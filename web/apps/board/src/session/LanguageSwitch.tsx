import { LANGUAGES, useWords } from "../i18n";
import css from "./session.module.css";

const SHORT = { en: "EN", zh: "中文" } as const;

export function LanguageSwitch({ onDark = false }: { onDark?: boolean }) {
  const { language, setLanguage, t } = useWords();
  return (
    <fieldset className={`${css.languages} ${onDark ? css.onDark : ""}`}>
      <legend className="visually-hidden">{t("language.label")}</legend>
      {LANGUAGES.map((one) => (
        <button
          key={one}
          type="button"
          lang={one}
          aria-pressed={one === language}
          title={t(`language.${one}`)}
          onClick={() => setLanguage(one)}
        >
          {SHORT[one]}
        </button>
      ))}
    </fieldset>
  );
}
