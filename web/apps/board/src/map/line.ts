import type { Place } from "../app/model";

export type Coordinates = readonly (readonly number[])[];

/** What is left of the way for somebody who is at `place`: the line from its nearest point on. */
export function remaining(line: Coordinates, place: Place): number[][] {
  let nearest = { distance: Number.POSITIVE_INFINITY, segment: 0, at: [place.lon, place.lat] };
  const squeeze = Math.cos((place.lat * Math.PI) / 180); // a degree of longitude is shorter than one of latitude
  for (let segment = 0; segment + 1 < line.length; segment += 1) {
    const found = nearestOn(line[segment] ?? [], line[segment + 1] ?? [], place, squeeze);
    if (found.distance < nearest.distance) nearest = { ...found, segment };
  }
  return [nearest.at, ...line.slice(nearest.segment + 1).map((point) => [...point])];
}

function nearestOn(
  [ax = 0, ay = 0]: readonly number[],
  [bx = 0, by = 0]: readonly number[],
  place: Place,
  squeeze: number,
): { distance: number; at: number[] } {
  const dx = (bx - ax) * squeeze;
  const dy = by - ay;
  const px = (place.lon - ax) * squeeze;
  const py = place.lat - ay;
  const length = dx * dx + dy * dy;
  const share = length === 0 ? 0 : Math.min(1, Math.max(0, (px * dx + py * dy) / length));
  return {
    distance: Math.hypot(px - share * dx, py - share * dy),
    at: [ax + share * (bx - ax), ay + share * (by - ay)],
  };
}

const METRES_PER_DEGREE = 111_195;

/** Metres between two places, good enough for "is he there yet". */
export function metresBetween(a: Place, b: Place): number {
  const squeeze = Math.cos((((a.lat + b.lat) / 2) * Math.PI) / 180);
  return Math.hypot((b.lon - a.lon) * squeeze, b.lat - a.lat) * METRES_PER_DEGREE;
}
