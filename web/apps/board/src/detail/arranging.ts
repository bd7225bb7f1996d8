import { type Answer, answered, type Body, problemIn } from "@callout/api";
import { useQuery } from "@tanstack/react-query";
import { useMay } from "../app/pages";
import { orderKeys } from "../app/queries";
import { prefersStillness } from "../app/screen";
import { useServices } from "../app/services";

export type Wish = Answer<"/api/v1/customers/{customer_id}/wishes", "get">["items"][number];
export type Window = Answer<"/api/v1/work-orders/{work_order_id}/windows", "get">["items"][number];
export type Link = Answer<"/api/v1/work-orders/{work_order_id}/links", "get">["items"][number];
export type NewLink = Body<"/api/v1/work-order-links", "post">;
export type Automation = Answer<"/api/v1/work-orders/{work_order_id}/automation", "get">;
export type Attempt = Automation["attempts"][number];
export type Decision = Answer<"/api/v1/work-orders/{work_order_id}/decisions", "get">["items"][number];
export type WhatIf = Answer<"/api/v1/work-orders/{work_order_id}/what-if", "post">;
export type Slots = Answer<"/api/v1/slots", "post">;
export type Slot = Slots["slots"][number];
export type Offers = Answer<"/api/v1/work-orders/{work_order_id}/offers", "post">;
export type Offer = Offers["items"][number];
export type Pin = "engineer" | "time";

const LOOK_AGAIN_MS = 20_000;

export const ARRANGED = {
  wishes: (customer: string) => ["wishes", customer] as const,
  windows: (id: string) => [...orderKeys.all(id), "windows"] as const,
  links: (id: string) => [...orderKeys.all(id), "links"] as const,
  automation: (id: string) => [...orderKeys.all(id), "automation"] as const,
  decisions: (id: string) => [...orderKeys.all(id), "decisions"] as const,
};

const orderIn = (id: string) => ({ params: { path: { work_order_id: id } } });

export function useWishes(customer: string) {
  const { api } = useServices();
  const may = useMay("customers.read");
  return useQuery({
    queryKey: ARRANGED.wishes(customer),
    enabled: may,
    queryFn: ({ signal }) =>
      answered(
        api.GET("/api/v1/customers/{customer_id}/wishes", { params: { path: { customer_id: customer } }, signal }),
      ).then((found) => found.items),
  });
}

export function useWindows(id: string) {
  const { api } = useServices();
  return useQuery({
    queryKey: ARRANGED.windows(id),
    queryFn: ({ signal }) =>
      answered(api.GET("/api/v1/work-orders/{work_order_id}/windows", { ...orderIn(id), signal })).then(
        (found) => found.items,
      ),
  });
}

export function useLinks(id: string) {
  const { api } = useServices();
  return useQuery({
    queryKey: ARRANGED.links(id),
    queryFn: ({ signal }) =>
      answered(api.GET("/api/v1/work-orders/{work_order_id}/links", { ...orderIn(id), signal })).then(
        (found) => found.items,
      ),
  });
}

export function useAutomation(id: string) {
  const { api } = useServices();
  const may = useMay("visits.dispatch");
  return useQuery({
    queryKey: ARRANGED.automation(id),
    enabled: may,
    refetchInterval: LOOK_AGAIN_MS, // an offer that ends with the clock tells nobody
    queryFn: ({ signal }) =>
      answered(api.GET("/api/v1/work-orders/{work_order_id}/automation", { ...orderIn(id), signal })),
  });
}

/** Why whom was sent; `about`: somebody else who is asked about. */
export function useDecisions(id: string, about: string | null = null) {
  const { api } = useServices();
  const query = about === null ? {} : { engineer_id: [about] };
  return useQuery<readonly Decision[]>({
    queryKey: [...ARRANGED.decisions(id), about],
    placeholderData: (before) => before,
    queryFn: ({ signal }) =>
      answered(
        api.GET("/api/v1/work-orders/{work_order_id}/decisions", {
          params: { path: { work_order_id: id }, query },
          signal,
        }),
      ).then((found) => found.items),
  });
}

/** Candidates of a large company are cut; whoever is asked about is told of all the same. */
export function useAbout(id: string, engineer: string | null) {
  const { api } = useServices();
  return useQuery({
    queryKey: [...orderKeys.candidates(id), engineer],
    enabled: engineer !== null,
    queryFn: ({ signal }) =>
      answered(
        api.GET("/api/v1/work-orders/{work_order_id}/candidates", {
          params: { path: { work_order_id: id }, query: { engineer_id: [engineer ?? ""] } },
          signal,
        }),
      ),
  });
}

export function useWhatIf(id: string, engineer: string, enabled: boolean) {
  const { api } = useServices();
  return useQuery({
    queryKey: [...orderKeys.all(id), "what-if", engineer],
    enabled,
    queryFn: ({ signal }) =>
      answered(
        api.POST("/api/v1/work-orders/{work_order_id}/what-if", {
          ...orderIn(id),
          body: { engineer_id: engineer },
          signal,
        }),
      ),
  });
}

const STALE_AFTER_MS = 30_000; // people drive on while the dispatcher thinks

/** Whose day has room for an order now. */
export function useOffers(id: string, enabled: boolean) {
  const { api } = useServices();
  return useQuery<Offers>({
    queryKey: [...orderKeys.all(id), "offers"],
    enabled,
    refetchInterval: STALE_AFTER_MS,
    queryFn: ({ signal }) =>
      answered(api.POST("/api/v1/work-orders/{work_order_id}/offers", { ...orderIn(id), signal })),
  });
}

export interface SlotsAsked {
  readonly first: string;
  readonly days: number;
  readonly width: number;
}

export function useSlots(id: string, asked: SlotsAsked) {
  const { api } = useServices();
  return useQuery({
    queryKey: [...orderKeys.all(id), "slots", asked],
    staleTime: 30_000,
    queryFn: ({ signal }) =>
      answered(
        api.POST("/api/v1/slots", {
          // Skills and priority are the order's own; these two are for orders still to be opened.
          body: {
            work_order_id: id,
            first_day: asked.first,
            days: asked.days,
            width_minutes: asked.width,
            skills: [],
            priority: "normal",
          },
          signal,
        }),
      ),
  });
}

/** A form that opens at the end of the panel comes into sight whole. */
export function comeIntoView(form: HTMLElement | null): void {
  form?.scrollIntoView({ block: "nearest", behavior: prefersStillness() ? "auto" : "smooth" });
}

/** For answers without a body. */
export async function granted(call: Promise<{ response: Response }>): Promise<true> {
  const { response } = await call;
  if (!response.ok) throw await problemIn(response);
  return true;
}
