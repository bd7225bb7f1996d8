import { answered } from "@callout/api";
import { useQuery } from "@tanstack/react-query";
import { useServices } from "../app/services";
import { isKey, useWords, wordOf } from "../i18n";
import { Failure } from "../ui/Messages";
import css from "./inbox.module.css";
import { Pair, Recorder } from "./Side";
import { type BothSides, textOf } from "./Sides";

const MOST = 200;

/** The machine that holds the number, and its site. */
function useHolder(asset: string, site: string) {
  const { api } = useServices();
  return useQuery({
    queryKey: ["holder", asset, site],
    staleTime: 60_000,
    queryFn: async ({ signal }) => {
      const params = { query: { site_id: site, limit: MOST } };
      const found = await answered(api.GET("/api/v1/assets", { params, signal }));
      return found.items.find((one) => one.id === asset) ?? null;
    },
  });
}

export function SerialSides({ it, mine, theirs }: BothSides) {
  const { t } = useWords();
  const holder = useHolder(textOf(theirs.held_by), textOf(theirs.held_at_site));
  const serial = (side: Readonly<Record<string, unknown>>) =>
    textOf((side.fields as Record<string, unknown> | undefined)?.serial);
  return (
    <Pair
      it={it}
      mine={{
        by: <Recorder it={it} />,
        says: (
          <>
            <p className={css.big}>{serial(mine)}</p>
            <p>{t("side.serialRead")}</p>
          </>
        ),
      }}
      theirs={{
        by: t("inbox.asItStood"),
        says: (
          <>
            <p className={css.big}>{serial(theirs) || t("side.noSerial")}</p>
            <p>
              {t("side.heldBy", { serial: serial(mine) })}{" "}
              {holder.data && <strong>{[holder.data.product, holder.data.model].filter(Boolean).join(" · ")}</strong>}
            </p>
            {holder.isError && <Failure title={t("side.holderFailed")} problem={holder.error} />}
          </>
        ),
      }}
    />
  );
}

/** When hours ran. What a phone with a wrong clock asked for is shown as it would be booked: shifted by its error. */
function useSpan() {
  const { times, t } = useWords();
  return (side: Readonly<Record<string, unknown>>) => {
    const shift = Number(side.clock_correction_s ?? 0) * 1000;
    const at = (value: unknown) => new Date(Date.parse(textOf(value)) + shift);
    const [start, end] = [at(side.started_at), side.ended_at ? at(side.ended_at) : null];
    return {
      when: `${times.full(start)} – ${end ? times.full(end) : t("time.running")}`,
      length: end ? times.span((end.getTime() - start.getTime()) / 1000) : t("time.running"),
    };
  };
}

export function HoursSides({ it, mine, theirs }: BothSides) {
  const { t, times } = useWords();
  const span = useSpan();
  const says = (side: Readonly<Record<string, unknown>>) => (
    <>
      <p className={css.big}>
        {wordOf(t, "time", textOf(side.kind), isKey)} {span(side).length}
      </p>
      <p>{span(side).when}</p>
      {textOf(side.reason) && <blockquote>{textOf(side.reason)}</blockquote>}
    </>
  );
  const approved = textOf(theirs.approved_at);
  return (
    <Pair
      it={it}
      mine={{ by: <Recorder it={it} />, says: says(mine) }}
      theirs={{
        by: approved ? t("side.approved", { at: times.full(approved) }) : t("inbox.asItStood"),
        says: says(theirs),
      }}
    />
  );
}
