import "maplibre-gl/dist/maplibre-gl.css";
import { Info, MapPinOff, Maximize, Minus, Plus } from "lucide-react";
import { useEffect, useEffectEvent, useRef, useState } from "react";
import { go, showOrder, useWhereabouts } from "../app/address";
import type { Engineer, Order, Place } from "../app/model";
import { useNarrow } from "../app/screen";
import { useBoard, useServices } from "../app/services";
import { useWords } from "../i18n";
import { Message } from "../ui/Messages";
import { fetchBasemap, prepareMapLibre } from "./basemap";
import { offerFit } from "./fit";
import { Legend } from "./Legend";
import { offerLook } from "./look";
import css from "./map.module.css";
import { Scene, type SceneWords } from "./scene";
import { useWay } from "./useWay";
import { WayNote } from "./WayNote";

type Status = "loading" | "drawn" | "bare" | "failed";

/** `awake` is false while another pane of the phone hides the map. */
export function BoardMap({ orders, awake }: { orders: readonly Order[]; awake: boolean }) {
  const { t } = useWords();
  const container = useRef<HTMLDivElement>(null);
  const { scene, status } = useScene(container, awake);
  const [legend, setLegend] = useState(false);
  const fit = useFit(scene, orders);
  useDrawing(scene, orders);
  const way = useWay();
  useEffect(() => scene?.showWay(way?.line ?? null), [scene, way]);

  if (status === "failed") {
    return <Message icon={MapPinOff} title={t("map.failed")} hint={`${t("map.noWebgl")} ${t("map.failedHint")}`} />;
  }
  return (
    <>
      <div ref={container} className={css.canvas} data-testid="map" />
      {status === "bare" && <p className={css.notice}>{t("map.noRegion")}</p>}
      <div className={css.controls}>
        <button type="button" title={t("map.zoomIn")} aria-label={t("map.zoomIn")} onClick={() => scene?.zoom(1)}>
          <Plus size={18} />
        </button>
        <button type="button" title={t("map.zoomOut")} aria-label={t("map.zoomOut")} onClick={() => scene?.zoom(-1)}>
          <Minus size={18} />
        </button>
        <button type="button" title={t("map.fit")} aria-label={t("map.fit")} onClick={fit}>
          <Maximize size={16} />
        </button>
        <button
          type="button"
          title={t("map.legend")}
          aria-label={t("map.legend")}
          aria-expanded={legend}
          onClick={() => setLegend(!legend)}
        >
          <Info size={17} />
        </button>
      </div>
      {legend && <Legend onClose={() => setLegend(false)} />}
      {way && <WayNote way={way} />}
    </>
  );
}

/** The map of this element, made once it is first seen, restyled when the language changes. */
function useScene(
  container: React.RefObject<HTMLDivElement | null>,
  awake: boolean,
): { scene: Scene | null; status: Status } {
  const { language } = useWords();
  const [scene, setScene] = useState<Scene | null>(null);
  const [status, setStatus] = useState<Status>("loading");
  const words = useSceneWords();
  const made = useRef<Scene | null>(null);

  const draw = useEffectEvent((style: Awaited<ReturnType<typeof fetchBasemap>>) => {
    setStatus(style.found ? "drawn" : "bare");
    if (made.current) return made.current.restyle(style.style);
    if (!container.current) return;
    try {
      prepareMapLibre();
      made.current = new Scene(container.current, style.style, words);
      setScene(made.current);
    } catch {
      setStatus("failed"); // no WebGL
    }
  });

  const seen = useSeen(awake);
  useEffect(() => {
    if (!seen) return;
    const leaving = new AbortController();
    fetchBasemap(language, leaving.signal)
      .catch(() => null)
      .then((basemap) => {
        if (leaving.signal.aborted) return;
        if (basemap) draw(basemap);
        else setStatus("failed");
      });
    return () => leaving.abort();
  }, [language, seen]);

  useEffect(() => made.current?.speak(words), [words]);
  useEffect(() => {
    if (awake) made.current?.resize();
  }, [awake]);
  useEffect(
    () => () => {
      made.current?.remove();
      made.current = null;
    },
    [],
  );
  return { scene, status };
}

function useSeen(awake: boolean): boolean {
  const [seen, setSeen] = useState(awake);
  useEffect(() => {
    if (awake) setSeen(true);
  }, [awake]);
  return seen;
}

function useSceneWords(): SceneWords {
  const { t } = useWords();
  const narrow = useNarrow();
  return {
    label: (engineer: Engineer) => `${engineer.name}, ${t(`engineer.${engineer.state}`)}`,
    hint: (order: Order) => [order.title, `${order.customer_name} · ${t(`state.${order.state}`)}`],
    onChoose: (id: string) => go({ engineer: id, ...(narrow && { order: null }) }),
    onOrder: (id: string) => showOrder(id),
  };
}

/** Keeps pins, vans and the view in step with the board and with what is selected. */
function useDrawing(scene: Scene | null, orders: readonly Order[]): void {
  const { order, engineer } = useWhereabouts();
  const { board } = useServices();
  const engineers = useBoard((now) => now.engineers);
  const chosen = useBoard((now) => (order ? now.orders.get(order) : undefined));

  useEffect(() => {
    // An order opened by its address is on the map even when the filter hides it from the list.
    const hidden = chosen && !orders.some((one) => one.id === chosen.id);
    scene?.showOrders(hidden ? [...orders, chosen] : orders, order);
  }, [scene, orders, order, chosen]);
  useEffect(() => scene?.showEngineers(engineers, engineer), [scene, engineers, engineer]);

  useEffect(() => {
    if (!scene) return;
    const now = board.current();
    const place = (order && now.orders.get(order)?.place) ?? (engineer && now.engineers.get(engineer)?.place);
    if (place) scene.reveal([place]);
  }, [scene, order, engineer, board]);
}

/** Shows everything: at first by itself, later on request. */
function useFit(scene: Scene | null, orders: readonly Order[]): () => void {
  const { board } = useServices();
  const everything = useEffectEvent((): Place[] => {
    const { engineers, region } = board.current();
    const places = [
      ...orders.map((order) => order.place),
      ...[...engineers.values()].flatMap((one) => one.place ?? []),
    ];
    return places.length > 0 ? places : cornersOf(region?.bounds);
  });
  const latest = useRef<() => void>(() => undefined);
  useEffect(() => {
    latest.current = () => scene?.fit(everything());
    if (!scene) return;
    scene.fit(everything(), true);
    offerFit(latest.current);
    offerLook((place) => scene.look(place));
    return () => {
      offerFit(null);
      offerLook(null);
    };
  }, [scene]);
  return () => latest.current();
}

function cornersOf(bounds: readonly number[] | undefined): Place[] {
  if (!bounds) return [];
  const [west = 0, south = 0, east = 0, north = 0] = bounds;
  return [
    { lon: west, lat: south },
    { lon: east, lat: north },
  ];
}
