import { problemIn } from "@callout/api";
import { Button, Group, Modal, Radio, Stack } from "@mantine/core";
import { useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { useServices } from "../app/services";
import { complain, say } from "../detail/useOrderActions";
import { useWords } from "../i18n";
import { type Device, REASONS, type Reason } from "./queries";

/** The one step here that can't be undone, so it is asked for twice. */
export function RevokeDialog(props: { device: Device; opened: boolean; onClose: () => void }) {
  const { device, opened, onClose } = props;
  const { t } = useWords();
  const { api } = useServices();
  const queries = useQueryClient();
  const [why, setWhy] = useState<Reason | null>(null);
  const [busy, setBusy] = useState(false);

  async function revoke(reason: Reason) {
    setBusy(true);
    try {
      const params = { path: { device_id: device.id } };
      const { response } = await api.POST("/api/v1/devices/{device_id}/revoke", { params, body: { why: reason } });
      if (!response.ok) throw await problemIn(response);
      say(t("done.revoked", { name: device.name }));
      onClose();
    } catch (problem) {
      complain(t, problem);
    } finally {
      setBusy(false);
      void queries.invalidateQueries({ queryKey: ["devices"] });
    }
  }
  return (
    <Modal
      opened={opened}
      onClose={onClose}
      title={t("devices.revokeTitle", { name: `${device.person_name}, ${device.name}` })}
      closeButtonProps={{ "aria-label": t("close") }}
    >
      <Stack>
        <p>{t("devices.revokeHint")}</p>
        <Radio.Group label={t("devices.reason")} value={why} onChange={(next) => setWhy(next as Reason)}>
          <Stack gap={8} mt={6}>
            {REASONS.map((reason) => (
              <Radio key={reason} value={reason} label={t(`reason.${reason}`)} />
            ))}
          </Stack>
        </Radio.Group>
        <Group justify="flex-end">
          <Button variant="default" onClick={onClose}>
            {t("devices.cancel")}
          </Button>
          <Button color="red" disabled={why === null} loading={busy} onClick={() => why && void revoke(why)}>
            {t("devices.revoke")}
          </Button>
        </Group>
      </Stack>
    </Modal>
  );
}
