// Keeps questions apart from tabs: the examples, those that a user saved, and links. A question is { query, variables, view }:
// two texts, and how its answer is shown (see useView).
//
// A link holds its question behind #, which browsers send to no server; it never holds a key or a header. Saved questions are in
// the browser's storage.
"use strict";

const Questions = (() => {
  const h = React.createElement;
  const { useId, useState, useSyncExternalStore } = React;
  const { Button, UnStyledButton, useEditorContext, usePluginStore } = GraphiQL.React;

  const examples = JSON.parse(document.getElementById("operations").textContent);
  const storageKey = "couponql:questions";
  const maxSaved = 100;
  // Programs that pass links on cut longer ones.
  const maxLink = 16_000;
  const linkStart = "#question=";
  const narrow = matchMedia("(max-width: 700px)");

  // store keeps a value that components share.
  function store(value) {
    const listeners = new Set();
    const subscribe = (listener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    };
    return {
      get: () => value,
      set: (next) => {
        value = next;
        for (const listener of listeners) listener();
      },
      use: () => useSyncExternalStore(subscribe, () => value),
    };
  }

  // By the id of a tab: "json", "table" or "chart" as view, the name of the table, and charts by their columns.
  const views = store({});
  const setView = (tab, change) => views.set({ ...views.get(), [tab]: { ...views.get()[tab], ...change } });

  // useView gives how a tab shows its answer, and what changes that.
  function useView(tab) {
    const view = views.use()[tab] ?? {};
    return [view, (change) => setView(tab, change)];
  }

  function load() {
    try {
      const found = JSON.parse(localStorage.getItem(storageKey) ?? "[]");
      return Array.isArray(found) ? found.filter((it) => isQuestion(it) && typeof it.name === "string") : [];
    } catch {
      return [];
    }
  }

  const saved = store(load());

  function keep(questions) {
    localStorage.setItem(storageKey, JSON.stringify(questions));
    saved.set(questions);
  }

  const isQuestion = (it) => typeof it?.query === "string" && typeof (it.variables ?? "") === "string";

  // clean keeps of what a link or the storage holds the parts that are known.
  function clean({ query, variables, view }) {
    const known = typeof view === "object" && view !== null ? view : {};
    return {
      query,
      variables: variables ?? "",
      view: {
        ...(["json", "table", "chart"].includes(known.view) && { view: known.view }),
        ...(typeof known.name === "string" && { name: known.name }),
        ...(typeof known.charts === "object" && known.charts !== null && { charts: known.charts }),
      },
    };
  }

  // linkTo gives a question's address, null if it would be too long.
  function linkTo(question) {
    const bytes = new TextEncoder().encode(JSON.stringify(clean(question)));
    const text = btoa(Array.from(bytes, (byte) => String.fromCharCode(byte)).join(""));
    const safe = text.replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
    const link = `${location.origin}${location.pathname}${linkStart}${safe}`;
    return link.length <= maxLink ? link : null;
  }

  // takeLink gives the question in the page's address and takes it out, so that a reload does not open it again. It gives null
  // where there is none, and throws where there is something else.
  function takeLink() {
    const { hash, pathname, search } = location;
    if (!hash.startsWith(linkStart)) return null;
    history.replaceState(null, "", pathname + search);
    try {
      const text = atob(hash.slice(linkStart.length).replaceAll("-", "+").replaceAll("_", "/"));
      const question = JSON.parse(new TextDecoder().decode(Uint8Array.from(text, (letter) => letter.charCodeAt(0))));
      if (isQuestion(question)) return clean(question);
    } catch {
      // Below.
    }
    throw new Error("The link to a question is damaged: a part of it is missing. Ask for it again.");
  }

  // showPanel opens a panel as its icon does: GraphiQL keeps its width apart from what it holds.
  const showPanel = (title) => document.querySelector(`.graphiql-sidebar button[aria-label="Show ${title}"]`)?.click();

  // useOpen gives what opens a question: in the tab that has it already, or in a new one.
  function useOpen() {
    const { tabs, addTab, changeTab, queryEditor, variableEditor } = useEditorContext({ nonNull: true });
    const { setVisiblePlugin } = usePluginStore();
    return ({ query, variables = "", view }) => {
      // There a panel covers the tabs.
      if (narrow.matches) setVisiblePlugin(null);
      const index = tabs.findIndex((tab) => tab.query === query && (tab.variables ?? "") === variables);
      if (index >= 0) {
        if (view) setView(tabs[index].id, view);
        return changeTab(index);
      }
      // The new tab must be the active one before its texts are set.
      ReactDOM.flushSync(addTab);
      queryEditor.setValue(query);
      variableEditor?.setValue(variables);
      if (view) fresh.set(view);
    };
  }

  // The view for the tab that was just added, whose id only the next render knows.
  const fresh = store(null);
  function useFreshView(tab) {
    const view = fresh.use();
    React.useEffect(() => {
      if (!view || !tab) return;
      fresh.set(null);
      setView(tab, view);
    }, [view, tab]);
  }

  // describe takes an example's name and the question it answers, the first paragraph of its comment.
  function describe(query) {
    const [comment] = query.match(/^(#.*\n)*/);
    const [question] = comment.replaceAll(/^# ?/gm, "").split("\n\n");
    const [, , name] = query.match(/^(query|mutation|subscription) (\w+)/m);
    return { name, question };
  }

  const example = (wanted) => examples.find((query) => describe(query).name === wanted);

  // Examples brings back what a user has closed or changed: GraphiQL keeps the tabs of the last visit.
  function Examples() {
    const open = useOpen();
    const items = examples.map((query) => {
      const { name, question } = describe(query);
      const texts = [h("strong", { key: "name" }, name), h("span", { key: "question" }, question)];
      return h(
        "li",
        { key: name },
        h(UnStyledButton, { type: "button", onClick: () => open({ query }) }, texts),
      );
    });
    return h(
      "section",
      { className: "examples", "aria-label": "Examples" },
      h("div", { className: "graphiql-doc-explorer-title" }, "Examples"),
      h("ul", null, items),
    );
  }

  function Saved() {
    const questions = saved.use();
    const { tabs, activeTabIndex, queryEditor, variableEditor } = useEditorContext({ nonNull: true });
    const tab = tabs[activeTabIndex];
    const [view] = useView(tab?.id);
    const open = useOpen();
    const [text, setText] = useState("");
    const [note, setNote] = useState({ text: "", link: "" });
    const id = useId();
    const current = () => ({
      query: queryEditor?.getValue() ?? "",
      variables: variableEditor?.getValue() ?? "",
      view,
    });
    const save = (event) => {
      event.preventDefault();
      const question = current();
      const name = text.trim() || tab.title;
      const others = questions.filter((it) => it.name !== name);
      if (!question.query.trim()) return setNote({ text: "The tab is empty." });
      if (others.length >= maxSaved) return setNote({ text: `${maxSaved} questions are saved already: delete one first.` });
      try {
        keep([...others, { name, ...question }].sort((a, b) => a.name.localeCompare(b.name)));
      } catch {
        return setNote({ text: "The browser's storage is full: delete a question first." });
      }
      setText("");
      setNote({ text: others.length < questions.length ? `“${name}” was saved anew.` : `“${name}” is saved in this browser.` });
    };
    const share = async (question) => {
      const link = linkTo(question);
      if (!link) return setNote({ text: "The question is too long for a link." });
      // Browsers let only pages of this machine and of https copy.
      const isCopied = await (navigator.clipboard?.writeText(link) ?? Promise.reject()).then(() => true, () => false);
      setNote({ text: isCopied ? "The link is copied. It holds no key." : "Copy this link; it holds no key.", link });
    };
    const items = questions.map((question) =>
      h(
        "li",
        { key: question.name },
        h(UnStyledButton, { type: "button", onClick: () => open(clean(question)) }, h("strong", null, question.name)),
        h(Button, { type: "button", onClick: () => share(question), "aria-label": `Copy the link to ${question.name}` }, "Link"),
        h(
          Button,
          {
            type: "button",
            onClick: () => keep(questions.filter((it) => it !== question)),
            "aria-label": `Delete ${question.name}`,
          },
          "Delete",
        ),
      ),
    );
    return h(
      "section",
      { className: "saved", "aria-label": "Saved questions" },
      h("div", { className: "graphiql-doc-explorer-title" }, "Saved questions"),
      h(
        "form",
        { onSubmit: save },
        h("label", { htmlFor: id }, "Save what the tab asks and how it shows the answer, as"),
        h("input", {
          id,
          value: text,
          maxLength: 80,
          autoComplete: "off",
          placeholder: tab?.title,
          onChange: (event) => setText(event.target.value),
        }),
        h(
          "div",
          { className: "access-buttons" },
          h(Button, { type: "submit" }, "Save"),
          h(Button, { type: "button", onClick: () => share(current()) }, "Copy link"),
        ),
      ),
      h("p", { role: "status" }, note.text),
      note.link && h("input", { readOnly: true, value: note.link, "aria-label": "Link", onFocus: (event) => event.target.select() }),
      questions.length > 0 ? h("ul", null, items) : h("p", { className: "access-help" }, "Nothing is saved yet."),
    );
  }

  const icon = (path) => (props) =>
    h(
      "svg",
      { viewBox: "0 0 24 24", fill: "none", stroke: "currentColor", strokeWidth: 1.5, ...props },
      h("path", { d: path }),
    );

  return {
    examples,
    example,
    takeLink,
    showPanel,
    useOpen,
    useView,
    useFreshView,
    narrow,
    plugins: [
      { title: "Examples", icon: icon("M9 6h12M9 12h12M9 18h12M4 6h.01M4 12h.01M4 18h.01"), content: Examples },
      { title: "Saved questions", icon: icon("M6 3h12v18l-6-4-6 4z"), content: Saved },
    ],
  };
})();
