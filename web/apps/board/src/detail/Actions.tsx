import { Button, Menu, Modal, Select, Textarea } from "@mantine/core";
import { Ellipsis, UserRoundSearch } from "lucide-react";
import { type FormEvent, useState } from "react";
import { go, useWhereabouts } from "../app/address";
import type { Action, ActionBody, Order, OrderDetail } from "../app/model";
import { useWords } from "../i18n";
import css from "./detail.module.css";
import { useOrderActions } from "./useOrderActions";

/** Actions that need words first. */
const NEEDS_REASON = [
  "unschedule",
  "cancel",
  "reopen",
  "close_by_exception",
  "decline",
  "hold",
  "suspend",
  "accept_work",
] as const;
type Reasoned = (typeof NEEDS_REASON)[number];

/** Choosing an engineer is the candidates' tab; a customer's signature is taken on the phone. */
const ELSEWHERE: readonly Action[] = ["schedule", "confirm"];
const DANGEROUS: readonly Action[] = ["cancel"];

const needsReason = (action: Action): action is Reasoned => (NEEDS_REASON as readonly Action[]).includes(action);

export const mayAssign = (allowed: readonly Action[]): boolean => allowed.includes("schedule");

export function Actions({ order, detail }: { order: Order; detail: OrderDetail }) {
  const { t } = useWords();
  const { act } = useOrderActions();
  const { tab } = useWhereabouts();
  const [asking, setAsking] = useState<Reasoned | null>(null);
  const allowed = detail.allowed_actions;
  const direct = allowed.filter((action) => !ELSEWHERE.includes(action));
  const first = direct.find((action) => !needsReason(action));
  const others = direct.filter((action) => action !== first);
  const choose = (action: Action) => {
    if (needsReason(action)) setAsking(action);
    else void act(order, { action });
  };
  if (allowed.length === 0) return null;
  return (
    <div className={css.actions}>
      {mayAssign(allowed) && tab !== "candidates" && (
        <Button size="xs" h={32} leftSection={<UserRoundSearch size={16} />} onClick={() => go({ tab: "candidates" })}>
          {t(order.engineer_id ? "do.reassign" : "do.findEngineer")}
        </Button>
      )}
      {first && (
        <Button size="xs" h={32} variant="default" onClick={() => choose(first)}>
          {t(`do.${first}`)}
        </Button>
      )}
      {others.length > 0 && (
        <Menu width={240}>
          <Menu.Target>
            <Button size="xs" h={32} px={9} variant="default" aria-label={t("detail.actions")}>
              <Ellipsis size={17} />
            </Button>
          </Menu.Target>
          <Menu.Dropdown>
            {others.map((action) => (
              <Menu.Item
                key={action}
                {...(DANGEROUS.includes(action) && { color: "red" })}
                onClick={() => choose(action)}
              >
                {t(`do.${action}`)}
              </Menu.Item>
            ))}
          </Menu.Dropdown>
        </Menu>
      )}
      {asking && <AskReason order={order} action={asking} onClose={() => setAsking(null)} />}
    </div>
  );
}

const HOLD_REASONS = ["parts", "customer", "third_party"] as const;

function AskReason(props: { order: Order; action: Reasoned; onClose: () => void }) {
  const { order, action, onClose } = props;
  const isHold = action === "hold" || action === "suspend";
  const { t } = useWords();
  const { act } = useOrderActions();
  const [words, setWords] = useState("");
  const [hold, setHold] = useState<(typeof HOLD_REASONS)[number]>("parts");
  const [lacking, setLacking] = useState(false);
  const [busy, setBusy] = useState(false);

  async function submit(event: FormEvent) {
    event.preventDefault();
    const said = words.trim();
    setLacking(!said);
    if (!said) return;
    setBusy(true);
    const body: ActionBody = {
      action,
      ...(action === "hold" ? { note: said } : { reason: said }),
      ...(isHold && { hold_reason: hold }),
    };
    if (await act(order, body)) onClose();
    setBusy(false);
  }

  return (
    <Modal
      opened
      onClose={onClose}
      title={`#${order.number} ${order.title}`}
      closeButtonProps={{ "aria-label": t("close") }}
    >
      <form onSubmit={submit} className={css.ask}>
        {isHold && (
          <Select
            label={t("ask.holdReason")}
            allowDeselect={false}
            value={hold}
            onChange={(value) => setHold(HOLD_REASONS.find((known) => known === value) ?? "parts")}
            data={HOLD_REASONS.map((value) => ({ value, label: t(`hold.${value}`) }))}
          />
        )}
        <Textarea
          data-autofocus
          label={t(`ask.reasonFor.${action}`)}
          description={t("ask.needed")}
          error={lacking && t("new.required")}
          autosize
          minRows={3}
          value={words}
          onChange={(event) => setWords(event.currentTarget.value)}
        />
        <div className={css.askButtons}>
          <Button variant="default" onClick={onClose}>
            {t("ask.keep")}
          </Button>
          <Button type="submit" loading={busy} {...(action === "cancel" && { color: "red" })}>
            {t(`do.${action}`).replace("…", "")}
          </Button>
        </div>
      </form>
    </Modal>
  );
}
