// Makes ../static of the sources: one script, one for charts, a style sheet, and the page that names them.
// Run it after a change:
//
//   npm ci && npm run generate && npm run check && npm run build
//
// The results are committed, so that building couponql needs Go alone. The same lock file gives the
// same bytes on every machine: esbuild does not depend on it, and pako compresses in JavaScript and
// writes no time stamp.
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { basename } from "node:path";
import { build } from "esbuild";
import { gzip } from "pako";

const here = new URL(".", import.meta.url);
const target = new URL("../static/", here);
// What the first list loads stays small; charts come later.
const maxBytes = 300_000;

const { outputFiles, metafile } = await build({
  absWorkingDir: here.pathname,
  entryPoints: { main: "src/main.tsx", style: "src/style.css" },
  bundle: true,
  splitting: true,
  format: "esm",
  target: "es2022",
  minify: true,
  jsx: "automatic",
  jsxImportSource: "preact",
  entryNames: "[name]-[hash]",
  chunkNames: "part-[hash]",
  outdir: "out",
  write: false,
  metafile: true,
  legalComments: "none",
});

// The packages whose code is in the bundles, by what esbuild says it read.
function bundledPackages() {
  const names = Object.values(metafile.outputs)
    .flatMap(({ inputs }) => Object.entries(inputs))
    .filter(([, { bytesInOutput }]) => bytesInOutput > 0)
    .map(([source]) => source.match(/.*node_modules\/((?:@[^/]+\/)?[^/]+)/)?.[1])
    .filter(Boolean);
  return [...new Set(names)].sort();
}

function licenseText(name) {
  const folder = new URL(`node_modules/${name}/`, here);
  const found = readdirSync(folder).filter((file) => /^(licen[cs]e|notice|copying)/i.test(file));
  if (found.length > 0) {
    return found.sort().map((file) => readFileSync(new URL(file, folder)).toString().replaceAll("\r\n", "\n").trim()).join("\n\n");
  }
  throw new Error(`${name} has no license text`);
}

function licenses() {
  const texts = new Map();
  for (const name of bundledPackages()) {
    const text = licenseText(name);
    texts.set(text, [...(texts.get(text) ?? []), name]);
  }
  const rule = "=".repeat(78);
  const parts = [...texts].map(([text, names]) => `${rule}\n${names.join(", ")}\n${rule}\n\n${text}\n`);
  return `The console of couponql contains the work of others, under these licenses.\n\n${parts.join("\n")}`;
}

if (existsSync(target)) rmSync(target, { recursive: true });
mkdirSync(target);
let sum = 0;
const names = {};
function write(name, content) {
  const compressed = gzip(content, { level: 9 });
  sum += compressed.length;
  writeFileSync(new URL(`${name}.gz`, target), compressed);
}
for (const { path, contents } of outputFiles) {
  const name = basename(path);
  names[name.replace(/-\w+(\.\w+)$/, "$1")] = name;
  write(name, contents);
}
names["main.css"] = names["style.css"];
const icon = readFileSync(new URL("src/icon.svg", here));
names["icon.svg"] = `icon-${createHash("sha256").update(icon).digest("hex").slice(0, 8)}.svg`;
write(names["icon.svg"], icon);
// Plain, so that the bill of materials can be made of it.
names["LICENSES.txt"] = "LICENSES.txt";
writeFileSync(new URL("LICENSES.txt", target), licenses());
const page = readFileSync(new URL("src/index.html", here))
  .toString()
  .replaceAll(/\{\{(.*?)\}\}/g, (_, name) => {
    if (!names[name]) throw new Error(`the page names ${name}, which nothing makes`);
    return `/console/static/${names[name]}`;
  });
writeFileSync(new URL("index.html", target), page);
if (sum > maxBytes) throw new Error(`the console has ${sum} bytes compressed, more than ${maxBytes}`);
console.log(`console/static: ${sum} bytes compressed`);
