import { ApiProblem, Unreachable } from "@callout/api";
import { Button, PasswordInput, TextInput } from "@mantine/core";
import { CircleAlert, MapPinned, ScanSearch, WifiOff } from "lucide-react";
import { type FormEvent, useState } from "react";
import { Logo } from "../app/Logo";
import { useServices } from "../app/services";
import { type Translate, useWords } from "../i18n";
import { LanguageSwitch } from "./LanguageSwitch";
import css from "./session.module.css";

export function SignIn() {
  const { t } = useWords();
  return (
    <div className={css.page}>
      <aside className={css.story}>
        <div className={css.brand}>
          <Logo size={34} />
          <span>{t("app.name")}</span>
        </div>
        <div>
          <h1>{t("app.tagline")}</h1>
          <ul>
            <li>
              <MapPinned size={19} aria-hidden="true" /> {t("login.point1")}
            </li>
            <li>
              <ScanSearch size={19} aria-hidden="true" /> {t("login.point2")}
            </li>
            <li>
              <WifiOff size={19} aria-hidden="true" /> {t("login.point3")}
            </li>
          </ul>
        </div>
        <Contours />
      </aside>
      <main className={css.side}>
        <div className={css.languageCorner}>
          <LanguageSwitch />
        </div>
        <SignInForm />
      </main>
    </div>
  );
}

function SignInForm() {
  const { t } = useWords();
  const { session } = useServices();
  const [busy, setBusy] = useState(false);
  const [problem, setProblem] = useState<string | null>(null);

  async function submit(event: FormEvent<HTMLFormElement>) {
    event.preventDefault();
    const form = new FormData(event.currentTarget);
    const email = String(form.get("email") ?? "").trim();
    const password = String(form.get("password") ?? "");
    if (!email || !password) {
      setProblem(t("login.missing"));
      return;
    }
    setBusy(true);
    setProblem(null);
    try {
      await session.signIn({ email, password });
    } catch (caught) {
      setProblem(explain(t, caught));
      setBusy(false);
    }
  }

  return (
    <form className={css.form} onSubmit={submit} noValidate aria-describedby={problem ? "sign-in-problem" : undefined}>
      <h2>{t("login.title")}</h2>
      <p className={css.lead}>{t("login.lead")}</p>
      {problem && (
        <p className={css.problem} id="sign-in-problem" role="alert">
          <CircleAlert size={16} aria-hidden="true" /> {problem}
        </p>
      )}
      <TextInput
        label={t("login.email")}
        name="email"
        type="email"
        autoComplete="username"
        inputMode="email"
        autoCapitalize="none"
        spellCheck={false}
        size="md"
        autoFocus
        error={problem !== null}
      />
      <PasswordInput
        label={t("login.password")}
        name="password"
        autoComplete="current-password"
        size="md"
        error={problem !== null}
      />
      <Button type="submit" size="md" fullWidth loading={busy} mt={6}>
        {t("login.submit")}
      </Button>
    </form>
  );
}

function explain(t: Translate, problem: unknown): string {
  if (problem instanceof Unreachable) return t("login.unreachable");
  if (!(problem instanceof ApiProblem)) return t("fail.title");
  if (problem.status === 401 || problem.status === 422 || problem.status === 400) return t("login.wrong");
  if (problem.status === 403) return t("login.forbidden");
  if (problem.status === 429) return t("login.tooMany");
  if (problem.status >= 500) return t("login.unreachable");
  return t("login.failed", { detail: problem.detail });
}

/** A quiet map of nowhere. */
function Contours() {
  return (
    <svg className={css.contours} viewBox="0 0 600 420" preserveAspectRatio="xMidYMax slice" aria-hidden="true">
      <g fill="none" stroke="currentColor" strokeWidth="1.2">
        {Array.from({ length: 9 }, (_, ring) => {
          const spread = ring * 26;
          return (
            <path
              // biome-ignore lint/suspicious/noArrayIndexKey: a fixed drawing
              key={ring}
              d={`M${-40} ${300 - spread} C 90 ${180 - spread * 0.8}, 180 ${400 - spread * 1.3}, 320 ${290 - spread} S 520 ${210 - spread * 0.7}, 660 ${330 - spread * 1.1}`}
            />
          );
        })}
      </g>
      <path className={css.way} d="M70 340 C 160 280, 210 330, 290 270 S 430 190, 500 214" />
      <circle className={css.start} cx="70" cy="340" r="7" />
      <path className={css.pin} d="M500 176a17 17 0 0 0-17 17c0 12 17 27 17 27s17-15 17-27a17 17 0 0 0-17-17Z" />
      <circle cx="500" cy="193" r="6" fill="#0f2a31" />
    </svg>
  );
}
