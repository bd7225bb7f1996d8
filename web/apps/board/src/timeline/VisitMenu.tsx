import { Menu } from "@mantine/core";
import { CalendarClock, ExternalLink, Pin, PinOff, UserRoundMinus, UserRoundSearch, UserRoundX } from "lucide-react";
import { go } from "../app/address";
import { useWords } from "../i18n";
import { askReport } from "../running/asking";
import { lookOf, type Subject, waits } from "./model";
import css from "./timeline.module.css";
import type { Moves } from "./useMoves";

export interface Opened {
  readonly subject: Subject;
  readonly at: DOMRect;
}

interface Props {
  readonly opened: Opened | null;
  readonly onClose: () => void;
  readonly onMove: (subject: Subject) => void;
  readonly moves: Moves;
  readonly nameOf: (engineer: string) => string;
}

/** What can be done with a visit, at the place it was asked for. */
export function VisitMenu({ opened, onClose, onMove, moves, nameOf }: Props) {
  const { t } = useWords();
  const subject = opened?.subject;
  const visit = subject?.visit;
  const waiting = visit ? waits(visit.state) : false;
  const at = opened?.at;
  return (
    <Menu opened={opened !== null} onClose={onClose} position="bottom-start" width={230} withinPortal returnFocus>
      <Menu.Target>
        <i
          className={css.menuPlace}
          style={{ left: at?.left ?? 0, top: at?.top ?? 0, width: at?.width ?? 0, height: at?.height ?? 0 }}
        />
      </Menu.Target>
      <Menu.Dropdown>
        {subject && visit && (
          <>
            <Menu.Label>
              #{subject.number} {subject.title}
            </Menu.Label>
            <Menu.Item leftSection={<ExternalLink size={15} />} onClick={() => go({ order: subject.orderId })}>
              {t("timeline.open")}
            </Menu.Item>
            <Menu.Item
              leftSection={<UserRoundSearch size={15} />}
              onClick={() => go({ order: subject.orderId, tab: "candidates" })}
            >
              {t("do.findEngineer")}
            </Menu.Item>
            {lookOf(visit.state) !== "done" && (
              <Menu.Item
                leftSection={<UserRoundX size={15} />}
                onClick={() =>
                  askReport({
                    kind: "no_show",
                    engineer: { id: visit.engineerId, name: nameOf(visit.engineerId) },
                    orderId: subject.orderId,
                  })
                }
              >
                {t("report.do.no_show")}
              </Menu.Item>
            )}
            {waiting && (
              <>
                <Menu.Item
                  leftSection={<CalendarClock size={15} />}
                  disabled={visit.pin === "time"}
                  onClick={() => onMove(subject)}
                >
                  {t("timeline.moveTo")}
                </Menu.Item>
                <Menu.Divider />
                {visit.pin !== "engineer" && (
                  <Menu.Item leftSection={<Pin size={15} />} onClick={() => void moves.pin(subject, "engineer")}>
                    {t("pin.do.engineer")}
                  </Menu.Item>
                )}
                {visit.pin !== "time" && (
                  <Menu.Item leftSection={<Pin size={15} />} onClick={() => void moves.pin(subject, "time")}>
                    {t("pin.do.time")}
                  </Menu.Item>
                )}
                {visit.pin && (
                  <Menu.Item leftSection={<PinOff size={15} />} onClick={() => void moves.pin(subject, null)}>
                    {t("pin.do.none")}
                  </Menu.Item>
                )}
                <Menu.Divider />
                <Menu.Item
                  leftSection={<UserRoundMinus size={15} />}
                  disabled={visit.pin !== null}
                  onClick={() => void moves.release(subject)}
                >
                  {t("timeline.release")}
                </Menu.Item>
              </>
            )}
          </>
        )}
      </Menu.Dropdown>
    </Menu>
  );
}
