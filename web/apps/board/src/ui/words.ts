/** A stretch of a text, and whether the other text has it too. */
export interface Stretch {
  readonly text: string;
  readonly same: boolean;
}

/** Where the middles of both texts are longer than this together, all of them counts as different: it reads no worse. */
const MOST_CELLS = 4_000_000;

/** Words, and what stands between them; Chinese has no spaces, so the platform finds its words. */
export function wordsOf(text: string, locale: string): string[] {
  return [...new Intl.Segmenter(locale, { granularity: "word" }).segment(text)].map((found) => found.segment);
}

/** Marks in both texts the words that the other one does not have at that place. */
export function compared(mine: string, theirs: string, locale: string): readonly [Stretch[], Stretch[]] {
  const [a, b] = [wordsOf(mine, locale), wordsOf(theirs, locale)];
  const head = commonHead(a, b);
  const tail = commonHead(a.slice(head).reverse(), b.slice(head).reverse());
  const [inA, inB] = commonWords(a.slice(head, a.length - tail), b.slice(head, b.length - tail));
  const kept = (words: string[], middle: ReadonlySet<number>) =>
    stretches(words, (at) => at < head || at >= words.length - tail || middle.has(at - head));
  return [kept(a, inA), kept(b, inB)];
}

function commonHead(a: readonly string[], b: readonly string[]): number {
  let at = 0;
  while (at < a.length && at < b.length && a[at] === b[at]) at += 1;
  return at;
}

/** The places of a longest common subsequence, in each of both. */
function commonWords(a: readonly string[], b: readonly string[]): readonly [Set<number>, Set<number>] {
  const [inA, inB] = [new Set<number>(), new Set<number>()];
  if (a.length * b.length > MOST_CELLS) return [inA, inB];
  const width = b.length + 1;
  const longest = new Uint16Array((a.length + 1) * width);
  const at = (i: number, j: number) => longest[i * width + j] ?? 0;
  for (let i = a.length - 1; i >= 0; i -= 1)
    for (let j = b.length - 1; j >= 0; j -= 1)
      longest[i * width + j] = a[i] === b[j] ? at(i + 1, j + 1) + 1 : Math.max(at(i + 1, j), at(i, j + 1));
  for (let i = 0, j = 0; i < a.length && j < b.length; ) {
    if (a[i] === b[j]) {
      inA.add(i++);
      inB.add(j++);
    } else if (at(i + 1, j) >= at(i, j + 1)) i += 1;
    else j += 1;
  }
  return [inA, inB];
}

function stretches(words: readonly string[], isSame: (at: number) => boolean): Stretch[] {
  const found: { text: string; same: boolean }[] = [];
  words.forEach((word, at) => {
    const same = isSame(at);
    const last = found.at(-1);
    if (last?.same === same) last.text += word;
    else found.push({ text: word, same });
  });
  return bridged(found);
}

/** A lone space between two different words is different too: marks in shreds are hard to read. */
function bridged(found: readonly Stretch[]): Stretch[] {
  const joined: { text: string; same: boolean }[] = [];
  found.forEach((one, at) => {
    const between = one.same && one.text.trim() === "" && at > 0 && at < found.length - 1;
    const same = one.same && !between;
    const last = joined.at(-1);
    if (last?.same === same) last.text += one.text;
    else joined.push({ text: one.text, same });
  });
  return joined;
}
