// Finds the tables in an answer: lists of objects, nodes of connections, and what analysts' SQL gives.
//
// A table is { name, columns, rows }; each row has one value for each column. A column is
// { path, name, type, format, isGroup, isPeriod, title }: its path from the root without list indices; a
// name that no other column of the table has; "number", "time" or "text"; how its numbers are shown,
// "plain", "amount", "percent" or "span"; whether it is what rows were grouped by, and whether that is a
// period; and what the schema says of it.
"use strict";

const Rows = (() => {
  // Levels that GraphQL puts around what an analyst asks for.
  const wrappers = new Set(["nodes", "edges", "node"]);
  const unwanted = new Set(["__typename", "pageInfo", "cursor"]);
  const periods = new Set(["HOUR", "DAY", "WEEK", "MONTH"]);
  const date = /^\d{4}-\d\d(-\d\d([T ]\d\d:\d\d(:\d\d(\.\d+)?)?(Z|[+-]\d\d(:?\d\d)?)?)?)?$/;
  const decimal = /^-?\d+(\.\d+)?([eE][+-]?\d+)?$/;

  const isObject = (value) => typeof value === "object" && value !== null && !Array.isArray(value);
  const isListOfObjects = (value) =>
    Array.isArray(value) && value.some(isObject) && value.every((item) => item === null || isObject(item));
  const isNumber = (value) => typeof value === "number" || (typeof value === "string" && decimal.test(value));

  // operationIn gives a query's document, and of its operations the one of this name, or the first where none has it:
  // GraphiQL learns a tab's operation a moment after it shows the tab. Both are null if the query cannot be read.
  function operationIn(query, name) {
    try {
      const document = GraphiQL.GraphQL.parse(query);
      const operations = document.definitions.filter(({ kind }) => kind === "OperationDefinition");
      return { document, operation: operations.find((it) => it.name?.value === name) ?? operations[0] ?? null };
    } catch {
      return { document: null, operation: null };
    }
  }

  // shapeOf tells of each field in an operation, by its name in the answer, its type, whether it is a list, its
  // description and what it is grouped by. It gives null if the schema does not have the operation.
  function shapeOf(schema, query, operationName, variables) {
    const { getNamedType, getNullableType, isListType } = GraphiQL.GraphQL;
    const { document, operation } = operationIn(query, operationName);
    if (!schema || !operation) return null;
    const fragments = new Map(
      document.definitions.filter((it) => it.kind === "FragmentDefinition").map((it) => [it.name.value, it]),
    );

    // groupsOf reads the argument groupBy, given as a list or in a variable.
    function groupsOf(field) {
      let value = field.arguments?.find((argument) => argument.name.value === "groupBy")?.value;
      if (value?.kind === "Variable") {
        const name = value.name.value;
        if (Array.isArray(variables?.[name])) return variables[name];
        value = operation.variableDefinitions?.find((it) => it.variable.name.value === name)?.defaultValue;
      }
      if (value?.kind === "EnumValue") return [value.value];
      return value?.values?.map((item) => item.value) ?? null;
    }

    // open holds the fragments around a selection: an invalid query may have one inside itself.
    function fieldsOf(type, selectionSet, groups, fields = {}, open = []) {
      for (const selection of selectionSet.selections) {
        if (selection.kind === "Field") {
          const definition = type.getFields?.()[selection.name.value];
          if (!definition) continue;
          const named = getNamedType(definition.type);
          const own = groupsOf(selection) ?? groups;
          fields[(selection.alias ?? selection.name).value] = {
            type: named.name,
            isList: isListType(getNullableType(definition.type)),
            title: definition.description ?? "",
            groups: selection.name.value === "keys" ? own : null,
            fields: selection.selectionSet ? fieldsOf(named, selection.selectionSet, own) : {},
          };
          continue;
        }
        const fragment = selection.kind === "FragmentSpread" ? fragments.get(selection.name.value) : selection;
        if (!fragment || open.includes(fragment)) continue;
        const condition = fragment.typeCondition && schema.getType(fragment.typeCondition.name.value);
        fieldsOf(condition || type, fragment.selectionSet, groups, fields, [...open, fragment]);
      }
      return fields;
    }
    const root = schema.getRootType(operation.operation);
    return root ? { fields: fieldsOf(root, operation.selectionSet, null) } : null;
  }

  // find gives the tables in an answer's data, outer ones first. The shape may be null: types are then
  // told from the values.
  function find(data, shape) {
    const tables = [];
    look(data, shape, [], tables);
    return tables;
  }

  function look(value, shape, path, tables) {
    if (isListOfObjects(value)) return addList(value.map((item) => [item, []]), shape, path, tables);
    if (!isObject(value)) return;
    if (isListOfObjects(value.columns) && Array.isArray(value.rows)) return addSQL(value, path, tables);
    for (const [key, child] of Object.entries(value)) {
      if (unwanted.has(key)) continue;
      const before = tables.length;
      const below = shape?.fields[key];
      look(child, below, step(path, key), tables);
      // Numbers that stand alone, such as the counts of a delivery, are a table of one row.
      if (path.length > 0 || !isObject(child) || tables.length > before || holdsLists(child)) continue;
      const single = [];
      addList([[child, []]], below, step(path, key), single);
      const count = single[0]?.columns.filter(({ type }) => type === "number").length;
      if (count > 1) tables.push(single[0]);
    }
  }

  const holdsLists = (value) =>
    isObject(value) && Object.values(value).some((child) => isListOfObjects(child) || holdsLists(child));

  const step = (path, key) => (wrappers.has(key) ? path : [...path, key]);

  // addList makes a table of objects. With each comes its context: cells of the objects around it.
  function addList(items, shape, path, tables) {
    const columns = new Map();
    const lists = new Map();
    const cells = [];
    // The schema's columns come in its order and are there even if all rows have null.
    for (const [, context] of items.slice(0, 1)) for (const [column] of context) declare(column);
    if (shape) declareFields(shape.fields, path);
    for (const [item, context] of items) {
      if (item === null) continue;
      const row = new Map();
      const inner = [];
      for (const [column, value] of context) put(row, column, value);
      flatten(item, shape, path, row, inner);
      cells.push(row);
      // What is inside a list keeps what identifies the row around it, and not its numbers: repeated, they
      // would be added up.
      const kept = [...row.values()].filter(([column, value]) => column.type === "time" || !isNumber(value));
      for (const list of inner) {
        const id = list.path.join(".");
        const known = lists.get(id) ?? { ...list, items: [] };
        for (const child of list.items) known.items.push([child, kept]);
        lists.set(id, known);
      }
    }
    function declare(column) {
      const id = column.path.join(".");
      if (!columns.has(id)) columns.set(id, column);
      return id;
    }
    function declareFields(fields, path) {
      for (const [key, field] of Object.entries(fields)) {
        if (unwanted.has(key)) continue;
        if (field.groups) for (const group of field.groups) declare(columnOfGroup(group, path));
        else if (field.isList) continue;
        else if (Object.keys(field.fields).length > 0) declareFields(field.fields, step(path, key));
        else if (!isJSON(field.type)) declare(columnOfField(field, step(path, key)));
      }
    }
    function put(row, column, value) {
      row.set(declare(column), [column, value]);
    }
    function flatten(item, shape, path, row, inner) {
      for (const [key, value] of Object.entries(item)) {
        if (unwanted.has(key)) continue;
        const below = shape?.fields[key];
        const at = step(path, key);
        if (isObject(value)) flatten(value, below, at, row, inner);
        else if (isListOfObjects(value)) inner.push({ path: at, shape: below, items: value.filter(isObject) });
        else if (Array.isArray(value) && below?.groups?.length === value.length) {
          below.groups.forEach((group, i) => put(row, columnOfGroup(group, path), value[i]));
        } else if (Array.isArray(value)) {
          // An empty list may be one of objects; its table has no row then.
          const isOfScalars = value.length > 0 || (below && Object.keys(below.fields).length === 0);
          if (isOfScalars) put(row, { path: at, type: "text", title: below?.title }, value.join(", "));
        } else if (value !== null || !below || Object.keys(below.fields).length === 0) {
          put(row, columnOfField(below, at), value);
        }
      }
    }
    const order = [...columns];
    const rows = cells.map((row) => order.map(([id]) => row.get(id)?.[1] ?? null));
    const table = { name: path.join("."), columns: order.map(([, column]) => ({ ...column })), rows };
    if (table.columns.length > 0) tables.push(complete(table));
    for (const list of lists.values()) {
      if (list.items.length > 0) addList(list.items, list.shape, list.path, tables);
    }
  }

  // columnOfGroup stands for one of the keys of a row that was grouped.
  function columnOfGroup(group, path) {
    const name = group.toLowerCase();
    const isPeriod = periods.has(group);
    return { path: [...path, name], type: isPeriod ? "time" : "text", isGroup: true, isPeriod, title: `Grouped by ${name}` };
  }

  function columnOfField(field, path) {
    return { path, type: typeOfScalar(field?.type), isAmount: field?.type === "Decimal", title: field?.title };
  }

  const isJSON = (type) => type === "JSON" || type === "JSONValue";

  function addSQL({ columns, rows }, path, tables) {
    const table = {
      name: path.join("."),
      columns: columns.map(({ name, type }) => ({ path: [name], type: typeOfSQL(type ?? ""), title: type })),
      // A list or an object in a cell is shown as JSON.
      rows: rows.map((row) => row.map((value) => (isObject(value) || Array.isArray(value) ? JSON.stringify(value) : value))),
    };
    if (columns.length > 0) tables.push(complete(table));
  }

  function typeOfScalar(type) {
    if (type === "Int" || type === "Float" || type === "Decimal") return "number";
    if (type === "Date" || type === "DateTime") return "time";
    return type && !isJSON(type) ? "text" : null;
  }

  // typeOfSQL reads a type of DuckDB; those with brackets are lists and structures.
  function typeOfSQL(type) {
    if (/[[(]/.test(type.replace(/^DECIMAL\([\d,\s]+\)$/, ""))) return "text";
    if (/INT|DECIMAL|DOUBLE|FLOAT|REAL/.test(type)) return "number";
    return /^(DATE|TIMESTAMP)/.test(type) ? "time" : "text";
  }

  // complete gives every column a type, a name and a format.
  function complete(table) {
    table.columns.forEach((column, i) => {
      const values = table.rows.map((row) => row[i]).filter((value) => value !== null && value !== "");
      const areDates = values.length > 0 && values.every((value) => date.test(value));
      column.type ??= values.length > 0 && values.every((value) => typeof value === "number") ? "number" : "text";
      if (column.type === "text" && areDates && values.every((value) => typeof value === "string")) column.type = "time";
      // What SQL calls a number and JSON cannot, such as infinity, is a text.
      if (column.type === "number" && !values.every(isNumber)) column.type = "text";
      column.name = shortName(column, table.columns);
      column.format = formatOf(column);
    });
    return table;
  }

  // shortName is the end of the path that no other column's path has.
  function shortName({ path }, columns) {
    for (let length = 1; length < path.length; length++) {
      const end = path.slice(-length).join(".");
      const others = columns.filter((other) => other.path.slice(-length).join(".") === end);
      if (others.length === 1) return end;
    }
    return path.join(".");
  }

  // formatOf knows the schema's shares, from 0 to 1, and spans in seconds by their names.
  function formatOf({ path, type, isAmount }) {
    if (type !== "number") return "plain";
    if (isAmount) return "amount";
    if (path.includes("timeToRedeem")) return "span";
    return /(^|_|[a-z])(rate|share|lift|shareOfPrevious|difference)$/i.test(path.at(-1)) ? "percent" : "plain";
  }

  const plain = new Intl.NumberFormat(undefined, { maximumFractionDigits: 4 });
  const formats = {
    plain,
    amount: new Intl.NumberFormat(undefined, { minimumFractionDigits: 2, maximumFractionDigits: 4 }),
    percent: new Intl.NumberFormat(undefined, { style: "percent", maximumFractionDigits: 1 }),
  };

  // show gives a value as people read it: of a moment, day and minute. Decimals are texts, so that no digit is lost, and stay so.
  function show(value, { type, format }) {
    if (value === null || value === undefined) return "";
    if (type === "time") return String(value).replace(/^(\d{4}-\d\d-\d\d)[T ](\d\d:\d\d).*$/, "$1 $2");
    if (type !== "number") return String(value);
    return format === "span" ? showSpan(Number(value)) : formats[format].format(value);
  }

  // showSpan gives seconds in the two largest units, such as "3 d 4 h".
  function showSpan(seconds) {
    if (Math.abs(seconds) < 60) return `${plain.format(Math.round(seconds * 10) / 10)} s`;
    const units = [["d", 86_400], ["h", 3_600], ["min", 60], ["s", 1]];
    let rest = Math.round(Math.abs(seconds));
    const first = units.findIndex(([, size]) => rest >= size);
    const parts = units.slice(first, first + 2).map(([unit, size]) => {
      const count = Math.floor(rest / size);
      rest -= count * size;
      return count > 0 ? `${plain.format(count)} ${unit}` : "";
    });
    return (seconds < 0 ? "−" : "") + parts.filter(Boolean).join(" ");
  }

  // csv writes a table as RFC 4180 has it, with a byte order mark, without which spreadsheets do not take
  // it for UTF-8. Numbers and times stay as the API gave them. Of texts, what a spreadsheet would take for
  // a number or a date is written as a formula that gives the text, and what it would take for a formula
  // gets an apostrophe, as in exports that are isSpreadsheetSafe.
  function csv({ columns, rows }) {
    const lines = [columns.map(({ name }) => safe(name))];
    for (const row of rows) {
      lines.push(
        row.map((value, i) => {
          if (value === null) return "";
          const { type } = columns[i];
          const isSafe =
            typeof value === "boolean" || (type === "number" && isNumber(value)) || (type === "time" && date.test(value));
          return isSafe ? String(value) : safe(String(value));
        }),
      );
    }
    return `\uFEFF${lines.map((line) => line.map(quote).join(",") + "\r\n").join("")}`;
  }

  const number = /^[0-9][0-9.,:/ -]*([eE][+-]?[0-9]+)?$/;
  const month = /^(jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)[a-z]*[ ./-]?[0-9]+$/i;

  function safe(text) {
    if (number.test(text) || month.test(text)) return `="${text}"`;
    return /^[=+@\t\r-]/.test(text) ? `'${text}` : text;
  }

  const quote = (text) => (/[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text);

  return { operationIn, shapeOf, find, show, csv };
})();
