import { answered } from "@callout/api";
import { Button, NumberInput, Popover } from "@mantine/core";
import { GraduationCap, Settings2 } from "lucide-react";
import { type FormEvent, useState } from "react";
import { useServices } from "../app/services";
import { useChange } from "../detail/useChange";
import { say } from "../detail/useOrderActions";
import { useWords } from "../i18n";
import { Bar } from "../ui/Messages";
import css from "./dispatching.module.css";
import { Lead, OnlyToRead, Panel, Told, useMaySet } from "./Frame";
import { KindPanel } from "./KindPanel";
import learning from "./learning.module.css";
import { KEYS, type Kind, type Learnt, type Standing, useModels, useStanding } from "./queries";

const KINDS = ["durations", "success", "weights"] as const satisfies readonly Kind[];

export function LearningPart() {
  const { t } = useWords();
  const standing = useStanding();
  const models = useModels();
  const [learnt, setLearnt] = useState<readonly Learnt[]>([]);
  return (
    <>
      <Lead>{t("learning.lead")}</Lead>
      <OnlyToRead />
      <Told found={standing} failed={t("learning.failed")} height={90}>
        {(known) => <Enough standing={known} onLearnt={setLearnt} />}
      </Told>
      <Told found={models} failed={t("learning.failed")}>
        {(known) => (
          <div className={learning.kinds}>
            {KINDS.map((kind) => (
              <KindPanel
                key={kind}
                kind={kind}
                models={known.filter((model) => model.kind === kind)}
                latest={learnt.find((one) => one.kind === kind) ?? null}
              />
            ))}
          </div>
        )}
      </Told>
    </>
  );
}

/** How much has happened and how much is needed before anything is learnt. */
function Enough(props: { standing: Standing; onLearnt: (learnt: readonly Learnt[]) => void }) {
  const { completed, missing, policy } = props.standing;
  const { t, times } = useWords();
  const may = useMaySet();
  const { api } = useServices();
  const { busy, attempt } = useChange();

  async function learn() {
    const done = await attempt(() => answered(api.POST("/api/v1/learning")), KEYS.learning, KEYS.models);
    if (done === null) return;
    props.onLearnt(done.items);
    const proposed = done.items.filter((one) => one.outcome === "proposed").length;
    say(t("learning.done", { proposed }));
  }
  return (
    <Panel>
      <div className={learning.enough}>
        <GraduationCap size={26} strokeWidth={1.6} aria-hidden="true" />
        <div>
          <strong>{missing > 0 ? t("learning.missing", { count: missing }) : t("learning.enough")}</strong>
          <Bar share={completed / policy.enough_orders} />
          <span className={css.faint}>
            {t("learning.counted", {
              completed: times.number(completed),
              enough: times.number(policy.enough_orders),
            })}
          </span>
        </div>
        {may && (
          <div className={learning.enoughActs}>
            <EnoughForm standing={props.standing} />
            <Button
              loading={busy}
              disabled={missing > 0}
              title={missing > 0 ? t("learning.tooEarly") : undefined}
              onClick={() => void learn()}
            >
              {t("learning.now")}
            </Button>
          </div>
        )}
      </div>
    </Panel>
  );
}

function EnoughForm({ standing }: { standing: Standing }) {
  const { t } = useWords();
  const { api } = useServices();
  const { busy, attempt } = useChange();
  const { policy } = standing;
  const [opened, setOpened] = useState(false);
  const [enough, setEnough] = useState<number | string>(policy.enough_orders);
  const valid = Number(enough) >= 1;

  async function save(event: FormEvent) {
    event.preventDefault();
    if (!valid) return;
    const body = { enough_orders: Number(enough), expected_version: policy.version };
    const done = await attempt(() => answered(api.PUT("/api/v1/learning/policy", { body })), KEYS.learning);
    if (done) setOpened(false);
  }
  return (
    <Popover opened={opened} onChange={setOpened} width={290} position="bottom-end" shadow="md" radius={10} trapFocus>
      <Popover.Target>
        <Button
          variant="default"
          leftSection={<Settings2 size={16} />}
          onClick={() => {
            setEnough(policy.enough_orders);
            setOpened(!opened);
          }}
        >
          {t("learning.howMuch")}
        </Button>
      </Popover.Target>
      <Popover.Dropdown>
        <form className={learning.enoughForm} onSubmit={save}>
          <NumberInput
            data-autofocus
            label={t("learning.enoughOrders")}
            description={t("learning.enoughHint")}
            min={1}
            max={10_000_000}
            step={100}
            thousandSeparator
            value={enough}
            onChange={setEnough}
          />
          <Button type="submit" size="xs" loading={busy} disabled={!valid}>
            {t("learning.save")}
          </Button>
        </form>
      </Popover.Dropdown>
    </Popover>
  );
}
