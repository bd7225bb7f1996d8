import type { LucideIcon } from "lucide-react";
import type { ReactNode } from "react";
import { useBoard } from "../app/services";
import { useWords } from "../i18n";

/** One thing that something would mean. */
export function Line(props: { icon: LucideIcon; tone?: "warn" | "bad"; children: ReactNode }) {
  const Icon = props.icon;
  return (
    <li data-tone={props.tone}>
      <Icon size={14} aria-hidden="true" />
      <span>{props.children}</span>
    </li>
  );
}

/** An order by its number and name, where the board knows it. */
export function OrderName({ id }: { id: string }) {
  const { t } = useWords();
  const order = useBoard((board) => board.orders.get(id));
  return order ? (
    <b>
      #{order.number} {order.title}
    </b>
  ) : (
    t("whatIf.another")
  );
}
