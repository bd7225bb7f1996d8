import { Button } from "@mantine/core";
import { CircleAlert, Smartphone, SmartphoneNfc } from "lucide-react";
import { go, useWhereabouts } from "../app/address";
import { useServerMinute } from "../app/clock";
import { useNarrow } from "../app/screen";
import { useWords } from "../i18n";
import css from "../inbox/inbox.module.css";
import { useListKeys } from "../inbox/useListKeys";
import { Failure, Message, Skeleton } from "../ui/Messages";
import { DeviceView } from "./DeviceView";
import { type Device, useDevices } from "./queries";

export function DevicesPage() {
  const { t } = useWords();
  const narrow = useNarrow();
  const { item: chosen } = useWhereabouts();
  const found = useDevices();
  const devices = found.data?.pages.flatMap((page) => page.items) ?? [];
  useListKeys(devices.map((device) => device.id));
  return (
    <main className={css.page}>
      {!(narrow && chosen) && (
        <section className={css.list} aria-label={t("devices.title")}>
          <header className={css.head}>
            <h1>{t("devices.title")}</h1>
          </header>
          <div className={css.scroller} data-scroller>
            {found.isPending && (
              <div className={css.skeletons}>
                <Skeleton height={34} />
                <Skeleton height={34} width="80%" />
              </div>
            )}
            {found.isError && (
              <Failure title={t("devices.fail")} problem={found.error} onRetry={() => void found.refetch()} />
            )}
            {found.isSuccess && devices.length === 0 && (
              <Message icon={Smartphone} title={t("devices.empty")} hint={t("devices.emptyHint")} />
            )}
            <ul>
              {devices.map((device) => (
                <Line key={device.id} device={device} chosen={device.id === chosen} />
              ))}
            </ul>
            {found.hasNextPage && (
              <Button
                variant="subtle"
                fullWidth
                loading={found.isFetchingNextPage}
                onClick={() => void found.fetchNextPage()}
              >
                {t("inbox.more")}
              </Button>
            )}
          </div>
        </section>
      )}
      {chosen ? (
        <DeviceView key={chosen} id={chosen} />
      ) : (
        !narrow && (
          <div className={css.nothing}>
            <Message icon={SmartphoneNfc} title={t("devices.pick")} hint={t("devices.pickHint")} />
          </div>
        )
      )}
    </main>
  );
}

function Line({ device, chosen }: { device: Device; chosen: boolean }) {
  const { t, times } = useWords();
  const now = useServerMinute();
  const troubled = device.alerts.length > 0;
  return (
    <li>
      <button
        type="button"
        className={css.line}
        data-item={device.id}
        aria-current={chosen}
        onClick={() => go({ item: device.id })}
      >
        <span className={css.kind} data-tone={device.revoked_at ? "off" : troubled ? "bad" : "good"}>
          {troubled ? <CircleAlert size={17} aria-hidden="true" /> : <Smartphone size={17} aria-hidden="true" />}
        </span>
        <span className={css.text}>
          <strong>{device.person_name}</strong>
          <span>
            {device.name} · {device.app_version}
          </span>
          <small>
            {statusOf(device, t)} · {t("devices.contact")} {times.moment(device.last_contact_at, now)}
          </small>
        </span>
      </button>
    </li>
  );
}

export function statusOf(device: Device, t: ReturnType<typeof useWords>["t"]): string {
  if (device.wiped_at) return t("devices.wiped");
  if (device.revoked_at) return t("devices.revoked");
  if (!device.person_active) return t("devices.disabled");
  if (device.unsent_count) return `${t("devices.unsent")}: ${t("devices.unsentCount", { count: device.unsent_count })}`;
  return t("devices.fine");
}
