import { answered, problemIn } from "@callout/api";
import { Button, Menu, Switch } from "@mantine/core";
import { useQueryClient } from "@tanstack/react-query";
import { ArrowDown, ArrowUp, Ellipsis, GripVertical, ListChecks, Pencil, Plus, Trash2 } from "lucide-react";
import { useMemo, useRef, useState } from "react";
import { useServices } from "../app/services";
import { useChange } from "../detail/useChange";
import { complain, say, sayUndo } from "../detail/useOrderActions";
import { useWords } from "../i18n";
import { Message } from "../ui/Messages";
import { DryRun } from "./DryRun";
import css from "./dispatching.module.css";
import { Lead, OnlyToRead, Told, useMaySet } from "./Frame";
import { KEYS, type Rule, useProblemTypes, useRules, useTerritoryNames } from "./queries";
import { RuleForm } from "./RuleForm";
import rules from "./rules.module.css";
import {
  draftOf,
  limitWords,
  type Named,
  type RuleDraft,
  reordered,
  requestOf,
  thenWords,
  whenWords,
} from "./ruleWords";

export function RulesPart() {
  const { t } = useWords();
  const found = useRules();
  const may = useMaySet();
  const [form, setForm] = useState<{ rule: Rule | null } | null>(null);
  return (
    <>
      <Lead
        aside={
          may && (
            <Button size="xs" h={34} leftSection={<Plus size={16} />} onClick={() => setForm({ rule: null })}>
              {t("rules.new")}
            </Button>
          )
        }
      >
        {t("rules.lead")}
      </Lead>
      <OnlyToRead />
      <Told found={found} failed={t("rules.failed")}>
        {(known) =>
          known.length === 0 ? (
            <div className={css.panel}>
              <Message icon={ListChecks} title={t("rules.empty")} hint={t("rules.emptyHint")}>
                {may && (
                  <Button size="xs" mt={8} onClick={() => setForm({ rule: null })}>
                    {t("rules.new")}
                  </Button>
                )}
              </Message>
            </div>
          ) : (
            <>
              <Rules rules={known} onEdit={(rule) => setForm({ rule })} />
              <DryRun rules={known} />
            </>
          )
        }
      </Told>
      {form && <RuleForm rule={form.rule} onClose={() => setForm(null)} />}
    </>
  );
}

/** What sentences about rules need besides the words. */
export function useNamed(): Named {
  const { t, times } = useWords();
  const territories = useTerritoryNames();
  const skills = useProblemTypes();
  return useMemo(
    () => ({ t, times, territories, problems: new Map(skills.map((one) => [one.value, one.label] as const)) }),
    [t, times, territories, skills],
  );
}

function Rules({ rules: known, onEdit }: { rules: readonly Rule[]; onEdit: (rule: Rule) => void }) {
  const { t } = useWords();
  const may = useMaySet();
  const acts = useRuleActs(known);
  const [order, setOrder] = useState<readonly string[] | null>(null);
  const list = useRef<HTMLOListElement>(null);
  const shown = order === null ? known : order.flatMap((id) => known.find((rule) => rule.id === id) ?? []);
  const ids = shown.map((rule) => rule.id);

  function drag(at: number, event: React.PointerEvent): void {
    const handle = event.currentTarget as HTMLElement;
    handle.setPointerCapture(event.pointerId);
    const begun = ids;
    let from = at;
    let now: readonly string[] = begun;
    const moves = (moved: PointerEvent) => {
      const to = placeAt(list.current, moved.clientY);
      now = reordered(now, from, to);
      from = to;
      setOrder(now);
    };
    const ends = () => {
      handle.removeEventListener("pointermove", moves);
      setOrder(null);
      if (now.join() !== begun.join()) void acts.order(now);
    };
    handle.addEventListener("pointermove", moves);
    handle.addEventListener("lostpointercapture", ends, { once: true });
  }

  function step(at: number, by: -1 | 1): void {
    const to = at + by;
    const id = ids[at];
    if (to < 0 || to >= ids.length || !id) return;
    void acts.order(reordered(ids, at, to));
    requestAnimationFrame(() => list.current?.querySelector<HTMLElement>(`[data-rule="${id}"] [data-handle]`)?.focus());
  }

  return (
    <ol className={rules.list} ref={list}>
      {shown.map((rule, at) => (
        <RuleRow
          key={rule.id}
          rule={rule}
          place={at + 1}
          of={shown.length}
          may={may}
          busy={acts.busy}
          onDrag={(event) => drag(at, event)}
          onStep={(by) => step(at, by)}
          onSwitch={() => void acts.turn(rule)}
          onEdit={() => onEdit(rule)}
          onRemove={() => void acts.remove(rule)}
        />
      ))}
      <li className={rules.last}>{t("rules.last")}</li>
    </ol>
  );
}

/** Which place a pointer is over. */
function placeAt(list: HTMLElement | null, y: number): number {
  const rows = [...(list?.querySelectorAll<HTMLElement>("[data-rule]") ?? [])];
  const over = rows.findIndex((row) => y < row.getBoundingClientRect().bottom);
  return over < 0 ? rows.length - 1 : over;
}

interface RuleActs {
  readonly busy: boolean;
  readonly order: (ids: readonly string[]) => Promise<void>;
  readonly turn: (rule: Rule) => Promise<void>;
  readonly remove: (rule: Rule) => Promise<void>;
}

function useRuleActs(known: readonly Rule[]): RuleActs {
  const { t } = useWords();
  const { api } = useServices();
  const queries = useQueryClient();
  const { busy, attempt } = useChange();

  async function put(ids: readonly string[]): Promise<void> {
    const { items } = await answered(api.PUT("/api/v1/assignment-rules/order", { body: { ids: [...ids] } }));
    queries.setQueryData(KEYS.rules, items);
  }
  /** A removed rule is made anew, and takes its old place. */
  async function restore(rule: Rule): Promise<void> {
    try {
      const made = await answered(api.POST("/api/v1/assignment-rules", { body: requestOf(draftOf(rule)) }));
      await put(known.map((one) => (one.id === rule.id ? made.id : one.id)));
      say(t("rules.restored", { name: rule.name }));
    } catch (problem) {
      complain(t, problem);
    }
    void queries.invalidateQueries({ queryKey: KEYS.rules });
  }
  return {
    busy,
    order: async (ids) => {
      const sorted = ids.flatMap((id) => known.find((rule) => rule.id === id) ?? []);
      queries.setQueryData(KEYS.rules, sorted);
      await attempt(() => put(ids), KEYS.rules);
    },
    turn: async (rule) => {
      const said: RuleDraft = { ...draftOf(rule), active: !rule.active };
      const params = { path: { rule_id: rule.id } };
      const body = { ...requestOf(said), version: rule.version };
      await attempt(() => answered(api.PUT("/api/v1/assignment-rules/{rule_id}", { params, body })), KEYS.rules);
    },
    remove: async (rule) => {
      const params = { path: { rule_id: rule.id } };
      const done = await attempt(async () => {
        const { response } = await api.DELETE("/api/v1/assignment-rules/{rule_id}", { params });
        if (!response.ok) throw await problemIn(response);
        return true;
      }, KEYS.rules);
      if (done) sayUndo(t, t("rules.removed", { name: rule.name }), () => void restore(rule));
    },
  };
}

interface RowProps {
  readonly rule: Rule;
  readonly place: number;
  readonly of: number;
  readonly may: boolean;
  readonly busy: boolean;
  readonly onDrag: (event: React.PointerEvent) => void;
  readonly onStep: (by: -1 | 1) => void;
  readonly onSwitch: () => void;
  readonly onEdit: () => void;
  readonly onRemove: () => void;
}

function RuleRow(props: RowProps) {
  const { rule, place, of, may } = props;
  const { t } = useWords();
  const named = useNamed();
  const only = limitWords(rule.limits, rule.treatment, named);
  return (
    <li className={rules.rule} data-rule={rule.id} data-active={rule.active}>
      {may ? (
        <button
          type="button"
          className={rules.handle}
          data-handle
          aria-label={t("rules.move", { name: rule.name, place, of })}
          title={t("rules.moveHint")}
          onPointerDown={props.onDrag}
          onKeyDown={(event) => {
            if (event.key !== "ArrowUp" && event.key !== "ArrowDown") return;
            event.preventDefault();
            props.onStep(event.key === "ArrowUp" ? -1 : 1);
          }}
        >
          <GripVertical size={17} aria-hidden="true" />
          <b>{place}</b>
        </button>
      ) : (
        <b className={rules.place}>{place}</b>
      )}
      <div className={rules.text}>
        <strong>{rule.name}</strong>
        <p>
          {whenWords(rule.conditions, named)}
          {t("rule.comma")}
          <b>{thenWords(rule.treatment, named)}</b>
          {only && `${t("rule.comma")}${only}`}
          {t("rule.stop")}
        </p>
      </div>
      <div className={rules.acts}>
        {may ? (
          <Switch
            size="md"
            checked={rule.active}
            disabled={props.busy}
            aria-label={t("rules.active", { name: rule.name })}
            onChange={props.onSwitch}
          />
        ) : (
          <em className={css.chip} data-tone={rule.active ? undefined : "same"}>
            {t(rule.active ? "rules.on" : "rules.off")}
          </em>
        )}
        {may && (
          <Menu width={200}>
            <Menu.Target>
              <Button size="xs" h={34} px={9} variant="default" aria-label={t("rules.menu", { name: rule.name })}>
                <Ellipsis size={17} />
              </Button>
            </Menu.Target>
            <Menu.Dropdown>
              <Menu.Item leftSection={<Pencil size={15} />} onClick={props.onEdit}>
                {t("rules.edit")}
              </Menu.Item>
              <Menu.Item leftSection={<ArrowUp size={15} />} disabled={place === 1} onClick={() => props.onStep(-1)}>
                {t("rules.up")}
              </Menu.Item>
              <Menu.Item leftSection={<ArrowDown size={15} />} disabled={place === of} onClick={() => props.onStep(1)}>
                {t("rules.down")}
              </Menu.Item>
              <Menu.Divider />
              <Menu.Item color="red" leftSection={<Trash2 size={15} />} onClick={props.onRemove}>
                {t("rules.remove")}
              </Menu.Item>
            </Menu.Dropdown>
          </Menu>
        )}
      </div>
    </li>
  );
}
