import { type Api, answered } from "@callout/api";
import { useQueryClient } from "@tanstack/react-query";
import { useEffect } from "react";
import { sampleClock } from "../app/clock";
import { orderKeys } from "../app/queries";
import { useServices } from "../app/services";

const FIRST_CHECK_MS = 4_000;
const CHECK_EVERY_MS = 60_000;

/** Keeps the board open while its page is shown, and what is shown of an order in step with the events. */
export function useLiveBoard(): void {
  const { board } = useServices();
  const queries = useQueryClient();
  useEffect(() => {
    board.open();
    const stop = board.onOrder((id) => void queries.invalidateQueries({ queryKey: orderKeys.all(id) }));
    return () => {
      stop();
      board.close();
    };
  }, [board, queries]);
}

/** Keeps asking what time it is, also where nothing else is live. */
export function useServerClock(): void {
  const { api } = useServices();
  useEffect(() => {
    const check = () => void readServerClock(api).catch(() => undefined); // the next check will do
    const first = setTimeout(check, FIRST_CHECK_MS);
    const regular = setInterval(check, CHECK_EVERY_MS);
    return () => {
      clearTimeout(first);
      clearInterval(regular);
    };
  }, [api]);
}

/** The greeting phones get is the smallest answer that tells the server's time. */
async function readServerClock(api: Api): Promise<void> {
  const asked = Date.now();
  const { server_time } = await answered(api.GET("/mobile/v1/sync/hello"));
  sampleClock(Date.parse(server_time), (asked + Date.now()) / 2);
}
