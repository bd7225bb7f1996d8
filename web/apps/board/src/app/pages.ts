import { GROUPS, type Group, PAGES, type Page, useWhereabouts } from "./address";
import { useSession } from "./services";

/** What each page and each part of the inbox needs: all of them, by the names the server gives them. */
const NEEDED: Record<Page | Group, readonly (readonly string[])[]> = {
  board: [["orders.read", "positions.read"]],
  timeline: [["visits.dispatch", "orders.read", "positions.read"]],
  plans: [["visits.dispatch", "orders.read", "positions.read"]],
  dispatching: [["settings.manage"], ["visits.dispatch"]],
  inbox: [["orders.read"], ["stock.read"]],
  devices: [["devices.manage"]],
  decisions: [["orders.read"]],
  files: [["orders.read"]],
  stock: [["stock.read"]],
};

export function useMay(...permissions: string[]): boolean {
  const held = useSession()?.person.permissions ?? [];
  return permissions.every((one) => held.includes(one));
}

function usePermitted<Name extends Page | Group>(names: readonly Name[]): readonly Name[] {
  const held = useSession()?.person.permissions ?? [];
  return names.filter((name) => NEEDED[name].some((all) => all.every((one) => held.includes(one))));
}

/** The pages this person may see. */
export const usePages = (): readonly Page[] => usePermitted(PAGES);

/** The page shown: the one asked for, else the first that this person may see; null when there is none. */
export function usePage(): Page | null {
  const { page } = useWhereabouts();
  const permitted = usePages();
  return permitted.includes(page) ? page : (permitted[0] ?? null);
}

export const useGroups = (): readonly Group[] => usePermitted(GROUPS);

export function useGroup(): Group {
  const { group } = useWhereabouts();
  const permitted = useGroups();
  return permitted.includes(group) ? group : (permitted[0] ?? group);
}
