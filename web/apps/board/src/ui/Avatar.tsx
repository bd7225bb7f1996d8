import type { EngineerState } from "../app/model";
import css from "./ui.module.css";

/** Two letters of a western name; the given name of a Chinese one. */
export function initials(name: string): string {
  const trimmed = name.trim();
  if (/\p{Script=Han}/u.test(trimmed)) return [...trimmed.replaceAll(/[^\p{Script=Han}]/gu, "")].slice(-2).join("");
  const words = trimmed.split(/[\s-]+/).filter(Boolean);
  const letters = words.length > 1 ? [words[0], words[words.length - 1]] : [words[0]];
  return letters.map((word) => [...(word ?? "?")][0]?.toUpperCase()).join("");
}

/** `name` null draws the place of somebody still to be found. */
export function Avatar(props: { name: string | null; state?: EngineerState | undefined; size?: number }) {
  const { name, state, size = 22 } = props;
  const style = {
    width: size,
    height: size,
    fontSize: Math.round(size * 0.4 * 10) / 10,
    "--ring": state ? `var(--engineer-${state})` : "#5b6b78",
  };
  if (name === null) return <span className={`${css.avatar} ${css.nobody}`} style={style} aria-hidden="true" />;
  return (
    <span className={css.avatar} style={style} aria-hidden="true">
      {initials(name)}
    </span>
  );
}
