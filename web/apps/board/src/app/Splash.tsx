import css from "./app.module.css";
import { Logo } from "./Logo";

export function Splash() {
  return (
    <div className={css.splash} aria-busy="true">
      <Logo size={44} />
    </div>
  );
}
