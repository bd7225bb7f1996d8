import { Button, Modal, Select, TextInput } from "@mantine/core";
import { type FormEvent, useState } from "react";
import { instantOf } from "../app/time";
import { useWords } from "../i18n";
import type { Days, Subject } from "./model";
import { concernsOf, type Move } from "./moving";
import css from "./timeline.module.css";

interface Props {
  readonly subject: Subject | null;
  readonly days: Days;
  readonly now: number;
  /** When it would be for something that has no time yet. */
  readonly usual: number;
  readonly onClose: () => void;
  readonly onMove: (move: Move) => void;
}

/** The same move with two fields, for a finger or for who can't drag. */
export function MoveDialog(props: Props) {
  const { t } = useWords();
  const { subject } = props;
  return (
    <Modal
      opened={subject !== null}
      onClose={props.onClose}
      title={subject ? t(subject.visit ? "moveTo.title" : "moveTo.titleNew", { number: subject.number }) : ""}
      closeButtonProps={{ "aria-label": t("close") }}
      size="sm"
    >
      {subject && <Form {...props} subject={subject} key={subject.orderId} />}
    </Modal>
  );
}

function Form({ subject, days, now, usual, onClose, onMove }: Props & { readonly subject: Subject }) {
  const { t, timeZone } = useWords();
  const { visit } = subject;
  const [engineer, setEngineer] = useState<string | null>(visit?.engineerId ?? null);
  const [when, setWhen] = useState(() => wallClock(visit?.start ?? usual, timeZone));
  const start = when ? instantOf(when, timeZone).getTime() : Number.NaN;
  const move = engineer && Number.isFinite(start) ? { subject, engineerId: engineer, start } : null;
  const concerns = move ? concernsOf(move, days, now) : [];
  function submit(event: FormEvent) {
    event.preventDefault();
    if (!move) return;
    onMove(move);
    onClose();
  }
  return (
    <form className={css.form} onSubmit={submit}>
      <p>{subject.title}</p>
      <Select
        label={t("moveTo.engineer")}
        placeholder={t("moveTo.choose")}
        searchable
        required
        disabled={visit?.pin === "engineer"}
        data={days.engineers.map(({ id, name }) => ({ value: id, label: name }))}
        value={engineer}
        onChange={setEngineer}
        nothingFoundMessage={t("engineer.noneFound")}
      />
      <TextInput
        type="datetime-local"
        step={300}
        label={t("moveTo.start")}
        required
        value={when}
        onChange={(event) => setWhen(event.currentTarget.value)}
      />
      {concerns.length > 0 && <p className={css.concerns}>{concerns.map((one) => t(`concern.${one}`)).join(" · ")}</p>}
      <footer>
        <Button variant="default" onClick={onClose}>
          {t("new.cancel")}
        </Button>
        <Button type="submit" disabled={move === null}>
          {t(visit ? "moveTo.submit" : "moveTo.assign")}
        </Button>
      </footer>
    </form>
  );
}

/** An instant as a field for local times takes it. */
export function wallClock(instant: number, timeZone: string): string {
  const format = new Intl.DateTimeFormat("sv-SE", {
    timeZone,
    year: "numeric",
    month: "2-digit",
    day: "2-digit",
    hour: "2-digit",
    minute: "2-digit",
  });
  return format.format(instant).replace(" ", "T");
}
