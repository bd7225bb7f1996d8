import { Button, Select } from "@mantine/core";
import { CalendarSearch, CircleCheckBig, UserRoundX } from "lucide-react";
import { useEffect, useState } from "react";
import { type Candidate, type Candidates, type Order, stageOf } from "../app/model";
import { useCandidates } from "../app/queries";
import { useBoard } from "../app/services";
import { isKey, useWords, wordOf } from "../i18n";
import { previewCandidate } from "../map/preview";
import { Avatar } from "../ui/Avatar";
import { Failure, Message, Skeleton } from "../ui/Messages";
import { useAbout } from "./arranging";
import { CandidateCard } from "./CandidateCard";
import css from "./detail.module.css";
import { SlotDialog } from "./SlotDialog";
import { useEngineerChoices } from "./Wishes";

const ASSIGNABLE = new Set(["open", "planned", "hold"]);

export function CandidatesTab({ order }: { order: Order }) {
  const { t } = useWords();
  const wanted = ASSIGNABLE.has(stageOf(order.state));
  const found = useCandidates(order.id, wanted);
  if (!wanted) {
    const underway = stageOf(order.state) === "underway";
    return <Message icon={CircleCheckBig} title={t(underway ? "cand.underway" : "cand.closed")} />;
  }
  return (
    <>
      <FindTime order={order} />
      <Ranked order={order} found={found} />
    </>
  );
}

/** For the customer on the phone: when could somebody come? */
function FindTime({ order }: { order: Order }) {
  const { t } = useWords();
  const [asking, setAsking] = useState(false);
  if (stageOf(order.state) === "hold") return null;
  return (
    <div>
      <Button
        size="xs"
        h={34}
        variant="default"
        fullWidth
        leftSection={<CalendarSearch size={16} />}
        onClick={() => setAsking(true)}
      >
        {t("slots.find")}
      </Button>
      {asking && <SlotDialog order={order} onClose={() => setAsking(false)} />}
    </div>
  );
}

function Ranked({ order, found }: { order: Order; found: ReturnType<typeof useCandidates> }) {
  const { t } = useWords();
  if (found.data) return <Found order={order} found={found.data} />;
  if (found.error) {
    return <Failure title={t("cand.failed")} problem={found.error} onRetry={() => void found.refetch()} />;
  }
  return (
    <div className={css.stack} aria-busy="true">
      <Skeleton height={150} />
      <Skeleton height={84} />
      <Skeleton height={84} />
    </div>
  );
}

const NAMED = 3;

function Found({ order, found }: { order: Order; found: Candidates }) {
  const { t } = useWords();
  const [open, setOpen] = useState<string | null>(found.items[0]?.engineer_id ?? null);
  usePreview(open);
  const card = (candidate: Candidate) => (
    <CandidateCard
      key={candidate.engineer_id}
      order={order}
      candidate={candidate}
      open={open === candidate.engineer_id}
      onOpen={() => setOpen(candidate.engineer_id)}
    />
  );
  const others = found.items.slice(NAMED);
  const unlisted = found.candidate_count - found.items.length;
  return (
    <>
      {found.items.length === 0 ? (
        <Message icon={UserRoundX} title={t("cand.none")} hint={t("cand.noneHint")} />
      ) : (
        <p className={css.lead}>
          {t("cand.lead")}
          <small>{t("cand.weights", { version: found.weights_version })}</small>
        </p>
      )}
      <ol className={css.candidates}>{found.items.slice(0, NAMED).map(card)}</ol>
      {others.length > 0 && (
        <section className={css.section}>
          <h3>
            {t("cand.more")}
            <small>{found.candidate_count - NAMED}</small>
          </h3>
          <ol className={css.candidates}>{others.map(card)}</ol>
          {unlisted > 0 && <p className={css.faint}>{t("cand.unlisted", { count: unlisted })}</p>}
        </section>
      )}
      <AskAbout order={order} found={found} card={card} onFound={setOpen} />
      {found.excluded.length > 0 && <WhyNot found={found} />}
    </>
  );
}

/** The map shows the way of the candidate that is open here. */
function usePreview(engineer: string | null): void {
  useEffect(() => {
    previewCandidate(engineer);
    return () => previewCandidate(null);
  }, [engineer]);
}

interface AskProps {
  readonly order: Order;
  readonly found: Candidates;
  readonly card: (candidate: Candidate) => React.ReactNode;
  readonly onFound: (engineer: string) => void;
}

/** Why not them? Of a large company only the best are listed: whoever is asked about is looked at all the same. */
function AskAbout({ order, found, card, onFound }: AskProps) {
  const { t } = useWords();
  const choices = useEngineerChoices();
  const [about, setAbout] = useState<string | null>(null);
  const listed = found.items.find((one) => one.engineer_id === about);
  const barred = found.excluded.find((one) => one.engineer_id === about);
  const cut = about !== null && !listed && !barred;
  const answer = useAbout(order.id, cut ? about : null);
  const candidate = listed ?? answer.data?.items.find((one) => one.engineer_id === about);
  const excluded = barred ?? answer.data?.excluded.find((one) => one.engineer_id === about);
  return (
    <section className={css.section}>
      <Select
        label={t("cand.ask")}
        placeholder={t("cand.askHint")}
        searchable
        clearable
        nothingFoundMessage={t("cand.nobodyCalled")}
        data={[...choices]}
        value={about}
        onChange={(chosen) => {
          setAbout(chosen);
          if (chosen) onFound(chosen);
        }}
        data-testid="ask-about"
      />
      <div className={css.asked} aria-live="polite">
        {candidate && (
          <>
            <p className={css.faint}>{t("cand.place", { rank: candidate.rank, of: found.candidate_count })}</p>
            <ol className={css.candidates}>{card(candidate)}</ol>
          </>
        )}
        {!candidate && excluded && (
          <ul className={css.whyNot}>
            <Excluded one={excluded} />
          </ul>
        )}
        {cut && answer.isPending && <Skeleton height={44} />}
        {cut && answer.isError && <Failure title={t("cand.failed")} problem={answer.error} />}
        {cut && answer.isSuccess && !candidate && !excluded && <p className={css.faint}>{t("cand.unknown")}</p>}
      </div>
    </section>
  );
}

const FIRST = 12;

function WhyNot({ found }: { found: Candidates }) {
  const { t } = useWords();
  const [most, setMost] = useState(FIRST);
  const shown = found.excluded.slice(0, most);
  const hidden = found.excluded.length - shown.length;
  const unlisted = found.excluded_count - found.excluded.length;
  return (
    <section className={css.section}>
      <h3>
        {t("cand.whyNot")}
        <small>{found.excluded_count}</small>
      </h3>
      <ul className={css.whyNot}>
        {shown.map((one) => (
          <Excluded key={one.engineer_id} one={one} />
        ))}
      </ul>
      {hidden > 0 && (
        <Button size="xs" variant="subtle" fullWidth onClick={() => setMost(most + 100)}>
          {t("replay.more", { count: hidden })}
        </Button>
      )}
      {hidden === 0 && unlisted > 0 && <p className={css.faint}>{t("cand.unlistedOut", { count: unlisted })}</p>}
    </section>
  );
}

export function Excluded({ one }: { one: Candidates["excluded"][number] }) {
  const { t, language } = useWords();
  const state = useBoard((now) => now.engineers.get(one.engineer_id)?.state);
  return (
    <li>
      <Avatar name={one.name} state={state ?? "off_shift"} size={24} />
      <span>
        <strong>{one.name}</strong>
        {one.reasons.map((reason) => (
          <span key={reason.sentence} className={css.faint}>
            {language === "en" ? reason.sentence : wordOf(t, "why", reason.code, isKey)}
          </span>
        ))}
      </span>
    </li>
  );
}
