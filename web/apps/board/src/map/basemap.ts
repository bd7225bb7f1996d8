import type { StyleSpecification } from "maplibre-gl";
import { addProtocol, setWorkerUrl } from "maplibre-gl";
import workerUrl from "maplibre-gl/dist/maplibre-gl-worker.mjs?worker&url";
import { Protocol } from "pmtiles";

let prepared = false;

/** Once per page: the worker comes from our own files, and `pmtiles://` addresses are read by ranges. */
export function prepareMapLibre(): void {
  if (prepared) return;
  prepared = true;
  setWorkerUrl(workerUrl);
  addProtocol("pmtiles", new Protocol().tile);
}

/** What is drawn when no region is installed: pins and vans on plain ground. */
const BARE: StyleSpecification = {
  version: 8,
  sources: {},
  layers: [{ id: "land", type: "background", paint: { "background-color": "#eceff0" } }],
};

export interface Basemap {
  readonly style: StyleSpecification;
  readonly found: boolean;
}

export async function fetchBasemap(language: string, signal: AbortSignal): Promise<Basemap> {
  const answer = await fetch(`/api/v1/map/style.json?language=${language}`, { signal });
  if (!answer.ok) return { style: BARE, found: false };
  const style: StyleSpecification = await answer.json();
  for (const source of Object.values(style.sources)) {
    if (source.type === "vector" && source.url) source.url = fromHere(source.url);
  }
  return { style, found: true };
}

/** The tiles' address as seen from this page, whatever host name the server takes itself to have behind a proxy. */
function fromHere(address: string): string {
  const plain = address.replace(/^pmtiles:\/\//, "");
  const { pathname, search } = new URL(plain, location.origin);
  return `pmtiles://${location.origin}${pathname}${search}`;
}
