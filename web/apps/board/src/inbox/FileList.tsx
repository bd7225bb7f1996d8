import { CloudOff, ImageUp } from "lucide-react";
import { useServerMinute } from "../app/clock";
import { useWords } from "../i18n";
import { Message } from "../ui/Messages";
import css from "./inbox.module.css";
import { ListFrame } from "./ListFrame";
import { type MissingFile, useMissingFiles } from "./queries";

export function FileList() {
  const { t } = useWords();
  const found = useMissingFiles();
  const files = found.data?.pages.flatMap((page) => page.items) ?? [];
  return (
    <ListFrame
      found={found}
      items={files.map((file) => ({ ...file, id: file.photo_id }))}
      failed={t("files.fail")}
      empty={<Message icon={ImageUp} title={t("files.empty")} hint={t("files.emptyHint")} />}
      line={(file) => <Line file={file} />}
    />
  );
}

function Line({ file }: { file: MissingFile }) {
  const { t, times } = useWords();
  const now = useServerMinute();
  return (
    <>
      <span className={css.kind} data-tone={file.overdue ? "bad" : undefined}>
        <CloudOff size={17} aria-hidden="true" />
      </span>
      <span className={css.text}>
        <strong>{file.caption || t("photos.untitled")}</strong>
        <span>
          #{file.number} {file.title}
        </span>
        <small>
          {file.author_name} · {times.moment(file.at, now)}
          {file.overdue && ` · ${t("files.overdue")}`}
        </small>
      </span>
    </>
  );
}
