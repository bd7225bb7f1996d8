import { Modal } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { ChevronLeft, ChevronRight, ImageOff } from "lucide-react";
import { useEffect, useState } from "react";
import type { OrderDetail } from "../app/model";
import { useServices } from "../app/services";
import { useWords } from "../i18n";
import css from "./detail.module.css";
import { Section } from "./Section";

type Photo = OrderDetail["photos"][number];

export function Photos({ photos }: { photos: readonly Photo[] }) {
  const { t } = useWords();
  const [open, setOpen] = useState<number | null>(null);
  return (
    <Section title={t("photos.title")} aside={photos.length || undefined}>
      {photos.length === 0 && <p className={css.faint}>{t("photos.none")}</p>}
      <ul className={css.photos}>
        {photos.map((photo, index) => (
          <li key={photo.id}>
            <button
              type="button"
              aria-label={t("photos.open", { caption: photo.caption || t("photos.untitled") })}
              onClick={() => setOpen(index)}
            >
              <Picture photo={photo} />
            </button>
          </li>
        ))}
      </ul>
      {open !== null && <Lightbox photos={photos} start={open} onClose={() => setOpen(null)} />}
    </Section>
  );
}

/** Photos need the access token, so they come as blobs; the cache keeps the bytes, each picture its own address. */
function usePicture(id: string): { url: string | null; failed: boolean } {
  const { session } = useServices();
  const { data, isError } = useQuery({
    queryKey: ["photo", id],
    staleTime: Number.POSITIVE_INFINITY,
    queryFn: async ({ signal }) => {
      const answer = await session.fetch(new URL(`/api/v1/photos/${id}/content`, location.origin).href, {
        signal,
      });
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

function Picture({ photo }: { photo: Photo }) {
  const { t } = useWords();
  const { url, failed } = usePicture(photo.id);
  if (failed) {
    return (
      <span className={css.noPicture} title={t("photos.failed")}>
        <ImageOff size={20} aria-hidden="true" />
      </span>
    );
  }
  return url ? <img src={url} alt={photo.caption} /> : <span className={css.noPicture} aria-busy="true" />;
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
        <Picture photo={photo} />
        <figcaption>
          <span>
            <strong>{photo.caption}</strong> {times.full(photo.at)}
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
          <button type="button" onClick={onClose}>
            {t("close")}
          </button>
        </figcaption>
      </figure>
    </Modal>
  );
}
