// What a page shows is in its address, so that going back and sharing a link work.
import { useLocation } from "preact-iso";

/** The parameters behind ? and what changes them; an empty value is left out. */
export function useParameters<Name extends string>(): [Partial<Record<Name, string>>, (change: Partial<Record<Name, string>>) => void] {
  const { path, query, route } = useLocation();
  const set = (change: Partial<Record<Name, string>>) => {
    const next = new URLSearchParams();
    for (const [name, value] of Object.entries({ ...query, ...change })) if (value) next.set(name, String(value));
    const text = next.toString();
    route(text ? `${path}?${text}` : path, true);
  };
  return [query as Partial<Record<Name, string>>, set];
}
