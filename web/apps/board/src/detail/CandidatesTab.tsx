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
import { type Offer, type Offers, useAbout, useOffers } from "./arranging";
import { CandidateCard } from "./CandidateCard";
import css from "./detail.module.css";
import { OfferCard } from "./OfferCard";
import { SlotDialog } from "./SlotDialog";
import { useEngineerChoices } from "./Wishes";

const ASSIGNABLE = new Set(["open", "planned", "hold"]);

export function CandidatesTab({ order }: { order: Order }) {
  const { t } = useWords();
  const wanted = ASSIGNABLE.has(stageOf(order.state));
  const found = useCandidates(order.id, wanted);
  const pressing = order.priority === "urgent" && stageOf(order.state) === "open";
  const offers = useOffers(order.id, pressing);
  if (!wanted) {
    const underway = stageOf(order.state) === "underway";
    return <Message icon={CircleCheckBig} title={t(underway ? "cand.underway" : "cand.closed")} />;
  }
  return (
    <>
      <FindTime order={order} />
      {pressing && <Offered offers={offers} />}
      {!offers.isLoading && <Ranked order={order} found={found} offers={pressing ? (offers.data ?? null) : null} />}
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

/** While it is worked out whose day has room, and what became of it where it could not be. */
function Offered({ offers }: { offers: ReturnType<typeof useOffers> }) {
  const { t } = useWords();
  if (offers.isLoading) {
    return (
      <div className={css.stack} aria-busy="true">
        <Skeleton height={96} />
        <Skeleton height={96} />
      </div>
    );
  }
  if (offers.isError && !offers.data) {
    return <Failure title={t("offers.failed")} problem={offers.error} onRetry={() => void offers.refetch()} />;
  }
  if (!offers.data || offers.data.items.length > 0) return null;
  const people = new Map(offers.data.left_out.map((one) => [one.engineer_id, one] as const));
  const named = [...people.values()].slice(0, NAMED);
  return (
    <div className={css.noOffers} role="note">
      <strong>{t("offers.none")}</strong>
      {named.map((one) => (
        <span key={one.engineer_id}>{t("cause.of", { what: one.name, names: t(`miss.${one.why}`) })}</span>
      ))}
      {people.size > NAMED && <span>{t("offers.moreOut", { count: people.size - NAMED })}</span>}
    </div>
  );
}

interface RankedProps {
  readonly order: Order;
  readonly found: ReturnType<typeof useCandidates>;
  readonly offers: Offers | null;
}

function Ranked({ order, found, offers }: RankedProps) {
  const { t } = useWords();
  if (found.data) return <Found order={order} found={found.data} offers={offers?.items ?? NO_OFFERS} />;
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
const NO_OFFERS: readonly Offer[] = [];

interface FoundProps {
  readonly order: Order;
  readonly found: Candidates;
  /** Whose day has room: they come first, and are named once. */
  readonly offers: readonly Offer[];
}

function Found({ order, found, offers }: FoundProps) {
  const { t } = useWords();
  const [chosen, setOpen] = useState<string | null | undefined>(undefined);
  const offered = new Set(offers.map((one) => one.engineer_id));
  const ranked = found.items.filter((one) => !offered.has(one.engineer_id));
  const named = offers.length > 0 ? 0 : NAMED;
  const open = chosen === undefined ? (named > 0 ? (ranked[0]?.engineer_id ?? null) : null) : chosen;
  usePreview(open ?? offers[0]?.engineer_id ?? null);
  const card = (candidate: Candidate) => (
    <CandidateCard
      key={candidate.engineer_id}
      order={order}
      candidate={candidate}
      open={open === candidate.engineer_id}
      onOpen={() => setOpen(candidate.engineer_id)}
    />
  );
  const others = ranked.slice(named);
  const unlisted = found.candidate_count - found.items.length;
  return (
    <>
      {offers.length > 0 && (
        <>
          <p className={css.lead}>
            {t("offers.lead")}
            <small>{t("offers.today")}</small>
          </p>
          <ol className={css.candidates}>
            {offers.map((offer, at) => (
              <OfferCard
                key={offer.shift_id}
                order={order}
                offer={offer}
                first={at === 0}
                candidate={found.items.find((one) => one.engineer_id === offer.engineer_id)}
                open={open === offer.engineer_id}
                onOpen={(on) => setOpen(on ? offer.engineer_id : null)}
              />
            ))}
          </ol>
        </>
      )}
      {named > 0 && found.items.length === 0 && (
        <Message icon={UserRoundX} title={t("cand.none")} hint={t("cand.noneHint")} />
      )}
      {named > 0 && found.items.length > 0 && (
        <p className={css.lead}>
          {t("cand.lead")}
          <small>{t("cand.weights", { version: found.weights_version })}</small>
        </p>
      )}
      {named > 0 && <ol className={css.candidates}>{ranked.slice(0, named).map(card)}</ol>}
      {others.length > 0 && (
        <section className={css.section}>
          <h3>
            {t("cand.more")}
            <small>{others.length + unlisted}</small>
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
