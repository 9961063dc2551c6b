// Shows the rows of an answer as a table or a chart, below or in place of the JSON, and saves them as CSV.
"use strict";

const Results = (() => {
  const h = React.createElement;
  const { useDeferredValue, useEffect, useId, useMemo, useRef, useState } = React;
  const { Button, ButtonGroup, useEditorContext, useExecutionContext, useSchemaStore } = GraphiQL.React;

  // A browser takes long to lay out more rows than this at once.
  const pageSize = 200;

  // Along an axis, of more labels some are left out, and longer ones are cut; the tooltip has them whole.
  const maxNamed = 24;
  const maxLabel = 24;

  // Colours that stay apart on light and dark, and for most who see colours differently (Okabe and Ito).
  const palette = [
    "#0b78ba", "#e69f00", "#009e73", "#d55e00", "#cc79a7", "#56b4e9",
    "#8a8a00", "#8c6bb1", "#7f7f7f", "#b15928", "#2aa9a0", "#d60590",
  ];

  const download = (name, blob) => {
    const link = document.createElement("a");
    link.href = URL.createObjectURL(blob);
    link.download = name;
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
  };

  function parse(text) {
    try {
      return JSON.parse(text);
    } catch {
      return null; // A message of the playground, or half an answer.
    }
  }

  // useAnswer gives the answer that the shown tab holds, as data and as tables, anew when it or the schema changes.
  function useAnswer() {
    const { queryEditor, variableEditor, responseEditor } = useEditorContext({ nonNull: true });
    const { schema } = useSchemaStore();
    const [answer, setAnswer] = useState(null);
    useEffect(() => {
      if (!responseEditor) return undefined;
      const read = () => {
        setAnswer({
          text: responseEditor.getValue(),
          query: queryEditor?.getValue() ?? "",
          operationName: queryEditor?.operationName,
          variables: parse(variableEditor?.getValue() || "{}"),
        });
      };
      read();
      responseEditor.on("change", read);
      return () => responseEditor.off("change", read);
    }, [queryEditor, variableEditor, responseEditor]);
    const shown = useDeferredValue(answer);
    return useMemo(() => {
      const data = (shown && parse(shown.text)?.data) || null;
      const shape = data && Rows.shapeOf(schema, shown.query, shown.operationName, shown.variables);
      return { isEmpty: shown?.text === "", data, tables: data ? Rows.find(data, shape) : [] };
    }, [shown, schema]);
  }

  // useIsNew reports whether the server holds no coupon yet. It asks when an answer has no rows, and never again once there is one.
  let hasCoupons = false;
  function useIsNew(answer) {
    const [isNew, setNew] = useState(false);
    const isAsked = answer.data !== null && !answer.tables.some(({ rows }) => rows.length > 0);
    useEffect(() => {
      setNew(false);
      if (!isAsked || hasCoupons) return undefined;
      const controller = new AbortController();
      Access.ask("{ coupons(first: 1) { totalCount } }", controller.signal).then(
        ({ coupons }) => {
          hasCoupons = coupons.totalCount > 0;
          setNew(!hasCoupons);
        },
        () => {}, // Who may not ask that needs no hint.
      );
      return () => controller.abort();
    }, [answer, isAsked]);
    return isAsked && isNew;
  }

  // Hint says what to do where there is no answer yet.
  function Hint({ query }) {
    const { operation } = Rows.operationIn(query);
    const run = h("kbd", null, "Ctrl+Enter");
    if (!query.trim()) {
      return h(
        "div",
        { className: "results-hint" },
        h("p", null, "What do you want to know?"),
        h("p", null, "Type a query on the left; ", h("kbd", null, "Ctrl+Space"), " suggests fields. Or begin with an example."),
        h(Button, { type: "button", onClick: () => Questions.showPanel("Examples") }, "Choose an example"),
      );
    }
    const what = operation?.operation === "mutation" ? " This one writes." : "";
    return h("div", { className: "results-hint" }, h("p", null, "No answer yet. Press ▶ or ", run, ".", what));
  }

  // NewServer says how a server without data gets some.
  function NewServer() {
    const open = Questions.useOpen();
    return h(
      "div",
      { className: "results-new", role: "status" },
      h("p", null, h("strong", null, "This server has no data yet.")),
      h("p", null, "In couponql's folder, ", h("code", null, "make demo"), " starts one that has a shop's. Or create your own:"),
      h(Button, { type: "button", onClick: () => open({ query: Questions.example("CreateCoupon") }) }, "Create a coupon"),
    );
  }

  // The colours of GraphiQL's theme, which its settings or the system may change at any time.
  function useTheme() {
    const read = () => {
      const element = document.querySelector(".graphiql-container") ?? document.body;
      const style = getComputedStyle(element);
      const neutral = style.getPropertyValue("--color-neutral").trim() || "0, 0%, 50%";
      return { text: `hsl(${neutral})`, grid: `hsla(${neutral}, 0.15)`, font: style.fontFamily };
    };
    const [theme, setTheme] = useState(read);
    useEffect(() => {
      const update = () => setTheme(read());
      update();
      const query = matchMedia("(prefers-color-scheme: dark)");
      const observer = new MutationObserver(update);
      observer.observe(document.body, { attributeFilter: ["class"] });
      query.addEventListener("change", update);
      return () => {
        observer.disconnect();
        query.removeEventListener("change", update);
      };
    }, []);
    return theme;
  }

  // loadChart runs Chart.js, which the page fetches when it has nothing else to do: the first visit need not wait.
  let loading = null;
  function loadChart() {
    loading ??= new Promise((resolve, reject) => {
      const script = document.createElement("script");
      script.src = document.getElementById("chart-script").href;
      script.onload = resolve;
      script.onerror = () => {
        loading = null;
        reject(new Error("The chart cannot be drawn: the server does not answer."));
      };
      document.head.append(script);
    });
    return loading;
  }

  function TableView({ table }) {
    const [page, setPage] = useState(0);
    useEffect(() => setPage(0), [table]);
    const pages = Math.ceil(table.rows.length / pageSize);
    const from = page * pageSize;
    const rows = table.rows.slice(from, from + pageSize);
    const turn = (step, text) =>
      h(Button, { type: "button", disabled: page + step < 0 || page + step >= pages, onClick: () => setPage(page + step) }, text);
    return h(
      "div",
      { className: "results-table" },
      h(
        "div",
        { className: "results-scroll", tabIndex: 0, role: "region", "aria-label": `Table of ${table.name}` },
        h(
          "table",
          null,
          h(
            "thead",
            null,
            h(
              "tr",
              null,
              table.columns.map(({ name, type, title }, i) =>
                h("th", { key: i, scope: "col", className: `results-${type}`, title: title || undefined }, name),
              ),
            ),
          ),
          h(
            "tbody",
            null,
            rows.map((row, i) =>
              h(
                "tr",
                { key: from + i },
                row.map((value, j) => {
                  const { type } = table.columns[j];
                  const text = Rows.show(value, table.columns[j]);
                  const title = type === "time" && text !== value ? value : undefined;
                  return h("td", { key: j, className: `results-${type}`, title }, text);
                }),
              ),
            ),
          ),
        ),
      ),
      pages > 1 &&
        h(
          "div",
          { className: "results-controls" },
          turn(-1, "Previous"),
          h(
            "span",
            { role: "status" },
            `Rows ${(from + 1).toLocaleString()} to ${(from + rows.length).toLocaleString()} of ${table.rows.length.toLocaleString()}`,
          ),
          turn(1, "Next"),
        ),
    );
  }

  // Select is a labelled list of [value, text].
  function Select({ label, value, options, onChange, disabled }) {
    const id = useId();
    return h(
      "span",
      { className: "results-select" },
      h("label", { htmlFor: id }, label),
      h(
        "select",
        { id, value, disabled, onChange: (event) => onChange(event.target.value) },
        options.map(([option, text]) => h("option", { key: option, value: option }, text)),
      ),
    );
  }

  function ChartControls({ table, choice, onChange }) {
    const set = (change) => onChange({ ...choice, ...change });
    const columns = table.columns.map(({ name }, i) => [i, name]);
    const candidates = [...Series.numbers(table), Series.rowCount];
    const nameOf = (y) => (y === Series.rowCount ? "number of rows" : table.columns[y].name);
    const toggle = (y) => {
      const ys = choice.ys.includes(y) ? choice.ys.filter((other) => other !== y) : [...choice.ys, y];
      // Whatever the order of clicks, the columns keep the table's.
      if (ys.length > 0) set({ ys: candidates.filter((candidate) => ys.includes(candidate)) });
    };
    return h(
      "div",
      { className: "results-controls" },
      h(Select, {
        label: "Chart",
        value: choice.kind,
        options: [["line", "Line"], ["bar", "Bar"], ["funnel", "Funnel"]],
        onChange: (kind) => set({ kind }),
      }),
      h(Select, {
        label: "Along",
        value: choice.x,
        options: [...columns, [Series.columns, "the values"]],
        onChange: (x) => set({ x: Number(x) }),
      }),
      h(Select, {
        label: "Split by",
        value: choice.split ?? "",
        disabled: choice.kind === "funnel",
        options: [["", "nothing"], ...columns],
        onChange: (split) => set({ split: split === "" ? null : Number(split) }),
      }),
      h(
        "details",
        null,
        h("summary", null, `Values: ${choice.ys.map(nameOf).join(", ")}`),
        h(
          "fieldset",
          null,
          h("legend", null, "Values"),
          candidates.map((y) =>
            h(
              "label",
              { key: y },
              h("input", { type: "checkbox", checked: choice.ys.includes(y), onChange: () => toggle(y) }),
              ` ${nameOf(y)}`,
            ),
          ),
        ),
      ),
    );
  }

  function ChartView({ table, choice }) {
    const canvas = useRef(null);
    const theme = useTheme();
    const model = useMemo(() => Series.build(table, choice), [table, choice]);
    const isEmpty = model.series.every(({ values }) => values.every((value) => value === null));
    const [failure, setFailure] = useState("");
    useEffect(() => {
      if (isEmpty) return undefined;
      let chart = null;
      let isGone = false;
      loadChart().then(
        () => {
          if (isGone) return;
          setFailure("");
          chart = new Chart(canvas.current, configuration(model, choice.kind, theme));
        },
        (error) => setFailure(error.message),
      );
      return () => {
        isGone = true;
        chart?.destroy();
      };
    }, [model, choice.kind, theme, isEmpty]);
    const summary =
      `${choice.kind} chart of ${table.name}: ${model.series.map(({ name }) => name).filter(Boolean).join(", ")}; ` +
      `${model.labels.length} along the axis. The table has the numbers.`;
    return h(
      "figure",
      { className: "results-chart" },
      isEmpty
        ? h("p", null, "There is nothing to draw: the chosen values are empty in every row.")
        : h("div", { className: "results-canvas" }, h("canvas", { ref: canvas, role: "img", "aria-label": summary })),
      failure && h("p", { role: "alert" }, failure),
      model.notes.length > 0 && h("figcaption", null, model.notes.join(" ")),
    );
  }

  const shorten = (label) => (label.length > maxLabel ? `${label.slice(0, maxLabel - 1)}…` : label);

  // configuration tells Chart.js what to draw.
  function configuration({ labels, series }, kind, theme) {
    const isFunnel = kind === "funnel";
    const formats = new Set(series.flatMap(({ columns }) => columns.filter(Boolean).map(({ format }) => format)));
    const column = series.flatMap(({ columns }) => columns).find(Boolean);
    const showTick = (value) => Rows.show(value, formats.size === 1 ? column : { type: "number", format: "plain" });
    const scale = { ticks: { color: theme.text }, grid: { color: theme.grid }, border: { color: theme.grid } };
    // Between two whole numbers there is no half code.
    const isWhole = series.every(({ values: numbers }) => numbers.every((value) => value === null || Number.isInteger(value)));
    const precision = isWhole && formats.size === 1 && formats.has("plain") ? 0 : undefined;
    const values = { ...scale, beginAtZero: true, ticks: { ...scale.ticks, precision, callback: showTick } };
    const along = {
      ...scale,
      grid: { display: false },
      ticks: {
        ...scale.ticks,
        autoSkip: labels.length > maxNamed,
        autoSkipPadding: 12,
        maxRotation: 60,
        callback: (_, i) => shorten(labels[i]),
      },
    };
    const datasets = series.map(({ name, values: numbers }, i) => ({
      label: name,
      data: isFunnel ? numbers.map((value) => [-(value ?? 0) / 2, (value ?? 0) / 2]) : numbers,
      backgroundColor: palette[i % palette.length],
      borderColor: palette[i % palette.length],
      borderWidth: kind === "line" ? 2 : 0,
      pointRadius: numbers.length > 100 ? 0 : 3,
      spanGaps: true,
      ...(isFunnel && { barPercentage: 1, categoryPercentage: 0.94 }),
    }));
    const textOf = (dataset, i) => {
      const { values: numbers, columns } = series[dataset];
      if (numbers[i] === null) return "";
      const text = Rows.show(numbers[i], columns[i]);
      return isFunnel ? [text, ...shares(numbers, i)].join(" · ") : text;
    };
    return {
      type: kind === "line" ? "line" : "bar",
      data: { labels, datasets },
      plugins: isFunnel ? [stageTexts(textOf, theme)] : [],
      options: {
        animation: false,
        maintainAspectRatio: false,
        indexAxis: isFunnel ? "y" : "x",
        interaction: { mode: "index", intersect: false, axis: isFunnel ? "y" : "x" },
        font: { family: theme.font },
        color: theme.text,
        scales: isFunnel ? { x: { display: false }, y: along } : { x: along, y: values },
        plugins: {
          legend: { display: !isFunnel && series.some(({ name }) => name !== ""), labels: { color: theme.text, boxWidth: 16 } },
          tooltip: {
            callbacks: {
              label: ({ datasetIndex, dataIndex, dataset }) =>
                [dataset.label, textOf(datasetIndex, dataIndex)].filter(Boolean).join(": "),
            },
          },
        },
      },
    };
  }

  // shares tells what part of the first stage, and of the one before, a stage of a funnel is.
  function shares(values, i) {
    const percent = (whole) => (whole > 0 ? Rows.show(values[i] / whole, { type: "number", format: "percent" }) : null);
    const first = i > 0 ? percent(values[0]) : null;
    const previous = i > 1 ? percent(values[i - 1]) : null;
    return [first && `${first} of the first`, previous && `${previous} of the one before`].filter(Boolean);
  }

  // stageTexts writes each stage's number into its bar, or beside one that is too narrow; in several lines if
  // it is high enough.
  const stageTexts = (textOf, theme) => ({
    id: "stageTexts",
    afterDatasetsDraw(chart) {
      const { ctx, chartArea } = chart;
      const lineHeight = 18;
      ctx.save();
      ctx.font = `13px ${theme.font}`;
      ctx.textBaseline = "middle";
      chart.getDatasetMeta(0)?.data.forEach((bar, i) => {
        const text = textOf(0, i);
        const { x, base, y, height } = bar.getProps(["x", "base", "y", "height"]);
        const parts = text.split(" · ");
        const lines = height > parts.length * lineHeight ? parts : [text];
        const width = Math.max(...lines.map((line) => ctx.measureText(line).width));
        const isInside = Math.abs(x - base) > width + 12;
        ctx.textAlign = isInside ? "center" : "left";
        ctx.fillStyle = isInside ? "#fff" : theme.text;
        const beside = Math.max(chartArea.left, Math.min(Math.max(x, base) + 8, chartArea.right - width));
        lines.forEach((line, n) =>
          ctx.fillText(line, isInside ? (x + base) / 2 : beside, y + (n - (lines.length - 1) / 2) * lineHeight),
        );
      });
      ctx.restore();
    },
  });

  const count = ({ rows }) => `${rows.length.toLocaleString()} ${rows.length === 1 ? "row" : "rows"}`;

  // Results is the bar below the answer, and what it shows in place of the JSON. Each tab keeps its own view,
  // table and, as long as the columns are the same, chart.
  function Results() {
    const { tabs, activeTabIndex, responseEditor } = useEditorContext({ nonNull: true });
    const { isFetching } = useExecutionContext({ nonNull: true });
    const answer = useAnswer();
    const { tables } = answer;
    const isNew = useIsNew(answer);
    const tab = tabs[activeTabIndex]?.id;
    Questions.useFreshView(tab);
    const [{ view = "json", name, charts = {} }, set] = Questions.useView(tab);

    const table =
      tables.find((candidate) => candidate.name === name) ?? tables.find(({ rows, columns }) => rows.length > 1 && columns.length > 1) ?? tables[0];
    const signature = table && [table.name, ...table.columns.map((column) => column.path.join("."))].join("\n");
    const choice = useMemo(() => {
      if (!table) return undefined;
      return Series.fits(table, charts[signature]) ? charts[signature] : Series.guess(table);
    }, [charts, signature, table]);
    const canDraw = useMemo(() => Boolean(table) && Series.canDraw(table), [table]);
    const isAvailable = { json: true, table: Boolean(table), chart: canDraw };
    const shownView = answer.isEmpty && !isFetching ? "empty" : isAvailable[view] ? view : table ? "table" : "json";
    // While it was hidden, the editor of the JSON painted nothing of what it was given.
    useEffect(() => {
      if (shownView === "json") responseEditor?.refresh();
    }, [responseEditor, shownView, tab]);
    const fileName = `${(table?.name || "rows").replaceAll(/[^\w.-]+/g, "-")}.csv`;
    const save = () => download(fileName, new Blob([Rows.csv(table)], { type: "text/csv;charset=utf-8" }));

    const views = [["json", "JSON"], ["table", "Table"], ["chart", "Chart"]];
    return h(
      "div",
      { className: "results", "data-view": shownView },
      shownView === "empty" && h(Hint, { query: tabs[activeTabIndex]?.query ?? "" }),
      shownView === "json" && isNew && h(NewServer),
      shownView === "table" && h(TableView, { key: signature, table }),
      shownView === "chart" && [
        h(ChartControls, {
          key: "controls",
          table,
          choice,
          onChange: (changed) => set({ charts: { ...charts, [signature]: changed } }),
        }),
        h(ChartView, { key: "chart", table, choice }),
      ],
      h(
        "div",
        { className: "results-bar", role: "toolbar", "aria-label": "Result" },
        h(
          ButtonGroup,
          { role: "group", "aria-label": "Show the result as" },
          views.map(([id, text]) =>
            h(
              Button,
              {
                key: id,
                type: "button",
                className: shownView === id ? "active" : "",
                "aria-pressed": shownView === id,
                disabled: !isAvailable[id],
                title: id === "chart" && table && !canDraw ? "No column has numbers, or texts that repeat." : undefined,
                onClick: () => set({ view: id }),
              },
              text,
            ),
          ),
        ),
        tables.length > 1 &&
          h(Select, {
            label: "Rows of",
            value: table.name,
            options: tables.map((candidate) => [candidate.name, candidate.name]),
            onChange: (chosen) => set({ name: chosen }),
          }),
        h(
          "span",
          { className: "results-end" },
          h(
            "span",
            { className: "results-count", role: "status" },
            table ? count(table) : answer.isEmpty || isFetching ? "" : "No rows to show",
          ),
          h(Button, { type: "button", disabled: !table, onClick: save }, "Download CSV"),
        ),
      ),
    );
  }

  return Results;
})();
