import { X } from "lucide-react";
import { useEffect, useState } from "react";
import { ENGINEER_STATES, PRIORITIES } from "../app/model";
import { useWords } from "../i18n";
import css from "./map.module.css";
import { drawPins, PIN_KINDS, pinName } from "./pins";

/** The pins as drawn on the map, by name. */
function usePinPictures(): ReadonlyMap<string, string> {
  const [pictures, setPictures] = useState<ReadonlyMap<string, string>>(new Map());
  useEffect(() => {
    let left = false;
    const urls: string[] = [];
    void Promise.all(drawPins().map(async ({ name, picture }) => [name, await urlOf(picture)] as const)).then(
      (made) => {
        urls.push(...made.map(([, url]) => url));
        if (left) for (const url of urls) URL.revokeObjectURL(url);
        else setPictures(new Map(made));
      },
    );
    return () => {
      left = true;
      for (const url of urls) URL.revokeObjectURL(url);
    };
  }, []);
  return pictures;
}

async function urlOf(picture: ImageData): Promise<string> {
  const canvas = document.createElement("canvas");
  canvas.width = picture.width;
  canvas.height = picture.height;
  canvas.getContext("2d")?.putImageData(picture, 0, 0);
  const blob = await new Promise<Blob | null>((done) => canvas.toBlob(done));
  return blob ? URL.createObjectURL(blob) : "";
}

export function Legend({ onClose }: { onClose: () => void }) {
  const { t } = useWords();
  const pictures = usePinPictures();
  const pin = (name: string) => pictures.get(name) && <img src={pictures.get(name)} alt="" width={20} height={25} />;
  return (
    <section className={css.legend} aria-label={t("map.legend")}>
      <button type="button" aria-label={t("close")} onClick={onClose}>
        <X size={16} />
      </button>
      <h3>{t("priority.label")}</h3>
      <ul>
        {PRIORITIES.map((priority) => (
          <li key={priority}>
            {pin(pinName("open", priority))} {t(`priority.${priority}`)}
          </li>
        ))}
      </ul>
      <h3>{t("map.legendOrders")}</h3>
      <ul>
        {PIN_KINDS.map((kind) => (
          <li key={kind}>
            {pin(pinName(kind, "normal"))} {t(`stage.${kind}`)}
          </li>
        ))}
      </ul>
      <h3>{t("map.legendEngineers")}</h3>
      <ul>
        {ENGINEER_STATES.map((state) => (
          <li key={state}>
            <i style={{ background: `var(--engineer-${state})` }} /> {t(`engineer.${state}`)}
          </li>
        ))}
      </ul>
    </section>
  );
}
