// Keeps the API key that the playground sends, and the panel in which it is set.
//
// The key is in this tab's session storage: it outlives a reload of the page and not the tab, and no other
// tab sees it. It is in no query, header editor or history, and never in an address.
"use strict";

const Access = (() => {
  const h = React.createElement;
  const { useEffect, useId, useRef, useState, useSyncExternalStore } = React;
  const { Button, useEditorContext, useExecutionContext, useSchemaStore } = GraphiQL.React;

  const storageKey = "couponql:key";
  const title = "API key";
  const listeners = new Set();
  // Whether the server refused something since it last told who asks.
  let wasRefused = false;
  let state = { key: sessionStorage.getItem(storageKey) ?? "", refusal: "" };

  function change(next) {
    state = { ...state, ...next };
    for (const listener of listeners) listener();
  }

  function useAccess() {
    return useSyncExternalStore(
      (listener) => {
        listeners.add(listener);
        return () => listeners.delete(listener);
      },
      () => state,
    );
  }

  function setKey(key) {
    if (key) sessionStorage.setItem(storageKey, key);
    else sessionStorage.removeItem(storageKey);
    change({ key, refusal: "" });
  }

  // headers gives those of a request: the key, unless the editor of headers sets Authorization itself.
  function headers(own = {}) {
    const isOwn = Object.keys(own).some((name) => name.toLowerCase() === "authorization");
    return state.key && !isOwn ? { Authorization: `Bearer ${state.key}`, ...own } : own;
  }

  // ask gives the data that answers a query of the playground itself.
  async function ask(query, signal) {
    const response = await fetch("/graphql", {
      method: "POST",
      headers: { "Content-Type": "application/json", Accept: "application/graphql-response+json", ...headers() },
      body: JSON.stringify({ query }),
      signal,
    });
    const { data, errors } = await response.json();
    if (errors || !data) throw Object.assign(new Error("The server did not answer."), { status: response.status });
    return data;
  }

  // note takes a response's status. A refusal opens the panel, since there the cause can be mended.
  function note(status) {
    if (status !== 401 && status !== 403) return change({ refusal: "" });
    wasRefused = true;
    change({ refusal: status === 401 ? notAccepted() : "The key is good, and does not allow what was asked." });
    Questions.showPanel(title);
  }

  const notAccepted = () => (state.key ? "The server did not accept the key." : "The server wants a key.");

  // useCaller gives whom the server takes the key's owner for, null while it does not know. Once it does, what it refused before
  // is asked again, unless it would write.
  function useCaller() {
    const { key } = useAccess();
    const { queryEditor, responseEditor, updateActiveTabValues } = useEditorContext({ nonNull: true });
    const { run } = useExecutionContext({ nonNull: true });
    const [caller, setCaller] = useState(null);
    const latest = useRef(null);
    latest.current = () => {
      const { operation } = Rows.operationIn(queryEditor?.getValue() ?? "", queryEditor?.operationName);
      if (operation?.operation === "query") return run();
      responseEditor?.setValue("");
      updateActiveTabValues({ response: "" });
    };
    useEffect(() => {
      setCaller(null);
      const controller = new AbortController();
      ask("{ caller { label role isMasked } }", controller.signal).then(
        ({ caller: found }) => {
          setCaller(found);
          if (wasRefused && responseEditor?.getValue()) latest.current();
          wasRefused = false;
        },
        ({ status }) => {
          if (status === 401) change({ refusal: notAccepted() });
        },
      );
      return () => controller.abort();
    }, [key]);
    return caller;
  }

  // clean takes what was pasted, perhaps with the name of the scheme or of the header before it.
  const clean = (text) => text.trim().replace(/^(authorization:\s*)?(bearer\s+)?/i, "");

  function Panel() {
    const { key, refusal } = useAccess();
    const caller = useCaller();
    const { introspect } = useSchemaStore();
    const [text, setText] = useState("");
    const [isShown, setShown] = useState(false);
    const id = useId();
    const typed = clean(text);
    const isWrong = typed !== "" && !/^[\x21-\x7e]+$/.test(typed);
    const use = (chosen) => {
      setKey(chosen);
      setText("");
      // What the docs and the editor know may depend on the key.
      introspect();
    };
    return h(
      "section",
      { className: "access", "aria-label": title },
      h("div", { className: "graphiql-doc-explorer-title" }, title),
      refusal && h("p", { className: "access-refusal", role: "alert" }, refusal),
      h(
        "p",
        { role: "status", className: "access-state" },
        key ? `Requests are sent with the key that ends in ${key.slice(-4)}.` : "Requests are sent without a key.",
      ),
      caller &&
        h(
          "p",
          { className: "access-caller", role: "status" },
          "You are ",
          h("strong", null, caller.label),
          `, role ${caller.role}.`,
          caller.isMasked && " You see ••• in place of codes and personal data.",
        ),
      h(
        "form",
        {
          onSubmit: (event) => {
            event.preventDefault();
            if (typed && !isWrong) use(typed);
          },
        },
        h("label", { htmlFor: id }, "Key"),
        h("input", {
          id,
          type: isShown ? "text" : "password",
          value: text,
          autoComplete: "off",
          spellCheck: false,
          placeholder: "Paste a key here",
          "aria-invalid": isWrong,
          "aria-describedby": `${id}-help`,
          onChange: (event) => setText(event.target.value),
        }),
        h(
          "label",
          { className: "access-show" },
          h("input", { type: "checkbox", checked: isShown, onChange: (event) => setShown(event.target.checked) }),
          " Show what I type",
        ),
        isWrong && h("p", { role: "alert" }, "A key has no spaces and no letters beyond ASCII."),
        h(
          "div",
          { className: "access-buttons" },
          h(Button, { type: "submit", disabled: !typed || isWrong }, "Use this key"),
          h(Button, { type: "button", disabled: !key, onClick: () => use("") }, "Forget the key"),
        ),
      ),
      h(
        "div",
        { id: `${id}-help`, className: "access-help" },
        h("p", null, "Each request is sent with this header:"),
        h("pre", null, `Authorization: Bearer ${key ? `…${key.slice(-4)}` : "<key>"}`),
        h(
          "p",
          null,
          "Programs send the same. A server that only serves its own machine may need no key; on others, ask whoever runs them for one.",
        ),
        h(
          "p",
          null,
          "The key stays in this browser tab: it survives a reload, is forgotten when the tab is closed, and is in no address, " +
            "query or history. An Authorization set under Headers goes before it.",
        ),
      ),
    );
  }

  function Icon(props) {
    const { refusal } = useAccess();
    const key = "M14 10a4.5 4.5 0 1 1-1.3-3.2A4.5 4.5 0 0 1 14 10zm0 0h8v4m-4-4v3";
    const style = { viewBox: "0 0 24 24", fill: "none", stroke: "currentColor", strokeWidth: 1.5 };
    return h(
      "svg",
      { ...style, ...props },
      h("path", { d: key }),
      refusal && h("circle", { cx: 20, cy: 4, r: 3, fill: "hsl(var(--color-error))", stroke: "none" }),
    );
  }

  return { headers, ask, note, plugin: { title, icon: Icon, content: Panel } };
})();
