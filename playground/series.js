// Turns a table (see rows.js) into the series of a chart. What to draw is a choice:
//
//   kind   "line", "bar" or "funnel"
//   x      the index of the column along the axis, or Series.columns: the chosen columns themselves
//   ys     the indices of the columns with the values, Series.rowCount among them
//   split  the index of a column whose values become a series each, or null
"use strict";

const Series = (() => {
  // columns as x compares columns with each other, such as the stages of a funnel.
  const columns = -1;
  // rowCount among ys counts rows, of tables without a number for instance.
  const rowCount = -2;
  const rowCountColumn = { path: ["rows"], name: "rows", type: "number", format: "plain" };

  // More would not be told apart, or not fit the screen.
  const maxSeries = 12;
  const maxPoints = { line: 2_000, bar: 100, funnel: 20 };

  const isId = ({ path }) => /(^|_|[a-z])(id|ids)$/i.test(path.at(-1));
  const isStage = ({ path }) => /(^|_)(stage|step)$/i.test(path.at(-1));
  const isOrdinal = ({ path }) => /^(daysSince|hour|day|week|month|year)$|_since$/i.test(path.at(-1));
  // By their names in the schema and in SQL these are moments of single things, not periods.
  const isMoment = ({ path }) => /(At|Until|_at|_until)$/.test(path.at(-1));
  const stages = new Set(["targeted", "assigned", "sent", "redeemed"]);

  function indices(table, isWanted) {
    return table.columns.flatMap((column, i) => (isWanted(column, i) ? [i] : []));
  }

  // numbers gives the indices of the columns that can be drawn.
  const numbers = (table) => indices(table, (column) => column.type === "number" && !isId(column));

  const columnOf = (table, y) => (y === rowCount ? rowCountColumn : table.columns[y]);

  const distinct = (table, i) => new Set(table.rows.map((row) => row[i])).size;

  // guess chooses what an analyst would most likely want to see.
  function guess(table) {
    if (numbers(table).length === 0) return { kind: "bar", x: guessCategory(table), ys: [rowCount], split: null };
    const x = guessX(table);
    const candidates = numbers(table).filter((i) => i !== x);
    if (candidates.length === 0) candidates.push(rowCount);
    if (x === columns) {
      const funnel = candidates.filter((i) => stages.has(table.columns[i]?.path.at(-1)));
      const isFunnel = funnel.length > 1;
      return { kind: isFunnel ? "funnel" : "bar", x, ys: isFunnel ? funnel : alike(table, candidates), split: null };
    }
    const split = guessSplit(table, x);
    const kind = isStage(table.columns[x]) ? "funnel" : table.columns[x].type === "text" ? "bar" : "line";
    const several = alike(table, candidates);
    const main = several.find((i) => /^(redeemed|count|available)$/i.test(columnOf(table, i).path.at(-1)));
    const ys = split === null && kind !== "funnel" ? several : [main ?? several[0]];
    return { kind, x, ys, split };
  }

  function guessX(table) {
    if (table.rows.length === 1) return columns;
    const first = (isWanted) => {
      const found = table.columns.findIndex((column, i) => isWanted(column, i) && distinct(table, i) > 1);
      return found < 0 ? undefined : found;
    };
    const isName = (column) => column.type === "text" && !isId(column) && !isReference(table, column);
    return (
      first((column) => column.isPeriod) ??
      first((column) => column.type === "number" && isOrdinal(column)) ??
      first((column) => column.type === "time" && !isMoment(column)) ??
      first(isStage) ??
      first((column, i) => isName(column) && distinct(table, i) === table.rows.length) ??
      first(isName) ??
      first((column) => column.type !== "number") ??
      columns
    );
  }

  // isReference tells an id that stands for an object whose fields are columns too.
  function isReference(table, { path }) {
    return table.columns.some((other) => other.path.length > path.length && path.every((key, i) => key === other.path[i]));
  }

  // guessCategory finds the column whose values repeat most and are not all the same, for counting rows.
  function guessCategory(table) {
    // Cells that are empty are no category: a column that most rows lack tells little.
    const isCategory = (i) => {
      const given = table.rows.map((row) => row[i]).filter((value) => value !== null && value !== "");
      const count = new Set(given).size;
      return count > 1 && count < given.length;
    };
    const texts = indices(table, (column, i) => column.type === "text" && !isId(column) && isCategory(i));
    return texts.sort((a, b) => distinct(table, a) - distinct(table, b))[0] ?? columns;
  }

  // guessSplit finds the column that tells rows with the same x apart.
  function guessSplit(table, x) {
    // Groups are apart also where each period happens to have one of them.
    const group = indices(table, (column, i) => i !== x && column.isGroup && !column.isPeriod && distinct(table, i) > 1)[0];
    if (distinct(table, x) === table.rows.length) return table.columns[x].isPeriod ? (group ?? null) : null;
    const others = indices(table, (column, i) => i !== x && column.type !== "number" && distinct(table, i) > 1);
    const names = others.filter((i) => !isId(table.columns[i]) && !isReference(table, table.columns[i]));
    const isEnough = (i) => new Set(table.rows.map((row) => JSON.stringify([row[x], row[i]]))).size === table.rows.length;
    return names.find(isEnough) ?? others.find(isEnough) ?? names[0] ?? others[0] ?? null;
  }

  // alike gives the first column and those that can share an axis with it, at most six.
  function alike(table, candidates) {
    const kindOf = (i) => `${columnOf(table, i).format} ${isAdditive(columnOf(table, i))} ${isChange(columnOf(table, i))}`;
    return candidates.filter((i) => kindOf(i) === kindOf(candidates[0])).slice(0, 6);
  }

  // isChange tells what compares two shares, and is of another size than they are.
  const isChange = ({ path }) => /^(difference|lift)$/.test(path.at(-1));

  // isAdditive tells counts and amounts, which may be added up, from shares, spans and statistics.
  const isAdditive = ({ path, format }) =>
    (format === "plain" || format === "amount") && !/^(avg|mean|median|quantile|min|max|pValue|perDay|p\d\d?)(_|\(|$)/i.test(path.at(-1));

  // build gives { labels, series, notes }: what stands along the axis; series of { name, values, columns }, for each
  // label a number or null and the column it is from; and in sentences what the chart does not show as it is.
  function build(table, { kind, x, ys, split }) {
    const isFunnel = kind === "funnel";
    const by = isFunnel ? null : split;
    const wanted = isFunnel && x !== columns ? ys.slice(0, 1) : ys;
    const notes = [];
    const labels = new Set();
    const groups = new Map();
    for (const row of table.rows) {
      for (const y of wanted) {
        const column = columnOf(table, y);
        const label = x === columns ? column.name : row[x];
        labels.add(label);
        const value = y === rowCount ? 1 : row[y];
        if (value === null) continue;
        const parts = [];
        if (by !== null) parts.push(named(row[by]));
        if (x !== columns && (by === null || wanted.length > 1)) parts.push(column.name);
        const name = parts.join(" · ");
        if (!groups.has(name)) groups.set(name, { name, cells: new Map(), size: 0 });
        const group = groups.get(name);
        const cell = group.cells.get(label) ?? { column, sum: 0, count: 0 };
        cell.sum += Number(value);
        cell.count++;
        group.cells.set(label, cell);
        group.size += Math.abs(Number(value));
      }
    }

    let shown = [...groups.values()];
    if (shown.length > maxSeries) {
      notes.push(`The ${maxSeries} largest of ${shown.length} series are shown.`);
      const largest = new Set([...shown].sort((a, b) => b.size - a.size).slice(0, maxSeries));
      shown = shown.filter((group) => largest.has(group));
    }
    let axis = [...labels];
    if (x !== columns && table.columns[x].type !== "text" && !isFunnel) {
      axis.sort(table.columns[x].type === "number" ? (a, b) => a - b : undefined);
      if (kind === "line") axis = withMissingDays(axis);
    }
    if (axis.length > maxPoints[kind]) {
      notes.push(`The first ${maxPoints[kind].toLocaleString()} of ${axis.length.toLocaleString()} are shown.`);
      axis = axis.slice(0, maxPoints[kind]);
    }
    const merged = shown.flatMap(({ cells }) => [...cells.values()].filter(({ count }) => count > 1));
    for (const [isSum, verb] of [[true, "added up"], [false, "averaged"]]) {
      const of = merged.filter(({ column }) => column !== rowCountColumn && isAdditive(column) === isSum);
      const names = [...new Set(of.map(({ column }) => column.name))];
      if (names.length > 0) notes.push(`Where several rows share a point, they are ${verb}: ${names.join(", ")}.`);
    }
    const valueOf = ({ column, sum, count }) => (isAdditive(column) ? sum : sum / count);
    const series = shown.map(({ name, cells }) => ({
      name,
      values: axis.map((label) => (cells.has(label) ? valueOf(cells.get(label)) : null)),
      columns: axis.map((label) => cells.get(label)?.column ?? null),
    }));
    const time = x !== columns && table.columns[x].type === "time" ? table.columns[x] : { type: "text" };
    return { labels: axis.map((label) => named(label, time)), series, notes };
  }

  const named = (value, column = { type: "text" }) => (value === null || value === "" ? "(none)" : Rows.show(value, column));

  // canDraw reports whether a chart of the table would show anything: a number, or how often a text occurs.
  function canDraw(table) {
    return numbers(table).some((i) => table.rows.some((row) => row[i] !== null)) || guessCategory(table) !== columns;
  }

  // fits reports whether a choice, which may come from a link, is one for the table.
  function fits(table, choice) {
    const isColumn = (i) => Number.isInteger(i) && i >= 0 && i < table.columns.length;
    const { kind, x, ys, split } = choice ?? {};
    return (
      Object.hasOwn(maxPoints, kind) &&
      (x === columns || isColumn(x)) &&
      Array.isArray(ys) && ys.length > 0 && ys.every((y) => y === rowCount || numbers(table).includes(y)) &&
      (split === null || isColumn(split))
    );
  }

  // withMissingDays puts the days between dates onto the axis, so that its steps are even; of weeks, the weeks.
  function withMissingDays(axis) {
    const day = 86_400_000;
    if (axis.length < 2 || !axis.every((label) => /^\d{4}-\d\d-\d\d$/.test(label))) return axis;
    const times = axis.map((label) => Date.parse(label));
    const step = times.every((time) => (time - times[0]) % (7 * day) === 0) ? 7 * day : day;
    const count = (times.at(-1) - times[0]) / step + 1;
    if (!(count <= maxPoints.line)) return axis;
    return Array.from({ length: count }, (_, i) => new Date(times[0] + i * step).toISOString().slice(0, 10));
  }

  return { columns, rowCount, numbers, canDraw, fits, guess, build };
})();
