import { CircleCheck } from "lucide-react";
import { useServerMinute } from "../app/clock";
import { Fact, Section } from "../detail/Section";
import { useWords } from "../i18n";
import { Failure, Message, Skeleton } from "../ui/Messages";
import { ItemHead } from "./ItemHead";
import css from "./inbox.module.css";
import { type MissingFile, useMissingFiles } from "./queries";

/** A photo whose file has not come: whom to ask for it, and since when. */
export function FileView({ id }: { id: string }) {
  const { t } = useWords();
  const found = useMissingFiles();
  const file = found.data?.pages.flatMap((page) => page.items).find((one) => one.photo_id === id);
  return (
    <article className={css.case} data-file={id}>
      <div className={css.caseBody} data-scroller>
        {found.isPending && <Skeleton height={120} />}
        {found.isError && !file && (
          <Failure title={t("files.fail")} problem={found.error} onRetry={() => void found.refetch()} />
        )}
        {found.isSuccess && !file && (
          <>
            <ItemHead title={t("files.title")} order={null}>
              {t("files.arrived")}
            </ItemHead>
            <Message icon={CircleCheck} title={t("files.arrived")} />
          </>
        )}
        {file && <Told file={file} />}
      </div>
    </article>
  );
}

function Told({ file }: { file: MissingFile }) {
  const { t, times } = useWords();
  const now = useServerMinute();
  const contact = file.last_contact_at;
  return (
    <>
      <ItemHead title={file.caption || t("photos.untitled")} order={file.work_order_id} tab="work">
        {t("inbox.order", { number: `#${file.number}` })}, {file.title}
      </ItemHead>
      <dl className={css.facts}>
        <Fact label={t("files.takenBy")}>{file.author_name}</Fact>
        <Fact label={t("files.taken")}>{times.full(file.at)}</Fact>
        <Fact label={t("files.told")}>{times.full(file.recorded_at)}</Fact>
        <Fact label={t("files.waiting")}>{times.span((now - Date.parse(file.recorded_at)) / 1000)}</Fact>
        <Fact label={t("files.contact")}>{contact ? times.moment(contact, now) : t("files.never")}</Fact>
      </dl>
      <Section title={t("files.whatNow")}>
        <p>{advice(file, contact)}</p>
      </Section>
      <details className={css.verbatim}>
        <summary>{t("files.sum")}</summary>
        <pre>{file.sha256}</pre>
      </details>
    </>
  );

  function advice({ overdue, author_name: name, recorded_at }: MissingFile, seen: string | null): string {
    if (!overdue) return t("files.adviceWait");
    return t(seen && seen > recorded_at ? "files.adviceAsk" : "files.adviceSilent", { name });
  }
}
