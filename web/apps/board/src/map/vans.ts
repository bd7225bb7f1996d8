import { type Map as MapLibre, Marker } from "maplibre-gl";
import type { Engineer, Place } from "../app/model";
import { prefersStillness } from "../app/screen";
import { initials } from "../ui/Avatar";
import css from "./map.module.css";

/** Longest glide between two fixes; a van that was silent for longer jumps on at the end of it. */
const LONGEST_GLIDE_MS = 3_000;
const SHORTEST_GLIDE_MS = 300;

interface Van {
  readonly marker: Marker;
  readonly element: HTMLButtonElement;
  readonly arrow: HTMLElement;
  from: Place;
  to: Place;
  startedAt: number;
  glideMs: number;
  seen: Engineer;
}

export interface VanWords {
  readonly label: (engineer: Engineer) => string;
  readonly onChoose: (id: string) => void;
}

/**
 * Engineers as markers in the page, not on the map's canvas: they can be tabbed to, read aloud and clicked. Each glides
 * from fix to fix in about the time between the fixes, so it lags by one fix and never guesses ahead.
 */
export class Vans {
  private readonly vans = new Map<string, Van>();
  private frame = 0;

  constructor(
    private readonly map: MapLibre,
    private words: VanWords,
  ) {}

  speak(words: VanWords): void {
    this.words = words;
    for (const van of this.vans.values()) van.element.setAttribute("aria-label", words.label(van.seen));
  }

  show(engineers: ReadonlyMap<string, Engineer>, selected: string | null): void {
    for (const [id, van] of this.vans) {
      if (engineers.get(id)?.place) continue;
      van.marker.remove();
      this.vans.delete(id);
    }
    for (const engineer of engineers.values()) {
      if (!engineer.place) continue;
      const van = this.vans.get(engineer.id) ?? this.add(engineer, engineer.place);
      van.element.dataset.selected = String(engineer.id === selected);
      if (van.seen !== engineer) this.update(van, engineer, engineer.place);
    }
  }

  remove(): void {
    cancelAnimationFrame(this.frame);
    for (const van of this.vans.values()) van.marker.remove();
    this.vans.clear();
  }

  private add(engineer: Engineer, place: Place): Van {
    const element = document.createElement("button");
    element.type = "button";
    element.className = css.van ?? "";
    element.dataset.testid = "engineer-marker";
    element.addEventListener("click", (event) => {
      event.stopPropagation();
      this.words.onChoose(engineer.id);
    });
    const arrow = part(element, css.arrow);
    part(element, css.disc).textContent = initials(engineer.name);
    part(element, css.name).textContent = shortName(engineer.name);
    const marker = new Marker({ element, anchor: "center" }).setLngLat([place.lon, place.lat]).addTo(this.map);
    const van: Van = {
      marker,
      element,
      arrow,
      from: place,
      to: place,
      startedAt: 0,
      glideMs: 0,
      seen: engineer,
    };
    this.vans.set(engineer.id, van);
    this.dress(van, engineer);
    return van;
  }

  private update(van: Van, engineer: Engineer, place: Place): void {
    const now = performance.now();
    this.dress(van, engineer);
    van.seen = engineer;
    if (place.lon === van.to.lon && place.lat === van.to.lat) return;
    van.from = whereIs(van, now);
    van.to = place;
    van.glideMs = prefersStillness()
      ? 0
      : Math.min(LONGEST_GLIDE_MS, Math.max(SHORTEST_GLIDE_MS, (now - van.startedAt) * 1.1));
    van.startedAt = now;
    this.frame ||= requestAnimationFrame(this.move);
  }

  private dress(van: Van, engineer: Engineer): void {
    van.element.dataset.state = engineer.state;
    van.element.setAttribute("aria-label", this.words.label(engineer));
    const turned = engineer.state === "travelling" && engineer.heading !== null;
    van.arrow.hidden = !turned;
    if (turned) van.arrow.style.transform = `rotate(${engineer.heading}deg)`;
  }

  private readonly move = (): void => {
    const now = performance.now();
    let gliding = false;
    for (const van of this.vans.values()) {
      const at = whereIs(van, now);
      const shown = van.marker.getLngLat();
      if (shown.lng === at.lon && shown.lat === at.lat) continue;
      van.marker.setLngLat([at.lon, at.lat]);
      gliding = true;
    }
    this.frame = gliding ? requestAnimationFrame(this.move) : 0;
  };
}

function whereIs(van: Van, now: number): Place {
  const share = van.glideMs > 0 ? Math.min(1, (now - van.startedAt) / van.glideMs) : 1;
  if (share >= 1) return van.to;
  return {
    lon: van.from.lon + (van.to.lon - van.from.lon) * share,
    lat: van.from.lat + (van.to.lat - van.from.lat) * share,
  };
}

/** `Nora L.` for Nora Lindqvist: on the map every letter hides a street. Chinese names are short already. */
function shortName(name: string): string {
  const [given, ...others] = name.trim().split(/\s+/);
  const family = others.at(-1);
  return family && given && !/\p{Script=Han}/u.test(name) ? `${given} ${[...family][0]}.` : name;
}

function part(parent: HTMLElement, className: string | undefined): HTMLElement {
  const element = document.createElement("span");
  element.className = className ?? "";
  parent.append(element);
  return element;
}
