import { Modal } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import {
  ChevronLeft,
  ChevronRight,
  CloudOff,
  Download,
  FileX2,
  Hourglass,
  ImageOff,
  type LucideIcon,
} from "lucide-react";
import { useEffect, useState } from "react";
import type { OrderDetail } from "../app/model";
import { useServices } from "../app/services";
import { isKey, type Translate, useWords, wordOf } from "../i18n";
import css from "./detail.module.css";
import { Section } from "./Section";
import { complain } from "./useOrderActions";

type Photo = OrderDetail["photos"][number];
type Size = "thumb" | "view";

const hasNotArrived = (photo: Photo) => photo.state === "pending_blob";

export function Photos({ photos }: { photos: readonly Photo[] }) {
  const { t } = useWords();
  const [open, setOpen] = useState<number | null>(null);
  const absent = photos.filter(hasNotArrived).length;
  return (
    <Section title={t("photos.title")} aside={photos.length || undefined}>
      {photos.length === 0 && <p className={css.faint}>{t("photos.none")}</p>}
      {absent > 0 && (
        <p className={css.doubt} role="note">
          <CloudOff size={15} aria-hidden="true" />
          {t("photos.absent", { count: absent, all: photos.length })}
        </p>
      )}
      <ul className={css.photos}>
        {photos.map((photo, index) => (
          <li key={photo.id}>
            <button
              type="button"
              data-photo={photo.state}
              aria-label={t("photos.open", {
                caption: [photo.caption || t("photos.untitled"), lackOf(t, photo)].filter(Boolean).join(", "),
              })}
              onClick={() => setOpen(index)}
            >
              <Picture photo={photo} size="thumb" />
            </button>
          </li>
        ))}
      </ul>
      {open !== null && <Lightbox photos={photos} start={open} onClose={() => setOpen(null)} />}
    </Section>
  );
}

/** Why there is no picture to show, in words; nothing when there is one. */
function lackOf(t: Translate, photo: Photo): string | null {
  if (hasNotArrived(photo)) return t(photo.missing ? "photos.missing" : "photos.pending");
  if (photo.state === "ready") return t("photos.ready");
  if (photo.state === "undecodable") {
    return t("photos.undecodable", { why: wordOf(t, "undecodable", photo.undecodable_why ?? "broken", isKey) });
  }
  return null;
}

const LACKS: Readonly<Record<string, LucideIcon>> = {
  pending_blob: CloudOff,
  ready: Hourglass,
  undecodable: FileX2,
};

function Picture({ photo, size }: { photo: Photo; size: Size }) {
  const { t } = useWords();
  const lack = lackOf(t, photo);
  const Icon = LACKS[photo.state] ?? ImageOff;
  if (lack === null) return <Copy photo={photo} size={size} />;
  return (
    <span className={css.noPicture} data-tone={photo.missing || photo.state === "undecodable" ? "bad" : undefined}>
      <Icon size={size === "thumb" ? 18 : 30} aria-hidden="true" />
      <small>{lack}</small>
    </span>
  );
}

function Copy({ photo, size }: { photo: Photo; size: Size }) {
  const { t } = useWords();
  const { url, failed } = usePicture(photo.id, size);
  if (failed) {
    return (
      <span className={css.noPicture} title={t("photos.failed")}>
        <ImageOff size={20} aria-hidden="true" />
        <small>{t("photos.failed")}</small>
      </span>
    );
  }
  return url ? <img src={url} alt={photo.caption} /> : <span className={css.noPicture} aria-busy="true" />;
}

/** Photos need the access token, so they come as blobs; the cache keeps the bytes, each picture its own address. */
function usePicture(id: string, size: Size): { url: string | null; failed: boolean } {
  const { session } = useServices();
  const { data, isError } = useQuery({
    queryKey: ["photo", id, size],
    staleTime: Number.POSITIVE_INFINITY,
    queryFn: async ({ signal }) => {
      const answer = await session.fetch(addressOf(id, size), { signal });
      if (!answer.ok) throw new Error(`photo ${answer.status}`);
      return answer.blob();
    },
  });
  const [url, setUrl] = useState<string | null>(null);
  useEffect(() => {
    if (!data) return;
    const made = URL.createObjectURL(data);
    setUrl(made);
    return () => URL.revokeObjectURL(made);
  }, [data]);
  return { url, failed: isError };
}

/** Without a size: the original, with all the metadata its camera wrote. */
function addressOf(id: string, size: Size | null): string {
  return new URL(`/api/v1/photos/${id}/content${size ? `?v=${size}` : ""}`, location.origin).href;
}

function Lightbox(props: { photos: readonly Photo[]; start: number; onClose: () => void }) {
  const { t, times } = useWords();
  const { photos, onClose } = props;
  const [at, setAt] = useState(props.start);
  const photo = photos[at];
  const step = (by: number) => setAt((now) => (now + by + photos.length) % photos.length);
  useEffect(() => {
    const pressed = (event: KeyboardEvent) => {
      const by = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
      if (by) setAt((now) => (now + by + photos.length) % photos.length);
    };
    window.addEventListener("keydown", pressed);
    return () => window.removeEventListener("keydown", pressed);
  }, [photos.length]);
  if (!photo) return null;
  return (
    <Modal
      opened
      onClose={onClose}
      size="min(92vw, 1080px)"
      padding={0}
      withCloseButton={false}
      classNames={{ content: css.lightbox ?? "" }}
      overlayProps={{ backgroundOpacity: 0.8, blur: 3 }}
      aria-label={photo.caption || t("photos.title")}
    >
      <figure>
        <Picture key={photo.id} photo={photo} size="view" />
        <figcaption>
          <span>
            <strong>{photo.caption}</strong> {[photo.author_name, times.full(photo.at)].filter(Boolean).join(", ")}
          </span>
          {photos.length > 1 && (
            <span>
              <button type="button" aria-label={t("photos.previous")} onClick={() => step(-1)}>
                <ChevronLeft size={20} />
              </button>
              {at + 1} / {photos.length}
              <button type="button" aria-label={t("photos.next")} onClick={() => step(1)}>
                <ChevronRight size={20} />
              </button>
            </span>
          )}
          <span>
            {!hasNotArrived(photo) && <SaveOriginal photo={photo} />}
            <button type="button" onClick={onClose}>
              {t("close")}
            </button>
          </span>
        </figcaption>
      </figure>
    </Modal>
  );
}

function SaveOriginal({ photo }: { photo: Photo }) {
  const { t } = useWords();
  const { session } = useServices();
  async function save() {
    try {
      const answer = await session.fetch(addressOf(photo.id, null), {});
      if (!answer.ok) throw new Error(`photo ${answer.status}`);
      const url = URL.createObjectURL(await answer.blob());
      const link = document.createElement("a");
      link.href = url;
      link.download = `${photo.caption || t("photos.untitled")} ${photo.id.slice(-6)}`;
      link.click();
      setTimeout(() => URL.revokeObjectURL(url), 60_000);
    } catch (problem) {
      complain(t, problem);
    }
  }
  return (
    <button type="button" className={css.save} onClick={() => void save()}>
      <Download size={16} aria-hidden="true" /> {t("photos.original")}
    </button>
  );
}
