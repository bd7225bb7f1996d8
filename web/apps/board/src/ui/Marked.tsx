import { Fragment } from "react";
import type { Stretch } from "./words";

/** A text whose differing words stand out, for ears too. */
export function Marked({ stretches }: { stretches: readonly Stretch[] }) {
  return (
    <>
      {stretches.map(({ text, same }, at) =>
        // biome-ignore lint/suspicious/noArrayIndexKey: stretches of one text have no other name
        same ? <Fragment key={at}>{text}</Fragment> : <mark key={at}>{text}</mark>,
      )}
    </>
  );
}
