// Takes pictures of the console of a running couponql server with demo data, one light and one dark: a coupon with its pool.
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

const browser = await chromium.launch({
  executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium",
  args: ["--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking"],
});
for (const colorScheme of ["light", "dark"]) {
  const page = await browser.newPage({ colorScheme, viewport: { width: 1280, height: 800 }, reducedMotion: "reduce" });
  await page.goto(`${address}/console/coupons`);
  await page.getByRole("link", { name: "A present for your sport", exact: true }).click();
  await page.locator(".table tbody tr").first().waitFor();
  await page.locator(".chart canvas").waitFor();
  await page.waitForTimeout(1000); // The script that draws is fetched.
  await page.screenshot({ path: join(folder, `console-${colorScheme}.png`) });
}
await browser.close();
