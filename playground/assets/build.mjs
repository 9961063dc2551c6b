// Fills ../static with what the playground embeds of other projects: their files as published,
// gzipped, and the licenses of everything inside them. Run it after a change of package.json:
//
//   npm ci && npm run build
//
// The results are committed, so that building couponql needs Go alone. The same lock file gives the
// same bytes on every machine: pako compresses in JavaScript, so the Node release plays no part, and
// it writes no time stamp.
import { mkdirSync, readFileSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { gzip } from "pako";

const modules = new URL("node_modules/", import.meta.url);
const target = new URL("../static/", import.meta.url);

const files = {
  "react.js": "react/umd/react.production.min.js",
  "react-dom.js": "react-dom/umd/react-dom.production.min.js",
  "graphiql.js": "graphiql/graphiql.min.js",
  "graphiql.css": "graphiql/graphiql.min.css",
  "explorer.js": "@graphiql/plugin-explorer/dist/index.umd.js",
  "explorer.css": "@graphiql/plugin-explorer/dist/style.css",
  "chart.js": "chart.js/dist/chart.umd.min.js",
};

// Packages inside the bundles that GraphiQL's source map cannot tell: those it takes from outside
// (scheduler is part of the file of react-dom), the explorer, which has no map, and Chart.js, whose one
// dependency is @kurkle/color.
const besideGraphiQL = [
  "graphiql",
  "react",
  "react-dom",
  "scheduler",
  "@graphiql/plugin-explorer",
  "graphiql-explorer",
  "chart.js",
  "@kurkle/color",
];

// Packages that ship no license text, or that today's dependencies of the bundle's parts no longer
// bring along: the text is that of a package by the same authors under the same license.
const licenseOf = {
  "@graphiql/plugin-doc-explorer": "graphiql",
  "@graphiql/plugin-explorer": "graphiql",
  "@graphiql/plugin-history": "graphiql",
  "@radix-ui/react-use-escape-keydown": "@radix-ui/react-dialog",
  "@react-aria/utils": "@react-aria/focus",
  "react-compiler-runtime": "react",
  "react-remove-scroll-bar": "react-remove-scroll",
  "toggle-selection": "copy-to-clipboard",
};

// The fonts inside graphiql.css. Roboto 2.137 (Copyright 2011 Google Inc.) is under the same Apache
// license as react-aria.
const fonts = {
  "Roboto (font)": "@react-aria/focus",
  "Fira Code (font)": "@fontsource/fira-code",
};

const read = (path) => readFileSync(new URL(path, modules));

// bundledPackages names the packages whose code is in GraphiQL's bundle, from its source map. GraphiQL's
// own sources are "../src/…", those of its repository's other packages "../../graphiql-react/…".
function bundledPackages() {
  const names = new Set();
  for (const source of JSON.parse(read("graphiql/dist/index.umd.js.map")).sources) {
    const installed = source.match(/.*node_modules\/((?:@[^/]+\/)?[^/]+)/);
    const sibling = source.match(/^\.\.\/\.\.\/([^/]+)/);
    if (installed) names.add(installed[1]);
    else if (sibling) names.add(sibling[1].replace(/^graphiql-/, "@graphiql/"));
    else if (!source.startsWith("../src/")) throw new Error(`source of an unknown package: ${source}`);
  }
  return names;
}

function licenseText(name) {
  const folder = `${licenseOf[name] ?? name}/`;
  const found = readdirSync(new URL(folder, modules)).filter((file) =>
    /^(licen[cs]e|notice|copyrightnotice|thirdpartynotices)/i.test(file),
  );
  if (found.length === 0) throw new Error(`${name} has no license text: add it to licenseOf`);
  return found
    .sort()
    .map((file) => read(folder + file).toString().replaceAll("\r\n", "\n").trim())
    .join("\n\n");
}

function licenses() {
  const texts = new Map();
  const add = (name, text) => texts.set(text, [...(texts.get(text) ?? []), name]);
  for (const name of [...new Set([...besideGraphiQL, ...bundledPackages()])].sort()) {
    add(name, licenseText(name));
  }
  for (const [name, source] of Object.entries(fonts)) add(name, licenseText(source));

  const rule = "=".repeat(78);
  const parts = [...texts].map(([text, names]) => `${rule}\n${names.join(", ")}\n${rule}\n\n${text}\n`);
  return `The playground of couponql contains the work of others, under these licenses.\n\n${parts.join("\n")}`;
}

rmSync(target, { recursive: true, force: true });
mkdirSync(target);
for (const [name, source] of Object.entries(files)) {
  writeFileSync(new URL(`${name}.gz`, target), gzip(read(source), { level: 9 }));
}
writeFileSync(new URL("LICENSES.txt", target), licenses());
