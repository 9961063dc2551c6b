// Keeps the API key that the playground sends, and the panel in which it is set.
//
// The key is in this tab's session storage: it outlives a reload of the page and not the tab, and no other
// tab sees it. It is in no query, header editor or history, and never in an address.
"use strict";

const Access = (() => {
  const h = React.createElement;
  const { useId, useState, useSyncExternalStore } = React;
  const { Button, useSchemaStore } = GraphiQL.React;

  const storageKey = "couponql:key";
  const title = "API key";
  const listeners = new Set();
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

  // note takes a response's status. A refusal opens the panel, since there the cause can be mended.
  function note(status) {
    if (status !== 401 && status !== 403) return change({ refusal: "" });
    const wrong = state.key ? "The server did not accept the key." : "The server wants a key.";
    change({ refusal: status === 401 ? wrong : "The key is good, and does not allow what was asked." });
    document.querySelector(`.graphiql-sidebar button[aria-label="Show ${title}"]`)?.click();
  }

  // clean takes what was pasted, perhaps with the name of the scheme or of the header before it.
  const clean = (text) => text.trim().replace(/^(authorization:\s*)?(bearer\s+)?/i, "");

  function Panel() {
    const { key, refusal } = useAccess();
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

  return { headers, note, plugin: { title, icon: Icon, content: Panel } };
})();
