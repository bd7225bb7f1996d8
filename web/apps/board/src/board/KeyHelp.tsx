import { Modal } from "@mantine/core";
import { type MessageKey, useWords } from "../i18n";
import css from "./board.module.css";

const KEYS: readonly (readonly [string, MessageKey])[] = [
  ["j  ↓", "help.next"],
  ["k  ↑", "help.previous"],
  ["Enter", "help.enter"],
  ["Esc", "help.escape"],
  ["/", "help.search"],
  ["c", "help.candidates"],
  ["n", "help.new"],
  ["f", "help.fit"],
  ["?", "help.help"],
];

export function KeyHelp(props: { opened: boolean; onClose: () => void }) {
  const { t } = useWords();
  return (
    <Modal
      opened={props.opened}
      onClose={props.onClose}
      title={t("help.title")}
      closeButtonProps={{ "aria-label": t("close") }}
      size="sm"
    >
      <dl className={css.keys}>
        {KEYS.map(([keys, meaning]) => (
          <div key={meaning}>
            <dt>
              {keys.split("  ").map((key) => (
                <kbd key={key}>{key}</kbd>
              ))}
            </dt>
            <dd>{t(meaning)}</dd>
          </div>
        ))}
      </dl>
    </Modal>
  );
}
