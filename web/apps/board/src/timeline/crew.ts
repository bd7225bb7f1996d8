import { fold } from "../board/filter";
import type { Days, Person, Shift, Visit } from "./model";

export interface Row {
  readonly person: Person;
  readonly shifts: readonly Shift[];
  readonly visits: readonly Visit[];
}

export interface Group {
  /** Null: those without a territory. */
  readonly territory: string | null;
  readonly rows: readonly Row[];
}

/** Everybody with what is theirs, by name. */
export function rowsOf(days: Days): Row[] {
  const [shifts, visits] = [byEngineer(days.shifts), byEngineer(days.visits)];
  return [...days.engineers]
    .sort((a, b) => a.name.localeCompare(b.name))
    .map((person) => ({ person, shifts: shifts.get(person.id) ?? [], visits: visits.get(person.id) ?? [] }));
}

function byEngineer<Item extends { readonly engineer_id: string }>(items: readonly Item[]): Map<string, Item[]> {
  return Map.groupBy(items, (item) => item.engineer_id);
}

interface Wanted {
  readonly text: string;
  /** Empty is all. */
  readonly territory: string | null;
}

/** Rows that are wanted, by territory; the words sought may be of a name, a territory, or a visit. */
export function groupsOf(rows: readonly Row[], wanted: Wanted, territories: ReadonlyMap<string, string>): Group[] {
  const words = fold(wanted.text).split(/\s+/).filter(Boolean);
  const found = rows.filter((row) => {
    const { territory_id } = row.person;
    if (wanted.territory !== null && territory_id !== wanted.territory) return false;
    const place = territory_id ? (territories.get(territory_id) ?? "") : "";
    const text = fold([row.person.name, place, ...row.visits.map((one) => `#${one.number} ${one.title}`)].join(" "));
    return words.every((word) => text.includes(word));
  });
  const groups = Map.groupBy(found, (row) => row.person.territory_id);
  const name = (id: string | null) => (id === null ? "\uffff" : (territories.get(id) ?? ""));
  return [...groups]
    .sort(([a], [b]) => name(a).localeCompare(name(b)))
    .map(([territory, theirs]) => ({ territory, rows: theirs }));
}

/** Minutes of visits, and how many are planned to be there for on these days. */
export function loadOf({ person, shifts, visits }: Row): { readonly load: number; readonly capacity: number } {
  const load = visits.reduce((sum, one) => sum + Date.parse(one.planned_end) - Date.parse(one.planned_start), 0);
  return { load: Math.round(load / 60_000), capacity: person.daily_capacity_minutes * Math.max(1, shifts.length) };
}
