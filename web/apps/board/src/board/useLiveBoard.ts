import { useQueryClient } from "@tanstack/react-query";
import { useEffect } from "react";
import { setClockOffset } from "../app/clock";
import { orderKeys } from "../app/queries";
import { useBoard, useServices } from "../app/services";

/** Keeps the board open while its page is shown, and what is shown of an order in step with the events. */
export function useLiveBoard(): void {
  const { board } = useServices();
  const queries = useQueryClient();
  const clockOffset = useBoard((now) => now.clockOffset);
  useEffect(() => setClockOffset(clockOffset), [clockOffset]);
  useEffect(() => {
    board.open();
    const stop = board.onOrder((id) => void queries.invalidateQueries({ queryKey: orderKeys.all(id) }));
    return () => {
      stop();
      board.close();
    };
  }, [board, queries]);
}
