interface Item {
  readonly id: string;
  readonly start: number;
  readonly end: number;
}

export interface Lanes {
  readonly of: ReadonlyMap<string, number>;
  readonly count: number;
}

/** Puts what overlaps into lanes of its own, each as far up as there is room; one lane at least. */
export function lanesOf(items: readonly Item[]): Lanes {
  const ends: number[] = [];
  const of = new Map<string, number>();
  const inOrder = [...items].sort((a, b) => a.start - b.start || b.end - a.end || a.id.localeCompare(b.id));
  for (const { id, start, end } of inOrder) {
    const free = ends.findIndex((until) => until <= start);
    const lane = free < 0 ? ends.length : free;
    ends[lane] = end;
    of.set(id, lane);
  }
  return { of, count: Math.max(1, ends.length) };
}
