import { Button, Menu } from "@mantine/core";
import { Keyboard, LogOut, Plus } from "lucide-react";
import { Logo } from "../app/Logo";
import { useServices, useSession } from "../app/services";
import { useWords } from "../i18n";
import { LanguageSwitch } from "../session/LanguageSwitch";
import { Avatar } from "../ui/Avatar";
import css from "./board.module.css";
import { LinkLight } from "./LinkState";
import { ServerClock } from "./ServerClock";

export function TopBar(props: { onNew: () => void; onKeys: () => void }) {
  const { t } = useWords();
  const session = useSession();
  const mayCreate = session?.person.permissions.includes("orders.create") ?? false;
  return (
    <header className={css.top}>
      <div className={css.brand}>
        <Logo size={26} />
        <strong>{t("app.name")}</strong>
        <span className={css.organisation}>{session?.organisation.name}</span>
      </div>
      <div className={css.topRight}>
        <LinkLight />
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

function AccountMenu({ onKeys }: { onKeys: () => void }) {
  const { t } = useWords();
  const { session: keeper } = useServices();
  const session = useSession();
  const name = session?.person.name ?? "";
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
