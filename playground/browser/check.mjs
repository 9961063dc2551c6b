// Opens the playground of a running couponql server in a real browser and uses it as an analyst does.
//
//   npm ci && node check.mjs http://127.0.0.1:8080 [folder for screenshots]
//
// Prints one line for each check and exits with 1 if one fails. The browser is /usr/bin/chromium unless
// CHROMIUM names another.
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { chromium } from "playwright-core";

const [address, folder = "screenshots"] = process.argv.slice(2);
if (!address) {
  console.error("usage: node check.mjs URL [folder for screenshots]");
  process.exit(2);
}
const { origin } = new URL(address);
mkdirSync(folder, { recursive: true });

const timeout = 15_000;
const browser = await chromium.launch({
  executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium",
  timeout: 2 * timeout,
  args: [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
  ],
});

let passed = 0;
let failed = 0;

async function check(name, body) {
  try {
    await body();
    passed++;
    console.log(`ok    ${name}`);
  } catch (error) {
    failed++;
    console.log(`FAIL  ${name}\n      ${error.message.replaceAll("\n", "\n      ")}`);
  }
}

function assert(condition, message) {
  if (!condition) throw new Error(message);
}

// openPage gives a page of a fresh profile, and what went wrong on it so far.
async function openPage(colorScheme) {
  const context = await browser.newContext({ colorScheme, viewport: { width: 1440, height: 900 } });
  context.setDefaultTimeout(timeout);
  const page = await context.newPage();
  const foreign = [];
  const complaints = [];
  page.on("request", (request) => {
    const url = new URL(request.url());
    if (url.origin !== origin && url.protocol !== "data:") foreign.push(request.url());
  });
  page.on("response", (response) => {
    if (response.status() >= 400) complaints.push(`${response.status()} ${response.url()}`);
  });
  page.on("console", (message) => {
    if (message.type() === "error") complaints.push(message.text());
  });
  page.on("pageerror", (error) => complaints.push(error.message));
  await page.goto(address);
  await page.locator(".graphiql-query-editor .CodeMirror").waitFor();
  return { page, foreign, complaints };
}

// answer waits for the response pane to hold whole JSON and gives it.
async function answer(page) {
  const handle = await page.waitForFunction(() => {
    try {
      return JSON.parse(document.querySelector(".graphiql-response .CodeMirror").CodeMirror.getValue());
    } catch {
      return null;
    }
  });
  return handle.jsonValue();
}

const { page, foreign, complaints } = await openPage("light");
const screenshot = (name) => page.screenshot({ path: join(folder, `${name}.png`) });
const tab = (name) => page.locator(".graphiql-tab-button", { hasText: new RegExp(`^${name}$`) });
const queryEditor = page.locator(".graphiql-query-editor .CodeMirror");
const panel = (name) => page.getByRole("button", { name: `Show ${name}` });

// setQuery replaces the shown tab's operation, and returns when the tab bears the new one's name.
async function setQuery(text) {
  await queryEditor.evaluate((element, value) => element.CodeMirror.setValue(value), text);
  await tab(text.split(" ")[1]).waitFor();
}

await check("the tabs are the example operations", async () => {
  const examples = JSON.parse(await page.locator("#operations").textContent());
  const want = examples.map((text) => text.match(/^(?:query|mutation|subscription) (\w+)/m)[1]);
  const got = await page.locator(".graphiql-tab-button").allTextContents();
  assert(want.length > 0 && got.join() === want.join(), `tabs are ${got}, want ${want}`);
});

await check("the first tab's query is answered", async () => {
  await page.locator(".graphiql-execute-button").click();
  const { data, errors } = await answer(page);
  await screenshot("query");
  assert(!errors && Array.isArray(data?.coupons?.nodes), `the answer is ${JSON.stringify({ data, errors })}`);
});

await check("the documentation lists the schema", async () => {
  await panel("Documentation Explorer").click();
  const docs = page.locator(".graphiql-doc-explorer");
  await docs.getByText("Mutation", { exact: true }).waitFor();
  await docs.getByText("Query", { exact: true }).click();
  await docs.getByText("redemptionStats", { exact: true }).waitFor();
  await screenshot("documentation");
});

await check("the query builder shows the schema's fields", async () => {
  await panel("Query builder").click();
  await page.locator(".docExplorerWrap").getByText("couponByCode", { exact: true }).waitFor();
  await screenshot("query-builder");
});

await check("the history remembers the query", async () => {
  await panel("History").click();
  await page.locator(".graphiql-history-item", { hasText: "Coupons" }).first().waitFor();
});

await check("a header is sent and not stored", async () => {
  await page.getByRole("button", { name: "Headers" }).click();
  await page
    .locator(".graphiql-editor-tool .graphiql-editor:not(.hidden) .CodeMirror")
    .evaluate((element) => element.CodeMirror.setValue('{"X-Check": "secret-of-this-check"}'));
  await setQuery("query Header { __typename }");
  const request = page.waitForRequest((sent) => sent.postDataJSON()?.operationName === "Header");
  await page.locator(".graphiql-execute-button").click();
  assert((await request).headers()["x-check"] === "secret-of-this-check", "the request lacks the header");
  await page.waitForFunction(() => localStorage.getItem("couponql:graphiql:queries")?.includes("query Header"));
  const stored = await page.evaluate(() => JSON.stringify({ ...localStorage }));
  assert(!stored.includes("secret-of-this-check"), "the header is stored");
});

await check("an example that was changed opens anew", async () => {
  await setQuery("query Mine { __typename }");
  await panel("Examples").click();
  await page.locator(".examples button", { hasText: "Coupons" }).first().click();
  await tab("Coupons").waitFor();
  await screenshot("examples");
  assert((await tab("Mine").count()) === 1, "the changed tab is gone");
  const text = await queryEditor.evaluate((element) => element.CodeMirror.getValue());
  assert(text.includes("query Coupons"), `the editor holds ${text}`);
});

await check("a subscription is answered", async () => {
  await tab("Progress").click();
  // GraphiQL learns the new tab's operation a moment after it shows it.
  await page.waitForFunction(
    () => document.querySelector(".graphiql-query-editor .CodeMirror").CodeMirror.operationName === "Progress",
  );
  const request = page.waitForRequest((sent) => sent.headers().accept === "text/event-stream");
  await page.locator(".graphiql-execute-button").click();
  await request;
  const { data, errors } = await answer(page);
  await screenshot("subscription");
  assert(data?.deliveryProgress || errors?.length > 0, "the answer has neither data nor errors");
});

await check("a new visit finds the tabs again", async () => {
  const before = await page.locator(".graphiql-tab-button").allTextContents();
  // GraphiQL stores its tabs half a second after a change.
  await page.waitForFunction((titles) => {
    const { tabs } = JSON.parse(localStorage.getItem("couponql:graphiql:tabState"));
    return tabs.map(({ title }) => title).join() === titles;
  }, before.join());
  await page.reload();
  await page.locator(".graphiql-tab-button").first().waitFor();
  const after = await page.locator(".graphiql-tab-button").allTextContents();
  assert(after.join() === before.join(), `tabs are ${after}, want ${before}`);
});

const dark = await openPage("dark");
await check("the page follows a dark system", async () => {
  const lightness = await dark.page.evaluate(() => {
    const colour = getComputedStyle(document.querySelector(".graphiql-container")).backgroundColor;
    return Math.max(...colour.match(/\d+/g).slice(0, 3).map(Number));
  });
  await dark.page.screenshot({ path: join(folder, "dark.png") });
  assert(lightness < 100, `the brightest part of the background is ${lightness} of 255`);
});

await check("no request leaves the server", () => {
  const urls = [...foreign, ...dark.foreign];
  assert(urls.length === 0, urls.join("\n"));
});

await check("the browser has no complaint", () => {
  const texts = [...complaints, ...dark.complaints];
  assert(texts.length === 0, texts.join("\n"));
});

await browser.close();
console.log(`${passed} passed, ${failed} failed`);
process.exit(failed === 0 ? 0 : 1);
