import type { Feature, FeatureCollection, Point } from "geojson";
import { type Order, PRIORITIES, type Priority, STAGES, type State, stageOf } from "../app/model";

export interface PinProperties {
  readonly id: string;
  readonly icon: string;
  readonly offset: [number, number];
  readonly rank: number;
  readonly selected: boolean;
  /** How many more orders wait at the same door, as `+3`; empty for none. */
  readonly more: string;
}

const FAN_PX = 19;
const MOST_AT_A_DOOR = 4;

type Pin = Feature<Point, PinProperties>;

/**
 * Pins of orders that come sorted, the most pressing first. Those at one door stand side by side, the first few of them,
 * the last with the number of those not shown; the selected one steps in front. The most pressing lies on top.
 */
export function pinsOf(orders: readonly Order[], selected: string | null): FeatureCollection<Point, PinProperties> {
  const ranks = new Map(orders.map((order, index) => [order.id, orders.length - index]));
  const doors = Map.groupBy(orders, doorOf);
  const features = [...doors.values()].flatMap((there) => pinsAtDoor(there, selected, ranks));
  return { type: "FeatureCollection", features };
}

function pinsAtDoor(there: readonly Order[], selected: string | null, ranks: ReadonlyMap<string, number>): Pin[] {
  const row = there.slice(0, MOST_AT_A_DOOR);
  const hidden = there.length - row.length;
  const chosen = there.find((order) => order.id === selected);
  const pins = row
    .filter((order) => order !== chosen)
    .map((order) => {
      const nth = row.indexOf(order);
      const aside = (nth - (row.length - 1) / 2) * FAN_PX;
      const more = hidden > 0 && nth === row.length - 1 ? `+${hidden}` : "";
      return pinOf(order, { offset: [aside, 0], rank: ranks.get(order.id) ?? 0, selected: false, more });
    });
  // The selected one stands right at the door, inside its ring.
  return chosen ? [...pins, pinOf(chosen, { offset: [0, 0], rank: 1_000_000, selected: true, more: "" })] : pins;
}

function pinOf(order: Order, drawn: Omit<PinProperties, "id" | "icon">): Pin {
  return {
    type: "Feature",
    geometry: { type: "Point", coordinates: [order.place.lon, order.place.lat] },
    properties: { id: order.id, icon: pinName(kindOf(order.state), order.priority), ...drawn },
  };
}

const doorOf = ({ place }: Order): string => `${place.lon.toFixed(5)} ${place.lat.toFixed(5)}`;

/** Pins know one kind more than the stages: an order that was called off is no success. */
export const PIN_KINDS = [...STAGES, "cancelled"] as const;
export type PinKind = (typeof PIN_KINDS)[number];

const kindOf = (state: State): PinKind => (state === "cancelled" ? "cancelled" : stageOf(state));

export const pinName = (kind: PinKind, priority: Priority): string => `pin-${kind}-${priority}`;

const COLOURS: Record<Priority, string> = { urgent: "#d1243a", high: "#d77408", normal: "#4b6a88" };
const INK = "#33434f";

export const PIN_RATIO = 3;
const WIDTH = 32;
const HEIGHT = 40;

/** All pins as pictures. Stage is told by shape and filling, priority by colour and mark: neither by colour alone. */
export function drawPins(): { name: string; picture: ImageData }[] {
  return PIN_KINDS.flatMap((kind) =>
    PRIORITIES.map((priority) => ({ name: pinName(kind, priority), picture: drawPin(kind, priority) })),
  );
}

function drawPin(kind: PinKind, priority: Priority): ImageData {
  const canvas = document.createElement("canvas");
  canvas.width = WIDTH * PIN_RATIO;
  canvas.height = HEIGHT * PIN_RATIO;
  const pen = canvas.getContext("2d", { willReadFrequently: true });
  if (!pen) throw new Error("no 2d canvas");
  pen.scale(PIN_RATIO, PIN_RATIO);
  pen.lineCap = "round";
  pen.lineJoin = "round";
  PAINTERS[kind](pen, COLOURS[priority], priority);
  return pen.getImageData(0, 0, canvas.width, canvas.height);
}

type Pen = CanvasRenderingContext2D;
type Painter = (pen: Pen, colour: string, priority: Priority) => void;

const PAINTERS: Record<PinKind, Painter> = {
  // Nobody has it yet: the heaviest pin, with the mark of its priority.
  open: (pen, colour, priority) => {
    drop(pen, colour, "#fff", 2);
    markOf(pen, priority, "#fff");
  },
  // Somebody will come: hollow, with a dot.
  planned: (pen, colour) => {
    drop(pen, "#fff", colour, 2.6);
    pen.fillStyle = colour;
    pen.beginPath();
    pen.arc(16, 16, 4.2, 0, 2 * Math.PI);
    pen.fill();
  },
  // Somebody is on the way or there: hollow, with an arrow going on.
  underway: (pen, colour) => {
    drop(pen, "#fff", colour, 2.6);
    pen.fillStyle = colour;
    pen.beginPath();
    pen.moveTo(13, 10.4);
    pen.lineTo(21.4, 16);
    pen.lineTo(13, 21.6);
    pen.closePath();
    pen.fill();
  },
  hold: (pen, colour) => {
    drop(pen, "#fff", colour, 2.6, [3.4, 3.4]);
    pen.strokeStyle = colour;
    pen.lineWidth = 2.8;
    stroke(pen, [
      [13.2, 12],
      [13.2, 20],
    ]);
    stroke(pen, [
      [18.8, 12],
      [18.8, 20],
    ]);
  },
  // The work is done, the customer has yet to say so.
  confirm: (pen) => {
    disc(pen, "#fff", "#2c8a57");
    pen.strokeStyle = "#2c8a57";
    pen.lineWidth = 2.2;
    stroke(pen, TICK);
  },
  closed: (pen) => {
    disc(pen, "#2c8a57", "#fff");
    pen.strokeStyle = "#fff";
    pen.lineWidth = 2.2;
    stroke(pen, TICK);
  },
  cancelled: (pen) => {
    disc(pen, "#93a0a8", "#fff");
    pen.strokeStyle = "#fff";
    pen.lineWidth = 2.2;
    stroke(pen, [
      [12.8, 26],
      [19.2, 32.4],
    ]);
    stroke(pen, [
      [19.2, 26],
      [12.8, 32.4],
    ]);
  },
};

function drop(pen: Pen, fill: string, line: string, width: number, dash: number[] = []): void {
  const shape = new Path2D("M16 3A13 13 0 0 0 3 16C3 24.4 16 37.6 16 37.6S29 24.4 29 16A13 13 0 0 0 16 3Z");
  pen.save();
  pen.shadowColor = "rgb(20 33 43 / 38%)";
  pen.shadowBlur = 3.4 * PIN_RATIO;
  pen.shadowOffsetY = 1.2 * PIN_RATIO;
  pen.fillStyle = fill;
  pen.fill(shape);
  pen.restore();
  pen.save();
  pen.strokeStyle = line;
  pen.lineWidth = width;
  pen.setLineDash(dash);
  pen.stroke(shape);
  pen.restore();
}

function disc(pen: Pen, fill: string, line: string): void {
  pen.fillStyle = line;
  pen.beginPath();
  pen.arc(16, 29.2, 10, 0, 2 * Math.PI);
  pen.fill();
  pen.fillStyle = fill;
  pen.beginPath();
  pen.arc(16, 29.2, 8, 0, 2 * Math.PI);
  pen.fill();
}

type Line = readonly (readonly [number, number])[];

const TICK: Line = [
  [11.8, 29.2],
  [14.8, 32.2],
  [20.4, 26],
];

const MARKS: Record<Priority, readonly Line[]> = {
  urgent: [chevron(10.8), chevron(16.8)],
  high: [chevron(13.4)],
  normal: [
    [
      [11.6, 16],
      [20.4, 16],
    ],
  ],
};

function chevron(top: number): Line {
  return [
    [11.2, top + 4.8],
    [16, top],
    [20.8, top + 4.8],
  ];
}

function markOf(pen: Pen, priority: Priority, colour: string): void {
  pen.strokeStyle = colour;
  pen.lineWidth = 2.7;
  for (const line of MARKS[priority]) stroke(pen, line);
}

function stroke(pen: Pen, points: Line): void {
  pen.beginPath();
  for (const [x, y] of points) pen.lineTo(x, y);
  pen.stroke();
}

export { INK as SELECTION_COLOUR };
