// Mounts GraphiQL on couponql's /graphql. Everything it needs is served by couponql itself.
"use strict";

(() => {
  const h = React.createElement;
  const { useEffect, useLayoutEffect, useRef } = React;
  const { useEditorContext, useExecutionContext } = GraphiQL.React;
  const { examples, narrow } = Questions;

  // As many as fit above the editors open as tabs on the first visit; the others are in the list of examples.
  const openExamples = 9;

  // fetcher gives GraphiQL an observable of results. The stop button unsubscribes, which closes the
  // connection, and so the server gives up a long query as well as a subscription.
  function fetcher(params, { headers } = {}) {
    return {
      subscribe(observer) {
        const controller = new AbortController();
        send(params, headers, observer, controller.signal).then(
          () => observer.complete(),
          (error) => {
            // GraphiQL prints an Error with its stack, which says nothing to a user.
            if (!controller.signal.aborted) observer.error({ message: error.message });
          },
        );
        return { unsubscribe: () => controller.abort() };
      },
    };
  }

  async function send(params, headers, observer, signal) {
    // What is wrong with a query that cannot be read, the server says.
    const { operation } = Rows.operationIn(params.query, params.operationName);
    const operationName = operation ? operation.name?.value : params.operationName;
    const accept = operation?.operation === "subscription"
      ? "text/event-stream"
      : "application/graphql-response+json, application/json";
    const response = await fetch("/graphql", {
      method: "POST",
      headers: { "Content-Type": "application/json", Accept: accept, ...Access.headers(headers) },
      body: JSON.stringify({ ...params, operationName }),
      signal,
    }).catch((error) => {
      throw new Error(`The server cannot be reached: ${error.message}`);
    });
    Access.note(response.status);
    if (response.headers.get("Content-Type")?.startsWith("text/event-stream")) {
      return receiveEvents(response.body, observer);
    }
    observer.next(parseResult(response, await response.text()));
  }

  // A proxy or a limit in front of the API may answer in plain text or HTML.
  function parseResult(response, text) {
    try {
      return JSON.parse(text);
    } catch {
      throw new Error(`The server answered ${response.status} ${response.statusText}: ${text.slice(0, 500)}`);
    }
  }

  // receiveEvents reads server-sent events as GraphQL over SSE defines them: each "next" event holds a
  // result, "complete" is the last event. EventSource cannot be used, for it only sends GET requests.
  async function receiveEvents(body, observer) {
    const reader = body.pipeThrough(new TextDecoderStream()).getReader();
    let buffer = "";
    for (;;) {
      const { done, value } = await reader.read();
      if (done) throw new Error("The connection was closed before the subscription was complete.");
      const blocks = (buffer + value).split(/\r?\n\r?\n/);
      buffer = blocks.pop();
      for (const block of blocks) {
        const event = parseEvent(block);
        if (event.type === "next") observer.next(JSON.parse(event.data));
        if (event.type === "complete") return reader.cancel();
      }
    }
  }

  // parseEvent gives the type and data of one block of lines; a comment that keeps the connection
  // alive has neither.
  function parseEvent(block) {
    const field = (name) =>
      block
        .split(/\r?\n/)
        .filter((line) => line.startsWith(`${name}:`))
        .map((line) => line.slice(name.length + 1).trimStart())
        .join("\n");
    return { type: field("event"), data: field("data") };
  }

  // Comfort renders nothing; it sets what GraphiQL has no setting for: long lines wrap, editors and
  // tabs are what assistive technology takes them for, the tab that becomes the active one scrolls
  // into view, what the tab before it still waits for is given up, lest it be shown in this one, and
  // each tab keeps its own texts and its own name however fast another follows.
  function Comfort() {
    const editor = useEditorContext({ nonNull: true });
    const { queryEditor, variableEditor, headerEditor, responseEditor, tabs, activeTabIndex } = editor;
    const { updateActiveTabValues } = editor;
    const { run, stop } = useExecutionContext({ nonNull: true });
    const latestStop = useRef(stop);
    latestStop.current = stop;
    useEffect(() => () => latestStop.current(), [tabs[activeTabIndex]?.id]);
    // GraphiQL learns a tab's operation a tenth of a second after it shows the tab; until then it would
    // give the tab before its name to this one.
    useLayoutEffect(() => {
      if (queryEditor) queryEditor.operationName = tabs[activeTabIndex]?.operationName ?? null;
    }, [queryEditor, tabs[activeTabIndex]?.id]);
    // GraphiQL stores what is typed a tenth of a second later, in whichever tab is shown then.
    useEffect(() => {
      if (!queryEditor || !variableEditor || !headerEditor) return undefined;
      const keep = ({ target }) => {
        if (!target.closest?.(".graphiql-tabs")) return;
        const query = queryEditor.getValue();
        const { operation } = Rows.operationIn(query, queryEditor.operationName);
        queryEditor.operationName = operation?.name?.value ?? null;
        updateActiveTabValues({
          query,
          operationName: queryEditor.operationName,
          variables: variableEditor.getValue(),
          headers: headerEditor.getValue(),
        });
      };
      document.addEventListener("click", keep, true);
      return () => document.removeEventListener("click", keep, true);
    }, [queryEditor, variableEditor, headerEditor, updateActiveTabValues]);
    const latestRun = useRef(run);
    latestRun.current = run;
    const open = Questions.useOpen();
    const latestOpen = useRef(open);
    latestOpen.current = open;
    // follow opens the question in the page's address, and asks it unless it writes. It reports whether there was one.
    const follow = () => {
      try {
        const question = Questions.takeLink();
        if (!question) return false;
        latestOpen.current(question);
        const { operation } = Rows.operationIn(question.query);
        // The tab's texts are set in the next turn of the page.
        if (operation?.operation === "query") setTimeout(() => latestRun.current());
      } catch (error) {
        responseEditor.setValue(JSON.stringify({ errors: [{ message: error.message }] }, null, 2));
      }
      return true;
    };
    const isReady = Boolean(queryEditor && variableEditor && headerEditor && responseEditor);
    useEffect(() => {
      if (!isReady) return undefined;
      // React adds no tab at once while an effect runs.
      const timer = setTimeout(() => {
        // The first example reads little, so the page opens with its answer.
        if (!follow() && queryEditor.getValue() === examples[0]) latestRun.current();
      });
      window.addEventListener("hashchange", follow);
      return () => {
        clearTimeout(timer);
        window.removeEventListener("hashchange", follow);
      };
    }, [isReady]);
    useEffect(() => {
      queryEditor?.setOption("lineWrapping", true);
      variableEditor?.setOption("lineWrapping", true);
    }, [queryEditor, variableEditor]);
    useEffect(() => {
      const editors = { Query: queryEditor, Variables: variableEditor, Headers: headerEditor, Answer: responseEditor };
      for (const [name, editor] of Object.entries(editors)) {
        editor?.setOption("screenReaderLabel", name);
        if (editor) editor.getScrollerElement().tabIndex = 0;
      }
    }, [queryEditor, variableEditor, headerEditor, responseEditor]);
    useEffect(() => {
      // A tab of ARIA may not hold buttons, and GraphiQL's hold two.
      document.querySelector(".graphiql-tabs")?.setAttribute("role", "list");
      for (const item of document.querySelectorAll(".graphiql-tab")) {
        item.setAttribute("role", "listitem");
        item.removeAttribute("aria-selected");
        const button = item.querySelector(".graphiql-tab-button");
        button.setAttribute("aria-current", item.classList.contains("graphiql-tab-active"));
      }
    }, [tabs, activeTabIndex]);
    useEffect(() => {
      document.querySelector(".graphiql-tab-active")?.scrollIntoView({ block: "nearest", inline: "nearest" });
    }, [activeTabIndex]);
    return null;
  }

  // openStorage keeps tabs and history in the browser, but no headers: an API key must not outlive the
  // page. shouldPersistHeaders sees to the tabs, not to the history.
  function openStorage() {
    const storage = GraphiQL.createLocalStorage({ namespace: "couponql" });
    const { setItem } = storage;
    const withoutHeaders = (name, value) => (name === "headers" ? undefined : value);
    storage.setItem = (key, value) => {
      const isHistory = key === "graphiql:queries" || key === "graphiql:favorites";
      setItem(key, isHistory ? JSON.stringify(JSON.parse(value), withoutHeaders) : value);
    };
    return storage;
  }

  const plugins = [
    ...Questions.plugins,
    { ...GraphiQLPluginExplorer.explorerPlugin(), title: "Query builder" },
    Access.plugin,
  ];

  ReactDOM.createRoot(document.getElementById("playground")).render(
    h(
      GraphiQL,
      {
        fetcher,
        plugins,
        defaultTabs: examples.slice(0, openExamples).map((query) => ({ query })),
        defaultEditorToolsVisibility: narrow.matches ? false : "variables",
        defaultQuery: "",
        inputValueDeprecation: true,
        schemaDescription: true,
        shouldPersistHeaders: false,
        storage: openStorage(),
      },
      h(GraphiQL.Logo, null, "couponql"),
      h(GraphiQL.Footer, null, h(Results)),
      h(Comfort),
    ),
  );
})();
