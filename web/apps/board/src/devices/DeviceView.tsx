import { Button } from "@mantine/core";
import { useQueryClient } from "@tanstack/react-query";
import { ArrowLeft, ShieldOff } from "lucide-react";
import { useState } from "react";
import { go } from "../app/address";
import { useServerMinute } from "../app/clock";
import { useServices } from "../app/services";
import { Fact, Section } from "../detail/Section";
import { complain } from "../detail/useOrderActions";
import { useWords } from "../i18n";
import css from "../inbox/inbox.module.css";
import { Failure, Skeleton } from "../ui/Messages";
import { statusOf } from "./DevicesPage";
import { type Alert, type Device, type Manifest, useDevice, useManifest } from "./queries";
import { RevokeDialog } from "./RevokeDialog";

const MB = 1_000_000;
const CLOCK_RIGHT_MS = 5_000;

export function DeviceView({ id }: { id: string }) {
  const { t } = useWords();
  const found = useDevice(id);
  return (
    <article className={css.case} data-device={id}>
      <div className={css.caseBody} data-scroller>
        {found.isPending && <Skeleton height={120} />}
        {found.isError && (
          <Failure title={t("devices.fail")} problem={found.error} onRetry={() => void found.refetch()} />
        )}
        {found.data && <Told device={found.data} />}
      </div>
    </article>
  );
}

function Told({ device }: { device: Device }) {
  const { t, times } = useWords();
  const now = useServerMinute();
  const [revoking, setRevoking] = useState(false);
  return (
    <>
      <header className={css.caseHead}>
        <button type="button" className={css.back} aria-label={t("nav.back")} onClick={() => go({ item: null })}>
          <ArrowLeft size={18} aria-hidden="true" />
        </button>
        <div>
          <h2>{device.person_name}</h2>
          <p>
            {device.name} · {statusOf(device, t)}
          </p>
        </div>
        {!device.revoked_at && (
          <Button
            variant="default"
            color="red"
            size="xs"
            leftSection={<ShieldOff size={15} />}
            onClick={() => setRevoking(true)}
          >
            {t("devices.revoke")}
          </Button>
        )}
      </header>
      <Alerts device={device} />
      <dl className={css.facts}>
        <Fact label={t("devices.contact")}>{times.moment(device.last_contact_at, now)}</Fact>
        <Fact label={t("devices.reported")}>
          {device.reported_at ? times.moment(device.reported_at, now) : t("devices.unknown")}
        </Fact>
        <Fact label={t("devices.app")}>{device.app_version}</Fact>
        <Fact label={t("devices.platform")}>{device.platform}</Fact>
        <Fact label={t("devices.unsent")}>
          <Unsent device={device} />
        </Fact>
        <Fact label={t("devices.files")}>{device.files_waiting ?? "–"}</Fact>
        <Fact label={t("devices.clock")}>
          <Clock offset={device.clock_offset_ms} />
        </Fact>
        <Fact label={t("devices.storage")}>
          <Storage device={device} />
        </Fact>
        <Fact label={t("devices.rows")}>{device.row_count === null ? "–" : times.number(device.row_count)}</Fact>
        <Fact label={t("devices.lastSeq")}>{times.number(device.last_seq)}</Fact>
        <Fact label={t("devices.conflicts")}>{device.conflicts}</Fact>
        <Fact label={t("devices.quarantined")}>{device.quarantined}</Fact>
        <Fact label={t("devices.rescued")}>{device.rescued}</Fact>
        <Fact label={t("devices.enrolled")}>{times.full(device.enrolled_at)}</Fact>
        {device.revoked_at && <Fact label={t("devices.revoked")}>{times.full(device.revoked_at)}</Fact>}
        {device.wiped_at && <Fact label={t("devices.wiped")}>{times.full(device.wiped_at)}</Fact>}
      </dl>
      {device.revoked_at && device.reported_at && (
        <Section title={t("devices.lostTitle")}>
          <p>{t("devices.lost", { count: device.unsent_count ?? 0 })}</p>
        </Section>
      )}
      <Holds device={device} />
      <RevokeDialog device={device} opened={revoking} onClose={() => setRevoking(false)} />
    </>
  );
}

function Alerts({ device }: { device: Device }) {
  const { t } = useWords();
  const { api } = useServices();
  const queries = useQueryClient();
  if (device.alerts.length === 0) return null;
  async function seen(kind: Alert) {
    const params = { path: { device_id: device.id, kind } };
    const { response, error } = await api.DELETE("/api/v1/devices/{device_id}/alerts/{kind}", { params });
    if (!response.ok && response.status !== 404) complain(t, error);
    void queries.invalidateQueries({ queryKey: ["devices"] });
  }
  return (
    <Section title={t("devices.alerts")}>
      <div className={css.tags}>
        {device.alerts.map((kind) => (
          <span key={kind} className={css.tag}>
            {t(`alert.${kind}`)}
            <button type="button" onClick={() => void seen(kind)}>
              {t("devices.seen")}
            </button>
          </span>
        ))}
      </div>
    </Section>
  );
}

function Unsent({ device }: { device: Device }) {
  const { t, times } = useWords();
  const now = useServerMinute();
  if (device.unsent_count === null) return t("devices.unknown");
  if (device.unsent_count === 0) return t("devices.nothingUnsent");
  const since = device.oldest_unsent_at
    ? `, ${t("devices.since", { when: times.moment(device.oldest_unsent_at, now) })}`
    : "";
  return t("devices.unsentCount", { count: device.unsent_count }) + since;
}

/** `offset` is how far the server is ahead. */
function Clock({ offset }: { offset: number | null }) {
  const { t, times } = useWords();
  if (offset === null) return "–";
  if (Math.abs(offset) < CLOCK_RIGHT_MS) return t("devices.clockRight");
  return t(offset < 0 ? "devices.clockAhead" : "devices.clockBehind", { span: times.span(offset / 1000) });
}

function Storage({ device }: { device: Device }) {
  const { t, times } = useWords();
  const kept = t(device.storage_persisted ? "devices.persisted" : "devices.evictable");
  if (device.quota_bytes === null || device.used_bytes === null) return kept;
  const [used, quota] = [times.number(device.used_bytes / MB, 1), times.number(device.quota_bytes / MB)];
  return `${kept}, ${t("devices.quota", { used, quota })}`;
}

function Holds({ device }: { device: Device }) {
  const { t } = useWords();
  const [asked, setAsked] = useState(false);
  const found = useManifest(device.id, asked);
  return (
    <Section title={t("devices.manifest")} aside={t("devices.manifestHint")}>
      {!asked && (
        <Button variant="default" size="xs" onClick={() => setAsked(true)}>
          {t("devices.manifestShow")}
        </Button>
      )}
      {asked && found.isPending && <Skeleton height={60} />}
      {found.isError && <Failure title={t("devices.fail")} problem={found.error} />}
      {found.data && <Held it={found.data} />}
    </Section>
  );
}

function Held({ it }: { it: Manifest }) {
  const { t, times } = useWords();
  const orders = it.orders.map((one) => [one.id, `#${one.number} ${one.title}, ${one.customer_name}`] as const);
  const customers = it.customers.map((one) => [one.id, one.name] as const);
  const sites = it.sites.map((one) => [one.id, `${one.name}, ${one.customer_name}`] as const);
  return (
    <div className={css.holding}>
      <p>{it.frozen_at ? t("devices.manifestFrozen", { when: times.full(it.frozen_at) }) : t("devices.manifestNow")}</p>
      <Names title={t("devices.customers")} names={customers} />
      <Names title={t("devices.sites")} names={sites} />
      <Names title={t("devices.orders")} names={orders} />
    </div>
  );
}

function Names(props: { title: string; names: readonly (readonly [string, string])[] }) {
  const { t } = useWords();
  return (
    <>
      <h4>{props.title}</h4>
      {props.names.length === 0 && <p>{t("devices.none")}</p>}
      <ul className={css.held}>
        {props.names.map(([id, name]) => (
          <li key={id}>{name}</li>
        ))}
      </ul>
    </>
  );
}
