// Takes pictures of the playground of a running couponql server with demo data, one light and one dark: redemptions by day and
// coupon, as a chart.
//
//   npm ci && node picture.mjs http://127.0.0.1:8080 FOLDER
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { chromium } from "playwright-core";

const [address, folder] = process.argv.slice(2);
if (!folder) {
  console.error("usage: node picture.mjs URL FOLDER");
  process.exit(2);
}
mkdirSync(folder, { recursive: true });

const query = `# When were codes of which coupon redeemed?
query Redemptions {
  redemptionStats(
    groupBy: [DAY, COUPON]
    timezone: "Europe/Berlin"
    fillPeriods: true
  ) {
    keys
    coupon { label }
    stats { redeemed amount }
  }
}
`;

const browser = await chromium.launch({
  executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium",
  args: ["--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking"],
});
for (const colorScheme of ["light", "dark"]) {
  const page = await browser.newPage({ colorScheme, viewport: { width: 1280, height: 680 }, reducedMotion: "reduce" });
  await page.goto(address);
  await page.locator(".graphiql-tab-button", { hasText: /^Redemptions$/ }).click();
  await page
    .locator(".graphiql-query-editor .CodeMirror")
    .evaluate((element, text) => element.CodeMirror.setValue(text), query);
  await page.waitForTimeout(1000); // GraphiQL learns the operation a moment after it shows it.
  await page.locator(".graphiql-execute-button").click();
  await page.waitForFunction(() =>
    document.querySelector(".graphiql-response .CodeMirror").CodeMirror.getValue().includes("redemptionStats"),
  );
  await page.getByRole("button", { name: "Chart", exact: true }).click();
  await page.waitForFunction(() => globalThis.Chart?.getChart(document.querySelector(".results-chart canvas")));
  await page.getByLabel("Split by").selectOption({ label: "label" });
  await page.waitForTimeout(1000); // The chart's own motion.
  await page.screenshot({ path: join(folder, `playground-${colorScheme}.png`) });
}
await browser.close();
