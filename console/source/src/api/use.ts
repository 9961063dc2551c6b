// What components ask the API with.
import { useCallback, useEffect, useRef, useState } from "preact/hooks";
import { ask, follow, key } from "./client";
import type { TypedDocumentString } from "./operations.generated";

export type Answer<Data> = {
  data: Data | undefined;
  error: Error | undefined;
  isLoading: boolean;
  again: () => void;
};

/**
 * Asks a query whenever its variables change, and again when told to. The answer before stays until the
 * next one is there, so that nothing jumps. Null instead of variables: nothing is asked.
 */
export function useAnswer<Data, Variables>(
  document: TypedDocumentString<Data, Variables>,
  variables: Variables | null,
): Answer<Data> {
  const [state, setState] = useState<{ data?: Data | undefined; error?: Error | undefined; isLoading: boolean }>({
    isLoading: variables !== null,
  });
  const [round, setRound] = useState(0);
  const text = JSON.stringify(variables);
  useEffect(() => {
    if (variables === null) return;
    const controller = new AbortController();
    setState((before) => ({ ...before, isLoading: true }));
    ask(document, variables, controller.signal)
      .then((data) => !controller.signal.aborted && setState({ data, isLoading: false }))
      .catch((error: Error) => !controller.signal.aborted && setState((before) => ({ data: before.data, error, isLoading: false })));
    return () => controller.abort();
  }, [document, text, round, key.value]);
  const again = useCallback(() => setRound((n) => n + 1), []);
  return { data: state.data, error: state.error, isLoading: state.isLoading, again };
}

/** Follows a subscription while `variables` is not null, and calls `ended` when it is over. */
export function useEvents<Data, Variables>(
  document: TypedDocumentString<Data, Variables>,
  variables: Variables | null,
  ended: () => void,
): Data | undefined {
  const [data, setData] = useState<Data>();
  const text = JSON.stringify(variables);
  const latest = useRef(ended);
  latest.current = ended;
  useEffect(() => {
    setData(undefined);
    if (variables === null) return;
    return follow(document, variables, setData, () => latest.current());
  }, [document, text]);
  return data;
}

/** Runs what a button does: one at a time, with what went wrong. */
export function useAction() {
  const [isBusy, setIsBusy] = useState(false);
  const [error, setError] = useState<Error>();
  const run = async (body: () => Promise<unknown>) => {
    if (isBusy) return;
    setIsBusy(true);
    setError(undefined);
    try {
      await body();
    } catch (problem) {
      setError(problem as Error);
    } finally {
      setIsBusy(false);
    }
  };
  return { isBusy, error, run, clear: () => setError(undefined) };
}
