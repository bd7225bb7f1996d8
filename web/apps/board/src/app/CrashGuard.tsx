import { Button } from "@mantine/core";
import { Bug } from "lucide-react";
import { Component, type ReactNode } from "react";
import { useWords } from "../i18n";
import { Message } from "../ui/Messages";
import css from "./app.module.css";

/** A fault while drawing becomes a sentence and a way on instead of a white page. */
export class CrashGuard extends Component<{ children: ReactNode }, { crashed: boolean }> {
  override state = { crashed: false };

  static getDerivedStateFromError() {
    return { crashed: true };
  }

  override render() {
    return this.state.crashed ? <Crashed /> : this.props.children;
  }
}

function Crashed() {
  const { t } = useWords();
  return (
    <div className={css.crash} role="alert">
      <Message icon={Bug} title={t("fail.title")} hint={t("fail.crash")}>
        <Button mt={8} onClick={() => location.reload()}>
          {t("fail.reload")}
        </Button>
      </Message>
    </div>
  );
}
