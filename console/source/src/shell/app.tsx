// The frame of every page: who asks, where to go, and what is there.
import type { ComponentType } from "preact";
import { ErrorBoundary, LocationProvider, Route, Router, useLocation } from "preact-iso";
import { useEffect, useState } from "preact/hooks";
import { CallerDocument, ServerDocument } from "../api/operations.generated";
import { CallerContext, useRights, type Caller } from "../api/caller";
import { Refusal, ask, forgetRequests, isAway, isLocked, key } from "../api/client";
import { ApiKeys } from "../access/keys";
import { AuditLog } from "../access/audit";
import { CouponPage } from "../coupons/coupon";
import { Coupons } from "../coupons/list";
import { DeliveryPage } from "../deliveries/delivery";
import { Deliveries } from "../deliveries/list";
import { NewDelivery } from "../deliveries/new";
import { Exports } from "../files/exports";
import { ImportPage } from "../files/import";
import { Imports } from "../files/imports";
import { NewImport } from "../files/new";
import { Overview } from "../overview/overview";
import { Empty, Heading, Loading } from "../part/parts";
import { Redeeming } from "../redeeming/redeem";
import { Reporting } from "../redeeming/report";
import { text } from "../text";
import { KeyForm, KeyPanel } from "./key";
import { Requests } from "./requests";

export function App() {
  return (
    <LocationProvider scope="/console">
      <Frame />
    </LocationProvider>
  );
}

type Asked = { known?: { caller: Caller; timezone: string }; error?: Error };

/** Asks who the caller is, and with which zone the server counts days. */
function useCaller(): Asked {
  const [answer, setAnswer] = useState<Asked & { of: string }>();
  useEffect(() => {
    const controller = new AbortController();
    const of = key.value;
    const local = Intl.DateTimeFormat().resolvedOptions().timeZone;
    ask(CallerDocument, {}, controller.signal)
      .then(async ({ caller }) => {
        const reads = caller.role === "ADMIN" || caller.role === "MARKETER" || caller.role === "ANALYST";
        const timezone = reads ? (await ask(ServerDocument, {}, controller.signal)).server.timezone : local;
        if (controller.signal.aborted) return;
        isLocked.value = false;
        forgetRequests();
        setAnswer({ of, known: { caller, timezone } });
      })
      .catch((error: Error) => !controller.signal.aborted && setAnswer({ of, error }));
    return () => controller.abort();
  }, [key.value]);
  // What was answered to another key says nothing of this one.
  return answer?.of === key.value ? answer : {};
}

function Frame() {
  const answer: Asked = useCaller();
  const { known, error } = answer;
  if (isLocked.value || error instanceof Refusal) {
    return (
      <main class="gate">
        <h1>couponql</h1>
        <KeyForm refusal={key.value ? text.key.refused : (error?.message ?? text.key.wanted)} isWanted />
      </main>
    );
  }
  if (!known) {
    return (
      <main class="gate">
        <h1>couponql</h1>
        {isAway.value ? <p role="status">{text.away}</p> : <Loading />}
      </main>
    );
  }
  return (
    <CallerContext.Provider value={known}>
      <Pages />
    </CallerContext.Provider>
  );
}

function Pages() {
  const { path } = useLocation();
  const rights = useRights();
  const [isMenuOpen, setIsMenuOpen] = useState(false);
  useEffect(() => {
    setIsMenuOpen(false);
    scrollTo(0, 0);
  }, [path]);
  const links: [string, string, boolean][] = [
    ["/console", text.nav.overview, rights.mayRead],
    ["/console/coupons", text.nav.coupons, rights.mayRead],
    ["/console/deliveries", text.nav.deliveries, rights.mayRead],
    ["/console/imports", text.nav.imports, rights.mayRead],
    ["/console/exports", text.nav.exports, rights.mayRead],
    ["/console/redeem", text.nav.redeem, rights.mayRedeem],
    ["/console/report", text.nav.report, rights.mayReport],
    ["/console/keys", text.nav.keys, rights.isAdmin],
    ["/console/audit", text.nav.audit, rights.isAdmin],
  ];
  const here = path.replace(/\/$/, "") || "/console";
  const isHere = (href: string) => (href === "/console" ? here === href : here === href || here.startsWith(`${href}/`));
  const home = rights.mayRead ? Overview : rights.mayRedeem ? Redeeming : Reporting;
  const routes: [string, ComponentType<any>, boolean][] = [
    ["/console", home, true],
    ["/console/coupons", Coupons, rights.mayRead],
    ["/console/coupons/:id", CouponPage, rights.mayRead],
    ["/console/deliveries", Deliveries, rights.mayRead],
    ["/console/deliveries/new", NewDelivery, rights.mayChange],
    ["/console/deliveries/:id/:step?", DeliveryPage, rights.mayRead],
    ["/console/imports", Imports, rights.mayRead],
    ["/console/imports/new", NewImport, rights.mayChange],
    ["/console/imports/:id", ImportPage, rights.mayRead],
    ["/console/exports", Exports, rights.mayRead],
    ["/console/redeem", Redeeming, rights.mayRedeem],
    ["/console/report", Reporting, rights.mayReport],
    ["/console/keys", ApiKeys, rights.isAdmin],
    ["/console/audit", AuditLog, rights.isAdmin],
  ];
  return (
    <>
      <a class="skip" href="#main">
        {text.skip}
      </a>
      <header class="top">
        <a class="brand" href="/console">
          couponql
        </a>
        <button
          type="button"
          class="menu-button"
          aria-expanded={isMenuOpen}
          aria-controls="menu"
          onClick={() => setIsMenuOpen(!isMenuOpen)}
        >
          {text.menu}
        </button>
        <nav id="menu" aria-label={text.nav.label} class={isMenuOpen ? "open" : ""}>
          {links
            .filter(([, , isOffered]) => isOffered)
            .map(([href, label]) => (
              <a key={href} href={href} aria-current={isHere(href) ? "page" : undefined}>
                {label}
              </a>
            ))}
        </nav>
        <KeyPanel />
      </header>
      {isAway.value && (
        <p class="away" role="status">
          {text.away}
        </p>
      )}
      <main id="main" tabIndex={-1}>
        <ErrorBoundary>
          <Router onRouteChange={forgetRequests}>
            {routes
              .filter(([, , isOffered]) => isOffered)
              .map(([route, component]) => (
                <Route key={route} path={route} component={component} />
              ))}
            <Route default component={NotHere} />
          </Router>
        </ErrorBoundary>
      </main>
      <footer class="foot">
        <Requests />
        <a href="/">{text.playground}</a>
      </footer>
    </>
  );
}

function NotHere() {
  return (
    <>
      <Heading title={text.notHere.title} />
      <Empty title={text.notHere.text}>
        <a class="button" href="/console">
          {text.nav.overview}
        </a>
      </Empty>
    </>
  );
}
