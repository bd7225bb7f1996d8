import type { Place } from "../app/model";

type Look = (place: Place) => void;

let look: Look | null = null;

export function offerLook(action: Look | null): void {
  look = action;
}

/** Shows a place on the map for a moment. */
export function lookAt(place: Place): void {
  look?.(place);
}
