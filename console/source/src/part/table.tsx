// Tables of connections, page by page.
import type { ComponentChildren } from "preact";
import { useEffect, useState } from "preact/hooks";
import type { PageFragment } from "../api/operations.generated";
import { text } from "../text";
import { number } from "./format";

export const pageSizes = [20, 50, 100, 500];

/** The position in a list: where each page that was read began. */
export function usePages(of: unknown) {
  const [first, setFirst] = useState(pageSizes[0]!);
  const [starts, setStarts] = useState<(string | null)[]>([null]);
  const about = JSON.stringify([of, first]);
  const [shown, setShown] = useState(about);
  const isFresh = shown !== about;
  useEffect(() => {
    if (!isFresh) return;
    setStarts([null]);
    setShown(about);
  }, [about]);
  return {
    variables: { first, after: isFresh ? null : (starts.at(-1) ?? null) },
    first,
    setFirst,
    page: isFresh ? 1 : starts.length,
    next: (cursor: string) => setStarts([...starts, cursor]),
    back: () => setStarts(starts.slice(0, -1)),
  };
}

export type Pages = ReturnType<typeof usePages>;

export function Pager({ pages, total, info }: { pages: Pages; total: number; info: PageFragment }) {
  if (total <= pageSizes[0]!) return <p class="pager quiet">{text.count(total)}</p>;
  const from = (pages.page - 1) * pages.first + 1;
  const to = Math.min(total, pages.page * pages.first);
  return (
    <nav class="pager" aria-label={text.pages}>
      <span class="quiet">{text.range(number(from), number(to), number(total))}</span>
      <label>
        {text.perPage}{" "}
        <select value={pages.first} onChange={(event) => pages.setFirst(Number(event.currentTarget.value))}>
          {pageSizes.map((size) => (
            <option key={size} value={size}>
              {size}
            </option>
          ))}
        </select>
      </label>
      <button type="button" disabled={pages.page === 1} onClick={pages.back}>
        {text.previous}
      </button>
      <button type="button" disabled={!info.hasNextPage} onClick={() => info.endCursor && pages.next(info.endCursor)}>
        {text.next}
      </button>
    </nav>
  );
}

export type Column<Row> = { name: string; cell: (row: Row) => ComponentChildren; isNumber?: boolean; isMain?: boolean };

/** A table that becomes a list of cards where there is little room. */
export function Table<Row>({
  caption,
  columns,
  rows,
  rowKey,
}: {
  caption: string;
  columns: Column<Row>[];
  rows: Row[];
  rowKey: (row: Row, index: number) => string;
}) {
  return (
    <table class="table">
      <caption class="hidden">{caption}</caption>
      <thead>
        <tr>
          {columns.map(({ name, isNumber }) => (
            <th key={name} scope="col" class={isNumber ? "number" : ""}>
              {name}
            </th>
          ))}
        </tr>
      </thead>
      <tbody>
        {rows.map((row, index) => (
          <tr key={rowKey(row, index)}>
            {columns.map(({ name, cell, isNumber, isMain }) => (
              <td key={name} data-name={name} class={[isNumber && "number", isMain && "main"].filter(Boolean).join(" ")}>
                {cell(row)}
              </td>
            ))}
          </tr>
        ))}
      </tbody>
    </table>
  );
}
