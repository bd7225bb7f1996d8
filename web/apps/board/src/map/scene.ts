import type { FeatureCollection } from "geojson";
import {
  AttributionControl,
  type GeoJSONSource,
  LngLatBounds,
  Map as MapLibre,
  type MapMouseEvent,
  Popup,
  type StyleSpecification,
} from "maplibre-gl";
import type { Engineer, Order, Place } from "../app/model";
import { prefersStillness } from "../app/screen";
import css from "./map.module.css";
import { drawPins, PIN_RATIO, type PinProperties, pinsOf, SELECTION_COLOUR } from "./pins";
import { Vans, type VanWords } from "./vans";

export interface SceneWords extends VanWords {
  readonly onOrder: (id: string) => void;
  readonly hint: (order: Order) => readonly [string, string];
}

const NOTHING: FeatureCollection = { type: "FeatureCollection", features: [] };
const PADDING = { top: 72, right: 64, bottom: 64, left: 64 };

/** Everything drawn on the map. Told what to show by BoardMap; survives changes of the style. */
export class Scene {
  private readonly map: MapLibre;
  private readonly vans: Vans;
  private readonly hint = new Popup({
    closeButton: false,
    closeOnClick: false,
    offset: 34,
    className: css.hint ?? "",
  });
  private pins: FeatureCollection = NOTHING;
  private way: FeatureCollection = NOTHING;
  private orders = new Map<string, Order>();

  constructor(
    container: HTMLElement,
    style: StyleSpecification,
    private words: SceneWords,
  ) {
    this.map = new MapLibre({
      container,
      style,
      attributionControl: false,
      dragRotate: false,
      pitchWithRotate: false,
      touchPitch: false,
      maxZoom: 19,
      fadeDuration: prefersStillness() ? 0 : 200,
      canvasContextAttributes: { antialias: true },
    });
    this.map.touchZoomRotate.disableRotation();
    this.map.addControl(new AttributionControl({ compact: false }), "bottom-right");
    this.vans = new Vans(this.map, words);
    // A tile that could not be fetched stays blank until the map asks again; the live light says what is wrong.
    this.map.on("error", () => undefined);
    this.map.on("style.load", this.install);
    this.map.on("click", "pins", this.choose);
    this.map.on("mousemove", "pins", this.explain);
    this.map.on("mouseleave", "pins", this.hush);
    this.map.on("zoom", this.thin);
    this.map.once("idle", () => container.setAttribute("data-idle", "true"));
  }

  speak(words: SceneWords): void {
    this.words = words;
    this.vans.speak(words);
  }

  restyle(style: StyleSpecification): void {
    this.map.setStyle(style, { diff: false });
  }

  showOrders(orders: readonly Order[], selected: string | null): void {
    this.orders = new Map(orders.map((order) => [order.id, order]));
    this.pins = pinsOf(orders, selected);
    this.fill("pins", this.pins);
  }

  showEngineers(engineers: ReadonlyMap<string, Engineer>, selected: string | null): void {
    this.vans.show(engineers, selected);
  }

  showWay(line: readonly (readonly number[])[] | null): void {
    this.way =
      line === null
        ? NOTHING
        : {
            type: "FeatureCollection",
            features: [
              {
                type: "Feature",
                properties: {},
                geometry: { type: "LineString", coordinates: line.map((point) => [...point]) },
              },
            ],
          };
    this.fill("way", this.way);
  }

  zoom(by: 1 | -1): void {
    this.map.easeTo({ zoom: this.map.getZoom() + by, animate: !prefersStillness() });
  }

  /** `calm` moves at once, as for the first view. */
  fit(places: readonly Place[], calm = false): void {
    const [first] = places;
    if (!first) return;
    const bounds = new LngLatBounds([first.lon, first.lat], [first.lon, first.lat]);
    for (const { lon, lat } of places) bounds.extend([lon, lat]);
    this.map.fitBounds(bounds, {
      padding: PADDING,
      maxZoom: 16,
      animate: !calm && !prefersStillness(),
      duration: 600,
    });
  }

  /** Brings places into sight when one of them is hidden or at the rim; else leaves the map as the reader set it. */
  reveal(places: readonly Place[]): void {
    this.map.resize(); // the details that opened with this selection have just made the map narrower
    const { clientWidth: width, clientHeight: height } = this.map.getContainer();
    const inSight = places.every(({ lon, lat }) => {
      const { x, y } = this.map.project([lon, lat]);
      return x > 48 && y > 56 && x < width - 48 && y < height - 56;
    });
    if (inSight) return;
    const [only] = places;
    if (places.length === 1 && only) this.map.easeTo({ center: [only.lon, only.lat], animate: !prefersStillness() });
    else this.fit(places);
  }

  look({ lon, lat }: Place): void {
    this.map.easeTo({
      center: [lon, lat],
      zoom: Math.max(16, this.map.getZoom()),
      animate: !prefersStillness(),
    });
  }

  resize(): void {
    this.map.resize();
  }

  remove(): void {
    this.hint.remove();
    this.vans.remove();
    this.map.remove();
  }

  private readonly install = (): void => {
    for (const { name, picture } of drawPins()) this.map.addImage(name, picture, { pixelRatio: PIN_RATIO });
    this.map.addSource("way", { type: "geojson", data: this.way });
    this.map.addSource("pins", { type: "geojson", data: this.pins });
    this.layWay();
    this.layPins();
    this.thin();
  };

  private layWay(): void {
    const layout = { "line-cap": "round", "line-join": "round" } as const;
    this.map.addLayer({
      id: "way-edge",
      type: "line",
      source: "way",
      layout,
      paint: { "line-color": "#fff", "line-width": 8, "line-opacity": 0.9 },
    });
    this.map.addLayer({
      id: "way",
      type: "line",
      source: "way",
      layout,
      paint: { "line-color": "#2b67d1", "line-width": 4.5 },
    });
  }

  private layPins(): void {
    this.map.addLayer({
      id: "selected",
      type: "circle",
      source: "pins",
      filter: ["get", "selected"],
      paint: {
        "circle-radius": 20,
        "circle-color": SELECTION_COLOUR,
        "circle-opacity": 0.14,
        "circle-stroke-color": SELECTION_COLOUR,
        "circle-stroke-width": 2,
        "circle-pitch-alignment": "map",
      },
    });
    this.map.addLayer({
      id: "pins",
      type: "symbol",
      source: "pins",
      layout: {
        "icon-image": ["get", "icon"],
        "icon-anchor": "bottom",
        "icon-allow-overlap": true,
        "icon-ignore-placement": true,
        "icon-offset": ["get", "offset"],
        "symbol-sort-key": ["get", "rank"],
        "text-field": ["get", "more"],
        "text-font": ["Noto Sans CJK SC", "sans-serif"],
        "text-size": 12,
        "text-anchor": "left",
        // In ems: beside the last pin of the row, at half its height.
        "text-offset": [3.7, -1.3],
        "text-allow-overlap": true,
        "text-ignore-placement": true,
        "icon-size": [
          "interpolate",
          ["linear"],
          ["zoom"],
          11,
          ["case", ["get", "selected"], 0.8, 0.55],
          15,
          ["case", ["get", "selected"], 1.25, 0.9],
        ],
      },
      paint: { "text-color": "#14212b", "text-halo-color": "#fff", "text-halo-width": 1.6 },
    });
  }

  private fill(source: "pins" | "way", data: FeatureCollection): void {
    // Before the style has come there is nothing to fill yet; `install` takes the data then.
    this.map.getSource<GeoJSONSource>(source)?.setData(data);
  }

  private pinAt(event: MapMouseEvent): Order | undefined {
    const [pin] = this.map.queryRenderedFeatures(event.point, { layers: ["pins"] });
    return pin && this.orders.get((pin.properties as PinProperties).id);
  }

  private readonly choose = (event: MapMouseEvent): void => {
    const order = this.pinAt(event);
    if (order) this.words.onOrder(order.id);
  };

  private readonly explain = (event: MapMouseEvent): void => {
    const order = this.pinAt(event);
    if (!order) return;
    this.map.getCanvas().style.cursor = "pointer";
    const [title, below] = this.words.hint(order);
    const text = document.createElement("div");
    for (const [tag, words] of [
      ["strong", title],
      ["span", below],
    ] as const) {
      const line = document.createElement(tag);
      line.textContent = words;
      text.append(line);
    }
    this.hint.setLngLat([order.place.lon, order.place.lat]).setDOMContent(text).addTo(this.map);
  };

  private readonly hush = (): void => {
    this.map.getCanvas().style.cursor = "";
    this.hint.remove();
  };

  /** Names would only pile up when the whole region is in view. */
  private readonly thin = (): void => {
    this.map.getContainer().dataset.names = String(this.map.getZoom() >= 13.2);
  };
}
