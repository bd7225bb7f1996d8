import type { ReactNode } from "react";
import css from "./detail.module.css";

export function Section(props: { title: string; aside?: ReactNode; children: ReactNode }) {
  return (
    <section className={css.section}>
      <h3>
        {props.title}
        {props.aside && <small>{props.aside}</small>}
      </h3>
      {props.children}
    </section>
  );
}

export function Fact(props: { label: string; children: ReactNode }) {
  return (
    <div className={css.fact}>
      <dt>{props.label}</dt>
      <dd>{props.children}</dd>
    </div>
  );
}
