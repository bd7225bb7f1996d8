import { answered } from "@callout/api";
import { Button, Menu } from "@mantine/core";
import { Pin as PinIcon, PinOff } from "lucide-react";
import { type OrderDetail, orderOf, type Visit } from "../app/model";
import { useMay } from "../app/pages";
import { orderKeys } from "../app/queries";
import { useServices } from "../app/services";
import { useWords } from "../i18n";
import type { Pin } from "./arranging";
import { useChange } from "./useChange";
import { sayUndo } from "./useOrderActions";

const WAITING = new Set(["planned", "dispatched", "accepted"]);

/** Keeps plans from touching a visit that waits: its engineer, or its time as well. */
export function VisitPin({ detail, visit }: { detail: OrderDetail; visit: Visit }) {
  const { t } = useWords();
  const may = useMay("visits.dispatch");
  const { api, board } = useServices();
  const { busy, attempt } = useChange();
  const { pin } = visit;
  if (!may || !WAITING.has(visit.state) || detail.voided_at) return null;

  async function put(wanted: Pin | null): Promise<boolean> {
    const params = { path: { visit_id: visit.id } };
    const done = await attempt(
      () => answered(api.POST("/api/v1/visits/{visit_id}/pin", { params, body: { pin: wanted } })),
      orderKeys.all(detail.id),
      ["days"],
    );
    if (done) board.learn(orderOf(done));
    return done !== null;
  }
  async function hold(wanted: Pin | null) {
    const before = pin;
    const number = detail.number;
    if (!(await put(wanted))) return;
    const message = wanted ? t(`pin.done.${wanted}`, { number }) : t("pin.gone", { number });
    sayUndo(t, message, () => void put(before));
  }
  return (
    <Menu width={220}>
      <Menu.Target>
        <Button
          size="compact-sm"
          variant={pin ? "light" : "subtle"}
          color={pin ? "accent" : "gray"}
          px={7}
          loading={busy}
          aria-label={t(pin ? `pin.${pin}` : "pin.menu")}
          title={t(pin ? `pin.${pin}` : "pin.menu")}
        >
          <PinIcon size={15} aria-hidden="true" />
        </Button>
      </Menu.Target>
      <Menu.Dropdown>
        {pin && <Menu.Label>{t(`pin.${pin}`)}</Menu.Label>}
        {pin !== "engineer" && (
          <Menu.Item leftSection={<PinIcon size={15} />} onClick={() => void hold("engineer")}>
            {t("pin.do.engineer")}
          </Menu.Item>
        )}
        {pin !== "time" && (
          <Menu.Item leftSection={<PinIcon size={15} />} onClick={() => void hold("time")}>
            {t("pin.do.time")}
          </Menu.Item>
        )}
        {pin && (
          <Menu.Item leftSection={<PinOff size={15} />} onClick={() => void hold(null)}>
            {t("pin.do.none")}
          </Menu.Item>
        )}
      </Menu.Dropdown>
    </Menu>
  );
}
