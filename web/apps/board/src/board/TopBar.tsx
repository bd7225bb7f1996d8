import { Button, Menu } from "@mantine/core";
import {
  ChartGantt,
  Inbox,
  Keyboard,
  LogOut,
  type LucideIcon,
  Map as MapIcon,
  Plus,
  Route,
  SlidersHorizontal,
  Smartphone,
} from "lucide-react";
import { go, type Page } from "../app/address";
import { Logo } from "../app/Logo";
import { usePage, usePages } from "../app/pages";
import { useNarrow } from "../app/screen";
import { useServices, useSession } from "../app/services";
import { useWords } from "../i18n";
import { useWaiting } from "../inbox/queries";
import { DisturbedButton } from "../running/DisturbedButton";
import { LanguageSwitch } from "../session/LanguageSwitch";
import { Avatar } from "../ui/Avatar";
import css from "./board.module.css";
import { LinkLight } from "./LinkState";
import { ServerClock } from "./ServerClock";

export function TopBar(props: { onNew: () => void; onKeys: () => void }) {
  const { t } = useWords();
  const session = useSession();
  const watching = usePages().includes("board");
  const mayCreate = session?.person.permissions.includes("orders.create") ?? false;
  return (
    <header className={css.top}>
      <div className={css.brand}>
        <Logo size={26} />
        <strong>{t("app.name")}</strong>
        <span className={css.organisation}>{session?.organisation.name}</span>
      </div>
      <Pages />
      <div className={css.topRight}>
        {watching && <LinkLight />}
        {watching && <DisturbedButton className={css.disturbed ?? ""} badge={css.waiting} />}
        <ServerClock />
        <span className={css.wideOnly}>
          <LanguageSwitch onDark />
        </span>
        <button
          type="button"
          className={`${css.iconButton} ${css.wideOnly}`}
          title={t("help.open")}
          aria-label={t("help.open")}
          onClick={props.onKeys}
        >
          <Keyboard size={18} aria-hidden="true" />
        </button>
        {mayCreate && (
          <Button
            className={css.wideOnly}
            size="xs"
            h={32}
            leftSection={<Plus size={16} strokeWidth={2.4} />}
            color="accent.6"
            onClick={props.onNew}
          >
            {t("nav.new")}
          </Button>
        )}
        <AccountMenu onKeys={props.onKeys} />
      </div>
    </header>
  );
}

const ICON_OF: Record<Page, LucideIcon> = {
  board: MapIcon,
  timeline: ChartGantt,
  plans: Route,
  dispatching: SlidersHorizontal,
  inbox: Inbox,
  devices: Smartphone,
};

/** The pages this person may see, with how much waits in the inbox. */
function useEntries(): { readonly page: Page; readonly icon: LucideIcon; readonly waiting: number }[] {
  const waiting = useWaiting();
  return usePages().map((page) => ({ page, icon: ICON_OF[page], waiting: page === "inbox" ? waiting : 0 }));
}

function Pages() {
  const { t } = useWords();
  const here = usePage();
  const narrow = useNarrow();
  const pages = useEntries();
  if (narrow || pages.length < 2) return null;
  return (
    <nav className={css.pages} aria-label={t("nav.pages")}>
      {pages.map(({ page, waiting }) => (
        <button
          key={page}
          type="button"
          aria-current={page === here ? "page" : undefined}
          onClick={() => go({ page, item: null })}
        >
          {t(`nav.${page}`)}
          {waiting > 0 && <span className={css.waiting}>{waiting}</span>}
        </button>
      ))}
    </nav>
  );
}

function AccountMenu({ onKeys }: { onKeys: () => void }) {
  const { t } = useWords();
  const { session: keeper } = useServices();
  const session = useSession();
  const name = session?.person.name ?? "";
  const narrow = useNarrow();
  const pages = useEntries();
  return (
    <Menu width={230}>
      <Menu.Target>
        <button type="button" className={css.account} aria-label={`${t("user.menu")}: ${name}`}>
          <Avatar name={name} size={30} />
        </button>
      </Menu.Target>
      <Menu.Dropdown>
        <Menu.Label>
          <strong className={css.accountName}>{name}</strong>
          {session?.organisation.name}
        </Menu.Label>
        <div className={css.menuLanguage}>
          <LanguageSwitch />
        </div>
        {narrow &&
          pages.map(({ page, icon: Icon, waiting }) => (
            <Menu.Item
              key={page}
              leftSection={<Icon size={16} />}
              rightSection={waiting > 0 && <span className={css.waiting}>{waiting}</span>}
              onClick={() => go({ page, item: null })}
            >
              {t(`nav.${page}`)}
            </Menu.Item>
          ))}
        <Menu.Item leftSection={<Keyboard size={16} />} onClick={onKeys}>
          {t("help.open")}
        </Menu.Item>
        <Menu.Divider />
        <Menu.Item leftSection={<LogOut size={16} />} onClick={() => void keeper.signOut()}>
          {t("user.signOut")}
        </Menu.Item>
      </Menu.Dropdown>
    </Menu>
  );
}
