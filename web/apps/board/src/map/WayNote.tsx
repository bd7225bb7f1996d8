import { useWords } from "../i18n";
import { Avatar } from "../ui/Avatar";
import css from "./map.module.css";
import type { Way } from "./useWay";

export function WayNote({ way }: { way: Way }) {
  const { t, times } = useWords();
  const { engineer, order, route } = way;
  return (
    <p className={css.way}>
      <Avatar name={engineer.name} state={engineer.state} size={24} />
      <strong>{t("map.route", { time: times.span(route.seconds), distance: times.distance(route.metres) })}</strong>
      <span>{t("map.routeP90", { time: times.span(route.p90_seconds) })}</span>
      <em>#{order.number}</em>
    </p>
  );
}
