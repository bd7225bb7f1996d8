import type { State } from "../app/model";
import { stageOf } from "../app/model";

/** How far an order has come, as a share of a pie; readable without its colour. */
const SHARE: Partial<Record<State, number>> = {
  scheduled: 0.15,
  dispatched: 0.3,
  accepted: 0.45,
  travelling: 0.55,
  on_site: 0.7,
  working: 0.85,
};

const colourOf = (state: State): string => `var(--stage-${state === "cancelled" ? "cancelled" : stageOf(state)})`;

export function StateGlyph(props: { state: State; size?: number }) {
  const { state, size = 16 } = props;
  return (
    <svg
      width={size}
      height={size}
      viewBox="0 0 16 16"
      fill="none"
      stroke={colourOf(state)}
      strokeWidth={1.6}
      strokeLinecap="round"
      strokeLinejoin="round"
      aria-hidden="true"
    >
      <Drawing state={state} />
    </svg>
  );
}

function Drawing({ state }: { state: State }) {
  const colour = colourOf(state);
  switch (state) {
    case "new":
      return <circle cx="8" cy="8" r="6" strokeDasharray="2.1 2.6" />;
    case "triaged":
      return <circle cx="8" cy="8" r="6" />;
    case "reopened":
      return <path d="M3 5.4A6 6 0 1 1 2 8M2.4 2.6v3.2h3.2" />;
    case "on_hold":
      return (
        <>
          <circle cx="8" cy="8" r="6.8" fill={colour} stroke="none" />
          <path d="M6.4 5.8v4.4M9.6 5.8v4.4" stroke="#fff" />
        </>
      );
    case "completed_disputed":
      return (
        <>
          <circle cx="8" cy="8" r="6" />
          <path d="M8 4.8v3.8M8 10.8v.4" />
        </>
      );
    case "resolved":
    case "awaiting_confirmation":
      return (
        <>
          <circle cx="8" cy="8" r="6" />
          <path d="m5.4 8.2 1.8 1.8 3.4-3.7" />
        </>
      );
    case "closed":
      return (
        <>
          <circle cx="8" cy="8" r="6.8" fill={colour} stroke="none" />
          <path d="m5.2 8.2 2 2 3.7-4" stroke="#fff" />
        </>
      );
    case "cancelled":
      return (
        <>
          <circle cx="8" cy="8" r="6" />
          <path d="m5.9 5.9 4.2 4.2m0-4.2-4.2 4.2" />
        </>
      );
    default:
      return (
        <>
          <circle cx="8" cy="8" r="6" />
          <path d={slice(SHARE[state] ?? 0)} fill={colour} stroke="none" />
        </>
      );
  }
}

function slice(share: number): string {
  const angle = 2 * Math.PI * share;
  const x = 8 + 3.8 * Math.sin(angle);
  const y = 8 - 3.8 * Math.cos(angle);
  return `M8 8V4.2A3.8 3.8 0 ${share > 0.5 ? 1 : 0} 1 ${x.toFixed(2)} ${y.toFixed(2)}Z`;
}
