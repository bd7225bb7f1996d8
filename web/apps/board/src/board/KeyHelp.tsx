import { Modal } from "@mantine/core";
import type { Page } from "../app/address";
import { type MessageKey, useWords } from "../i18n";
import css from "./board.module.css";

type Keys = readonly (readonly [string, MessageKey])[];

const KEYS: Record<Page, Keys> = {
  board: [
    ["j  ↓", "help.next"],
    ["k  ↑", "help.previous"],
    ["Enter", "help.enter"],
    ["Esc", "help.escape"],
    ["/", "help.search"],
    ["c", "help.candidates"],
    ["n", "help.new"],
    ["f", "help.fit"],
  ],
  timeline: [
    ["[  ]", "help.days"],
    ["t", "help.today"],
    ["/", "help.searchEngineers"],
    ["←  →", "help.moveTime"],
    ["Shift  ←  →", "help.moveHalfHour"],
    ["↑  ↓", "help.moveEngineer"],
    ["Enter", "help.moveConfirm"],
    ["Esc", "help.moveRestore"],
    ["m", "help.visitMenu"],
    ["u", "help.undoMove"],
  ],
  plans: [
    ["j  ↓", "help.nextItem"],
    ["k  ↑", "help.previousItem"],
    ["p", "help.plan"],
    ["Esc", "help.leave"],
  ],
  dispatching: [
    ["1  2  3  4  5", "help.part"],
    ["↑  ↓", "help.moveRule"],
    ["Esc", "help.closeOrder"],
  ],
  inbox: [
    ["j  ↓", "help.nextItem"],
    ["k  ↑", "help.previousItem"],
    ["1  2  3", "help.group"],
    ["m", "help.accept"],
    ["t", "help.keep"],
    ["r", "help.replay"],
    ["d", "help.discard"],
    ["u", "help.undo"],
    ["a", "help.remark"],
    ["Ctrl  Enter", "help.send"],
    ["Esc", "help.leave"],
  ],
  devices: [
    ["j  ↓", "help.nextItem"],
    ["k  ↑", "help.previousItem"],
    ["Esc", "help.leave"],
  ],
};

const EVERYWHERE: Keys = [["?", "help.help"]];

/** The keys of the page one is on come first. */
export function KeyHelp(props: { opened: boolean; onClose: () => void; page: Page; pages: readonly Page[] }) {
  const { t } = useWords();
  const ordered = [props.page, ...props.pages.filter((page) => page !== props.page)];
  return (
    <Modal
      opened={props.opened}
      onClose={props.onClose}
      title={t("help.title")}
      closeButtonProps={{ "aria-label": t("close") }}
      size="sm"
    >
      <List keys={EVERYWHERE} />
      {ordered.map((page) => (
        <section key={page}>
          <h3 className={css.keysOf}>{t(`nav.${page}`)}</h3>
          <List keys={KEYS[page]} />
        </section>
      ))}
    </Modal>
  );
}

function List({ keys: listed }: { keys: Keys }) {
  const { t } = useWords();
  return (
    <dl className={css.keys}>
      {listed.map(([keys, meaning]) => (
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
  );
}
