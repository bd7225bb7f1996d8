import { useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { useWords } from "../i18n";
import { complain } from "./useOrderActions";

export interface Changing {
  readonly busy: boolean;
  /** Answers what the server said, or null where it refused, which is told. What is shown of these keys is read again. */
  readonly attempt: <Result>(work: () => Promise<Result>, ...keys: (readonly unknown[])[]) => Promise<Result | null>;
}

export function useChange(): Changing {
  const { t } = useWords();
  const queries = useQueryClient();
  const [busy, setBusy] = useState(false);
  return {
    busy,
    attempt: async (work, ...keys) => {
      setBusy(true);
      try {
        return await work();
      } catch (problem) {
        complain(t, problem);
        return null;
      } finally {
        setBusy(false);
        for (const queryKey of keys) void queries.invalidateQueries({ queryKey });
      }
    },
  };
}
