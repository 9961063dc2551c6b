// Opens the console of a running couponql server in a real browser and works there as a marketer does:
// from an empty server to a delivery with redemptions, without a line of GraphQL.
//
//   npm ci && node check.mjs PROGRAM [folder for screenshots]
import { spawn } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { chromium } from "playwright-core";

const [program, folder = "screenshots"] = process.argv.slice(2);
if (!program) {
  console.error("usage: node check.mjs PROGRAM [folder for screenshots]");
  process.exit(2);
}
mkdirSync(folder, { recursive: true });
const axeSource = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
const work = mkdtempSync(join(tmpdir(), "couponql-console-"));
const timeout = 20_000;
const startSeconds = 30;

let listen = "127.0.0.1:0";
let server;

// start runs the server until stop, the second time at the address that it had before.
async function start() {
  const data = join(work, "couponql.duckdb");
  server = spawn(program, ["serve", "--listen", listen, "--data", data, "--outbox", `${data}.outbox`, "--timezone", "Europe/Berlin"], {
    stdio: ["ignore", "ignore", "pipe"],
  });
  let log = "";
  await new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error(`the server did not start:\n${log}`)), startSeconds * 1000);
    server.stderr.on("data", (part) => {
      log += part;
      const found = log.match(/listening on http:\/\/([^\s"/]+)/);
      if (!found) return;
      listen = found[1];
      clearTimeout(timer);
      resolve();
    });
    server.on("exit", () => reject(new Error(`the server ended:\n${log}`)));
  });
}

const stop = () =>
  new Promise((resolve) => {
    server.removeAllListeners("exit");
    server.on("exit", resolve);
    server.kill("SIGTERM");
  });

await start();
const origin = `http://${listen}`;
const browser = await chromium.launch({
  executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium",
  timeout: 2 * timeout,
  args: ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-sync"],
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
    await page.screenshot({ path: join(folder, `failed-${failed}.png`), fullPage: true }).catch(() => {});
  }
}

function assert(condition, message) {
  if (!condition) throw new Error(message);
}

const foreign = [];
const complaints = [];
let isExpected = false;

async function openPage(options = {}, key = "") {
  const context = await browser.newContext({ viewport: { width: 1440, height: 900 }, locale: "en-GB", ...options });
  context.setDefaultTimeout(timeout);
  if (key) await context.addInitScript((it) => window === top && sessionStorage.setItem("couponql:key", it), key);
  const opened = await context.newPage();
  opened.on("request", (request) => {
    const url = new URL(request.url());
    if (url.origin !== origin && !["data:", "about:", "blob:"].includes(url.protocol)) foreign.push(request.url());
  });
  opened.on("response", (response) => response.status() >= 400 && !isExpected && complaints.push(`${response.status()} ${response.url()}`));
  opened.on("console", (message) => message.type() === "error" && !isExpected && complaints.push(message.text()));
  opened.on("pageerror", (error) => complaints.push(error.message));
  return opened;
}

const page = await openPage();
const go = (path, on = page) => on.goto(origin + path);
const button = (name, on = page) => on.getByRole("button", { name, exact: true });
const link = (name, on = page) => on.getByRole("link", { name, exact: true });
const field = (name, on = page) => on.getByLabel(name, { exact: true });
const shows = (text, on = page) => on.getByText(text).first().waitFor();

// file gives one to be chosen.
const file = (name, text) => ({ name, mimeType: "text/csv", buffer: Buffer.from(text) });

// importFile chooses a file, looks at the dry run, and imports it.
async function importFile(chosen, rows) {
  await page.locator('input[type="file"]').setInputFiles(chosen);
  await shows("Nothing has changed yet.");
  await button(rows === 1 ? "Import 1 row" : `Import ${rows} rows`).click();
  await shows("What happened");
  await page.locator(".facts").getByText("Done", { exact: true }).waitFor();
}

let couponAddress;
let deliveryAddress;

await check("an empty server says where to begin", async () => {
  await go("/console");
  await shows("Nothing was sent yet");
  await link("Coupons", page.locator("main")).click();
  await shows("No coupons yet");
});

await check("a coupon with one code for all is made", async () => {
  await button("New coupon").first().click();
  await field("Label").fill("Opening");
  await field("Type", page.locator("dialog")).selectOption("ANONYMOUS");
  await field("Coupon code").fill("OPENING10");
  await button("Create coupon").click();
  await page.getByRole("heading", { name: "Opening" }).waitFor();
});

await check("a coupon with a code for each is made, and edited", async () => {
  await go("/console/coupons");
  await button("New coupon").click();
  await field("Label").fill("Winter");
  await field("End").fill("2027-03-31");
  await button("Create coupon").click();
  await page.getByRole("heading", { name: "Winter" }).waitFor();
  couponAddress = new URL(page.url()).pathname;
  await button("Edit").click();
  await field("Label").fill("Winter sale");
  await field("Warn below").fill("2");
  await button("Save").click();
  await page.getByRole("heading", { name: "Winter sale" }).waitFor();
  await shows("31 Mar 2027");
});

await check("codes come from a file, tried first", async () => {
  await link("Import").first().click();
  await importFile(file("codes.csv", "code\nWINTER-AAAA\nWINTER-BBBB\nWINTER-AAAA\n"), 2);
  await shows("Rejected rows");
  await shows("WINTER-AAAA");
  const [download] = await Promise.all([page.waitForEvent("download"), button("Download them").click()]);
  const text = readFileSync(await download.path(), "utf8");
  assert(text.includes("WINTER-AAAA"), `the rejected rows are ${text}`);
  await go(couponAddress);
  await shows("of 2 codes available");
});

await check("an import is undone, and done again", async () => {
  await button("Imports").click();
  await link("codes.csv").first().click();
  await button("Undo").click();
  await button("Undo", page.locator("dialog")).click();
  await shows("Undone: 2 removed");
  await go(`/console/imports/new?kind=CODES&coupon=${couponAddress.split("/").at(-1)}`);
  await importFile(file("codes-2.csv", "code\nWINTER-AAAA\nWINTER-BBBB\n"), 2);
});

await check("recipients come from a file", async () => {
  await go("/console/imports/new?kind=RECIPIENTS");
  const rows = ["id,email,first name,sport", "1,ada@example.com,Ada,golf", "2,ben@example.com,Ben,tennis", "3,cleo@example.com,Cleo,golf", "4,,Dan,golf"];
  await importFile(file("people.csv", `${rows.join("\n")}\n`), 4);
});

await check("a delivery is begun, and its recipients chosen", async () => {
  await go(couponAddress);
  await link("New delivery").click();
  await field("Label").fill("Winter mail");
  await page.getByLabel("Coupon", { exact: true }).locator("option", { hasText: "Winter sale (2 codes left)" }).waitFor({ state: "attached" });
  await button("Create delivery").click();
  await page.getByRole("heading", { name: "Winter mail" }).waitFor();
  deliveryAddress = new URL(page.url()).pathname.replace("/audience", "");
  await button("Add everyone (4)").click();
  await page.locator(".large", { hasText: /^4/ }).waitFor();
});

await check("the content is written with tokens, and previewed for a recipient", async () => {
  await button("Go to Content").click();
  await field("Text").fill("<p>Hello {{ recipient.firstName }}, your code is <b>");
  await button("couponValue.code").click();
  await field("Text").press("End");
  await page.keyboard.type("</b></p>");
  await button("Save").click();
  await field("As").selectOption({ label: "Cleo" });
  await page.frameLocator("iframe").getByText("Hello Cleo").waitFor();
  const code = await page.frameLocator("iframe").locator("b").textContent();
  assert(/^WINTER-(AAAA|BBBB)$/.test(code), `the preview shows the code ${code}`);
});

await check("somebody else's change is not overwritten unseen", async () => {
  const other = await openPage();
  await go(`${deliveryAddress}/settings`, other);
  await go(`${deliveryAddress}/settings`);
  await field("Label").waitFor();
  await field("Label", other).fill("Winter mail of Bea");
  await button("Save and go to Recipients", other).click();
  await other.getByRole("heading", { name: "Winter mail of Bea" }).waitFor();
  await other.context().close();
  await field("Label").fill("Winter mail of Al");
  await button("Save and go to Recipients").click();
  await shows("Somebody else changed this delivery");
  await button("Keep mine").click();
  await page.getByRole("heading", { name: "Winter mail of Al" }).waitFor();
});

await check("too few codes: the analysis names remedies, and limiting helps", async () => {
  await go(`${deliveryAddress}/check`);
  await button("Analyze").click();
  await shows("A code is missing. Choose a remedy below.");
  await shows("No address");
  await page.locator(".choices button").click();
  await shows("4");
  await page.screenshot({ path: join(folder, "console-short.png"), fullPage: true });
  await button("Limit to 2").click();
  await shows("Messages to send: 2.");
});

await check("too few codes: splitting helps", async () => {
  await go(`${deliveryAddress}/settings`);
  await field("Limit to").fill("");
  await button("Save and go to Recipients").click();
  await shows("To whom");
  await go(`${deliveryAddress}/check`);
  await button("Analyze again").click();
  await button("Split").click();
  await button("Split the delivery", page.locator("dialog")).click();
  await link("Winter mail of Al, part 1").click();
  await page.getByRole("heading", { name: "Winter mail of Al, part 1" }).waitFor();
});

await check("too few codes: releasing what another delivery holds helps", async () => {
  await button("Analyze").or(button("Analyze again")).click();
  await shows("Messages to send: ");
  // Splitting has moved the recipients.
  await go(`${deliveryAddress}/audience`);
  await button("Add everyone (4)").click();
  await page.locator(".large", { hasText: /^4/ }).waitFor();
  await go(`${deliveryAddress}/check`);
  await button("Analyze again").click();
  await page.getByRole("button", { name: /^Release/ }).click();
  await page.getByRole("button", { name: /^Release/ }).waitFor({ state: "detached" });
});

await check("too few codes: generating more helps", async () => {
  await button("Generate 1").click();
  await button("Generate", page.locator("dialog")).click();
  await shows("One code more is in the pool.");
  await page.locator("dialog .primary").click();
  await shows("Messages to send: 3.");
});

await check("the delivery is sent", async () => {
  await button("Send 3 messages now").click();
  await shows("3 of 3 messages processed");
  await page.locator(".heading .status", { hasText: "Finished" }).waitFor();
  await shows("WINTER-AAAA");
});

await check("a slow delivery is paused, resumed and stopped", async () => {
  await go("/console/deliveries/new");
  await field("Label").fill("Slow");
  await button("Create delivery").click();
  await button("Add everyone (4)").click();
  await page.locator(".large", { hasText: /^4/ }).waitFor();
  await link("1 Settings").click();
  await field("Messages a second").fill("0.2");
  await button("Save and go to Recipients").click();
  await shows("To whom");
  await link("4 Check and send").click();
  await button("Analyze").click();
  await button("Send 3 messages now").click();
  await button("Pause").click();
  await page.locator(".heading .status", { hasText: "Paused" }).waitFor();
  await button("Resume").click();
  await page.locator(".heading .status", { hasText: "In progress" }).waitFor();
  await button("Stop").click();
  await button("Stop", page.locator("dialog")).click();
  await page.locator(".heading .status", { hasText: "Stopped" }).waitFor();
});

await check("the server goes away and comes back", async () => {
  await go("/console/coupons");
  await link("Winter sale").waitFor();
  isExpected = true;
  await stop();
  await link("Deliveries").first().click();
  await shows("The server does not answer.");
  await start();
  await link("Winter mail of Al").waitFor();
  await page.locator(".away").waitFor({ state: "detached" });
  isExpected = false;
});

await check("redemptions come from a file", async () => {
  await go("/console/imports/new?kind=REDEMPTIONS");
  const now = new Date().toISOString();
  await importFile(file("redeemed.csv", `code,redeemed on\nWINTER-AAAA,${now}\n`), 1);
  await go(`${deliveryAddress}/results`);
  await page.locator(".numbers div", { hasText: "Redeemed" }).getByText("1", { exact: true }).waitFor();
  await page.locator(".chart canvas").first().waitFor();
});

await check("the list of codes tells who redeemed what, and a code its history", async () => {
  await go(`${couponAddress}?tab=codes`);
  await field("Code begins with").fill("WINTER-AAAA");
  const row = page.locator(".table tbody tr", { hasText: "WINTER-AAAA" });
  await row.getByText("Redeemed", { exact: true }).waitFor();
  await page.locator(".table tbody tr").nth(1).waitFor({ state: "detached" });
  assert(/@example\.com/.test(await row.innerText()), `no address in ${await row.innerText()}`);
  await button("WINTER-AAAA").click();
  await page.locator(".events").getByText("Assigned", { exact: true }).waitFor();
  await page.locator(".events").getByText("Redeemed", { exact: true }).waitFor();
  await page.keyboard.press("Escape");
});

await check("codes are exported and downloaded", async () => {
  await button("Export").click();
  await button("Export", page.locator("dialog")).click();
  await shows("The file is ready: 3 rows");
  const [download] = await Promise.all([page.waitForEvent("download"), link("Download").click()]);
  const text = readFileSync(await download.path(), "utf8");
  assert(text.includes("WINTER-BBBB"), `the file has ${text}`);
  await page.keyboard.press("Escape");
});

await check("a code is redeemed by hand, and that is taken back", async () => {
  await go("/console/redeem");
  await field("Code").fill("winter-bbbb");
  await button("Check").click();
  await shows("This code can be redeemed.");
  await button("Redeem").click();
  await page.locator(".notice.good").waitFor();
  await button("Take it back").click();
  await shows("The redemption was taken back.");
});

await check("a coupon is archived, and is apart", async () => {
  await go("/console/coupons");
  await link("Opening").click();
  await button("Archive").click();
  await button("Archive", page.locator("dialog")).click();
  await page.locator(".facts").getByText("Archived").waitFor();
  await go("/console/coupons");
  await link("Winter sale").waitFor();
  assert((await link("Opening").count()) === 0, "an archived coupon is among the others");
  await button("Archived").click();
  await link("Opening").waitFor();
});

await check("the request is shown, and opens in the playground", async () => {
  await go("/console/coupons");
  await link("Winter sale").waitFor();
  await button("Show the request").click();
  await page.locator("dialog").getByText("query Coupons").waitFor();
  await link("Open in the playground").first().click();
  await page.locator(".graphiql-query-editor .CodeMirror").waitFor();
  await page.locator(".graphiql-tab-button", { hasText: "Coupons" }).first().waitFor();
});

const pages = {
  overview: "/console",
  coupons: "/console/coupons",
  coupon: couponAddress,
  deliveries: "/console/deliveries",
  settings: `${deliveryAddress}/settings`,
  progress: `${deliveryAddress}/progress`,
  results: `${deliveryAddress}/results`,
  checked: `${deliveryAddress}/check`,
  content: `${deliveryAddress}/content`,
  imports: "/console/imports",
  import: "/console/imports/import_1",
  drop: "/console/imports/new",
  exports: "/console/exports",
  redeem: "/console/redeem",
  keys: "/console/keys",
  audit: "/console/audit",
};
for (const colorScheme of ["light", "dark"]) {
  for (const width of [390, 800, 1440]) {
    await check(`every page is whole and accessible at ${width} px, ${colorScheme}`, async () => {
      const other = await openPage({ colorScheme, viewport: { width, height: 900 }, reducedMotion: "reduce" });
      const found = [];
      for (const [name, path] of Object.entries(pages)) {
        await go(path, other);
        await other.locator("h1").waitFor();
        await other.getByText("Loading…").waitFor({ state: "detached" });
        await other.waitForLoadState("networkidle");
        const beyond = await other.evaluate(() => document.documentElement.scrollWidth - innerWidth);
        if (beyond > 0) found.push(`${name} is ${beyond} px too wide`);
        await other.evaluate(axeSource);
        const { violations } = await other.evaluate(() => axe.run());
        for (const { id, impact, nodes } of violations) {
          if (["serious", "critical"].includes(impact)) found.push(`${name}: ${id} at ${nodes.map(({ target }) => target).join(", ")}`);
        }
        await other.screenshot({ path: join(folder, `console-${name}-${width}-${colorScheme}.png`), fullPage: true });
      }
      await other.context().close();
      assert(found.length === 0, found.join("\n"));
    });
  }
}

await check("the first list is there within a second", async () => {
  const other = await openPage();
  const begin = performance.now();
  await go("/console/coupons", other);
  await link("Winter sale", other).waitFor();
  const milliseconds = performance.now() - begin;
  console.log(`      ${Math.round(milliseconds)} ms on the clock`);
  const work = await other.evaluate(() => performance.getEntriesByType("navigation")[0].domContentLoadedEventEnd);
  assert(work < 5_000, `the page was ready after ${work} ms`);
  await other.context().close();
});

await check("each role sees what it may do, and nothing that would be refused", async () => {
  const keys = {};
  await go("/console/keys");
  const make = async (label, role) => {
    await button("New key").click();
    await field("Label").fill(label);
    await field("Role").selectOption(role);
    await button("Create key").click();
    keys[role] = await page.locator("dialog pre").textContent();
    await page.locator("dialog .primary").click();
  };
  await make("Al", "ADMIN");
  await page.locator(".table").getByText("Al", { exact: true }).waitFor();
  isExpected = true;
  const locked = await openPage();
  await go("/console/keys", locked);
  await field("Key", locked).fill("cq_wrong");
  await button("Use this key", locked).click();
  await shows("The server did not accept this key.", locked);
  await field("Key", locked).fill(keys.ADMIN);
  await button("Use this key", locked).click();
  await button("New key", locked).waitFor();
  await locked.context().close();
  isExpected = false;
  for (const role of ["MARKETER", "ANALYST", "REDEEMER", "REPORTER"]) await make(role, role);
  const wanted = {
    ADMIN: "Overview Coupons Deliveries Imports Exports Redeem Report Keys Audit log",
    MARKETER: "Overview Coupons Deliveries Imports Exports Redeem Report",
    ANALYST: "Overview Coupons Deliveries Imports Exports",
    REDEEMER: "Redeem",
    REPORTER: "Report",
  };
  const pathOf = { Overview: "", "Audit log": "/audit" };
  for (const [role, names] of Object.entries(wanted)) {
    const other = await openPage({}, keys[role]);
    await go("/console", other);
    await other.locator("main h1").waitFor();
    const got = (await other.locator("#menu a").allTextContents()).join(" ");
    assert(got === names, `${role} is offered ${got}, want ${names}`);
    const complaintsBefore = complaints.length;
    for (const name of await other.locator("#menu a").allTextContents()) {
      await go(`/console${pathOf[name] ?? `/${name.toLowerCase()}`}`, other);
      await other.locator("main h1").waitFor();
      await other.waitForLoadState("networkidle");
      assert((await other.locator(".notice.bad").count()) === 0, `${role} is refused on ${name}`);
    }
    if (names.includes("Coupons")) {
      for (const path of [`${couponAddress}`, ...["settings", "audience", "content", "check", "progress", "results"].map((step) => `${deliveryAddress}/${step}`), "/console/imports/import_1"]) {
        await go(path, other);
        await other.locator("main h1").waitFor();
        await other.waitForLoadState("networkidle");
        assert((await other.locator(".notice.bad").count()) === 0, `${role} is refused on ${path}`);
      }
    }
    if (role === "ANALYST") {
      await go(couponAddress, other);
      await other.getByText("•••").first().waitFor();
      assert((await button("Edit", other).count()) === 0, "an analyst is offered to edit");
    }
    assert(complaints.length === complaintsBefore, `${role}: ${complaints.slice(complaintsBefore).join("\n")}`);
    await other.screenshot({ path: join(folder, `console-role-${role.toLowerCase()}.png`), fullPage: true });
    await other.context().close();
  }
  await go("/console/audit");
  await field("Action, such as createCoupon").fill("createApiKey");
  await page.locator(".table tbody tr", { hasText: "createApiKey" }).first().waitFor();
});

await check("a file of a million codes is sent, tried and imported", async () => {
  const path = join(work, "million.csv");
  const rows = Array.from({ length: 1_000_000 }, (_, i) => `M${String(i * 7_919 + 1_000_003).padStart(11, "0")}`);
  writeFileSync(path, `code\n${rows.join("\n")}\n`);
  await go(`/console/imports/new?kind=CODES&coupon=${couponAddress.split("/").at(-1)}`);
  page.setDefaultTimeout(180_000);
  await importFile(path, "1,000,000");
  await go(couponAddress);
  await shows("of 1,000,003 codes available");
  page.setDefaultTimeout(timeout);
});

await check("nothing was taken from elsewhere, and nothing was refused", async () => {
  assert(foreign.length === 0, `requests to ${foreign}`);
  assert(complaints.length === 0, complaints.join("\n"));
});

await browser.close();
await stop();
rmSync(work, { recursive: true, force: true });
console.log(`${passed} passed, ${failed} failed`);
process.exit(failed ? 1 : 0);
