import { type Answer, answered, type Body } from "@callout/api";
import { useInfiniteQuery, useQuery } from "@tanstack/react-query";
import { useServices } from "../app/services";

type Listed = Answer<"/api/v1/devices", "get">;
export type Device = Listed["items"][number];
export type Manifest = Answer<"/api/v1/devices/{device_id}/manifest", "get">;
export type Reason = Body<"/api/v1/devices/{device_id}/revoke", "post">["why"];
export type Alert = Device["alerts"][number];

export const REASONS: readonly Reason[] = ["lost", "stolen", "left", "replaced"];
const PAGE = 50;
const LOOK_AGAIN_MS = 15_000;

export function useDevices() {
  const { api } = useServices();
  return useInfiniteQuery({
    queryKey: ["devices", "list"],
    refetchInterval: LOOK_AGAIN_MS,
    initialPageParam: null as string | null,
    getNextPageParam: (last: Listed) => last.next_cursor,
    queryFn: ({ pageParam, signal }): Promise<Listed> => {
      const query = { limit: PAGE, ...(pageParam && { cursor: pageParam }) };
      return answered(api.GET("/api/v1/devices", { params: { query }, signal }));
    },
  });
}

export function useDevice(id: string) {
  const { api } = useServices();
  return useQuery({
    queryKey: ["devices", "one", id],
    refetchInterval: LOOK_AGAIN_MS,
    queryFn: ({ signal }) =>
      answered(api.GET("/api/v1/devices/{device_id}", { params: { path: { device_id: id } }, signal })),
  });
}

/** Whose data is on a device. Only when asked for: looking is logged. */
export function useManifest(id: string, asked: boolean) {
  const { api } = useServices();
  return useQuery({
    queryKey: ["devices", "manifest", id],
    enabled: asked,
    staleTime: Number.POSITIVE_INFINITY,
    queryFn: ({ signal }) =>
      answered(api.GET("/api/v1/devices/{device_id}/manifest", { params: { path: { device_id: id } }, signal })),
  });
}
