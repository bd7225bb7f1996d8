import { Button, Menu, Modal, Select, Textarea } from "@mantine/core";
import { Ellipsis, Undo2, UserRoundSearch } from "lucide-react";
import { type FormEvent, useState } from "react";
import { go, useWhereabouts } from "../app/address";
import type { Action, ActionBody, Order, OrderDetail } from "../app/model";
import { useMay } from "../app/pages";
import { useWords } from "../i18n";
import { askReport } from "../running/asking";
import { isMissable } from "../running/model";
import css from "./detail.module.css";
import { type TakeWay, useOrderActions } from "./useOrderActions";

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
type Reasoned = (typeof NEEDS_REASON)[number] | TakeWay;

/** Choosing an engineer is the candidates' tab; a customer's signature is taken on the phone. */
const ELSEWHERE: readonly Action[] = ["schedule", "confirm"];
const DANGEROUS: readonly Reasoned[] = ["cancel", "void"];

const isTake = (action: Reasoned): action is TakeWay => action === "void" || action === "restore";

const needsReason = (action: Action): action is (typeof NEEDS_REASON)[number] =>
  (NEEDS_REASON as readonly Action[]).includes(action);

export const mayAssign = (allowed: readonly Action[]): boolean => allowed.includes("schedule");

export function Actions({ order, detail }: { order: Order; detail: OrderDetail }) {
  return detail.voided_at ? <Restore order={order} /> : <LivingActions order={order} detail={detail} />;
}

/** Nothing happens to an order that was taken back but that it is brought back. */
function Restore({ order }: { order: Order }) {
  const { t } = useWords();
  const mayTake = useMay("orders.close");
  const [asking, setAsking] = useState(false);
  if (!mayTake) return null;
  return (
    <div className={css.actions}>
      <Button size="xs" h={32} leftSection={<Undo2 size={16} />} onClick={() => setAsking(true)}>
        {t("do.restore")}
      </Button>
      {asking && <AskReason order={order} action="restore" onClose={() => setAsking(false)} />}
    </div>
  );
}

function LivingActions({ order, detail }: { order: Order; detail: OrderDetail }) {
  const { t } = useWords();
  const mayTake = useMay("orders.close");
  const missable = useMay("visits.dispatch") && order.engineer_id !== null && isMissable(order);
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
  const miss = () => {
    const engineer = { id: order.engineer_id ?? "", name: order.engineer_name ?? "" };
    askReport({ kind: "no_show", engineer, orderId: order.id });
  };
  if (allowed.length === 0 && !mayTake) return null;
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
      {(others.length > 0 || mayTake || missable) && (
        <Menu width={240}>
          <Menu.Target>
            <Button size="xs" h={32} px={9} variant="default" aria-label={t("detail.actions")}>
              <Ellipsis size={17} />
            </Button>
          </Menu.Target>
          <Menu.Dropdown>
            {others.map((action) => (
              <Menu.Item key={action} {...(action === "cancel" && { color: "red" })} onClick={() => choose(action)}>
                {t(`do.${action}`)}
              </Menu.Item>
            ))}
            {missable && <Menu.Item onClick={miss}>{t("report.do.no_show")}</Menu.Item>}
            {others.length > 0 && mayTake && <Menu.Divider />}
            {mayTake && (
              <Menu.Item color="red" onClick={() => setAsking("void")}>
                {t("do.void")}
              </Menu.Item>
            )}
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
  const { act, take } = useOrderActions();
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
    if (await (isTake(action) ? take(order, action, said) : act(order, bodyOf(action, said)))) onClose();
    setBusy(false);
  }

  function bodyOf(asked: Action, said: string): ActionBody {
    return {
      action: asked,
      ...(asked === "hold" ? { note: said } : { reason: said }),
      ...(isHold && { hold_reason: hold }),
    };
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
          description={t(action === "void" ? "ask.voidHint" : "ask.needed")}
          maxLength={500}
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
          <Button type="submit" loading={busy} {...(DANGEROUS.includes(action) && { color: "red" })}>
            {t(`do.${action}`).replace("…", "")}
          </Button>
        </div>
      </form>
    </Modal>
  );
}
