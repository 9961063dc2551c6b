import { useEffect } from "preact/hooks";
import { useRights } from "../api/caller";
import { OverviewDocument, type OverviewQuery } from "../api/operations.generated";
import { useAnswer } from "../api/use";
import { number, rate, share, span, instant } from "../part/format";
import { Card, Empty, Failure, Heading, Loading, Progress, Status, words } from "../part/parts";
import { Table } from "../part/table";
import { text } from "../text";

const t = text.overview;
const refreshMilliseconds = 5_000;
type Alert = OverviewQuery["alerts"]["nodes"][number];

/** Where an alert is acted on. */
function place({ import: file, delivery, coupon }: Alert): { href: string; label: string } | null {
  if (file) return { href: `/console/imports/${file.id}`, label: file.fileName };
  if (delivery) return { href: `/console/deliveries/${delivery.id}`, label: delivery.label };
  if (coupon) return { href: `/console/coupons/${coupon.id}`, label: coupon.label };
  return null;
}

export function Overview() {
  const { mayChange } = useRights();
  const { data, error, again } = useAnswer(OverviewDocument, {});
  useEffect(() => {
    const timer = setInterval(() => document.visibilityState === "visible" && again(), refreshMilliseconds);
    return () => clearInterval(timer);
  }, [again]);
  if (error && !data) return <Failure error={error} />;
  if (!data) return <Loading />;
  const { alerts, running, imports, exports, last } = data;
  const jobs = [
    ...imports.nodes.map((it) => ({ href: `/console/imports/${it.id}`, label: it.fileName, progress: it.progress, what: t.import })),
    ...exports.nodes.map((it) => ({ href: "/console/exports", label: words(it.kind), progress: it.progress, what: t.export })),
  ];
  return (
    <>
      <Heading title={t.title}>
        {mayChange && (
          <>
            <a class="button" href="/console/imports/new">
              {text.imports.new}
            </a>
            <a class="button primary" href="/console/deliveries/new">
              {text.deliveries.new}
            </a>
          </>
        )}
      </Heading>
      <div class="columns two">
        <Card title={alerts.totalCount > 0 ? t.alertsCount(number(alerts.totalCount)) : t.alerts}>
          {alerts.nodes.length === 0 ? (
            <p class="quiet">{t.noAlerts}</p>
          ) : (
            <ul class="alerts">
              {alerts.nodes.map((alert) => {
                const where = place(alert);
                return (
                  <li key={`${alert.kind} ${where?.href} ${alert.at}`}>
                    <span class={`status ${alert.kind.includes("FAILED") || alert.kind.includes("STOPPED") ? "bad" : "warn"}`}>{words(alert.kind)}</span>
                    <p>{alert.text}</p>
                    {where && <a href={where.href}>{where.label}</a>}
                  </li>
                );
              })}
            </ul>
          )}
        </Card>
        <Card title={t.running}>
          {running.nodes.length === 0 && jobs.length === 0 && <p class="quiet">{t.noRunning}</p>}
          {running.nodes.map((it) => (
            <div key={it.id} class="job">
              <div class="job-head">
                <a href={`/console/deliveries/${it.id}`}>{it.label}</a> <Status value={it.status} />
              </div>
              {it.status === "SCHEDULED" ? (
                <p class="quiet">{text.deliveries.startsAt(instant(it.contactAt))}</p>
              ) : (
                <Progress
                  value={it.counts.total > 0 ? (it.counts.total - it.counts.pending) / it.counts.total : 0}
                  label={`${text.deliveries.progress(number(it.counts.total - it.counts.pending), number(it.counts.total))}${
                    it.messagesPerSecond == null ? "" : ` · ${text.deliveries.speed(rate(it.messagesPerSecond), it.secondsLeft == null ? "" : span(it.secondsLeft))}`
                  }`}
                />
              )}
            </div>
          ))}
          {jobs.map(({ href, label, progress, what }) => (
            <div key={href} class="job">
              <a href={href}>{label}</a>
              <Progress value={progress} label={what} />
            </div>
          ))}
        </Card>
      </div>
      <Card title={t.last}>
        {last.nodes.length === 0 ? (
          <Empty title={t.noLast}>
            <p>{t.noLastHint}</p>
            {mayChange && (
              <a class="button" href="/console/coupons">
                {text.nav.coupons}
              </a>
            )}
          </Empty>
        ) : (
          <Table
            caption={t.last}
            columns={[
              { name: text.deliveries.label, cell: (it) => <a href={`/console/deliveries/${it.id}/results`}>{it.label}</a>, isMain: true },
              { name: text.deliveries.channel, cell: (it) => words(it.channel) },
              { name: text.deliveries.finishedAt, cell: (it) => instant(it.finishedAt) },
              { name: text.deliveries.sent, cell: (it) => number(it.stats.sent), isNumber: true },
              { name: text.deliveries.redeemed, cell: (it) => number(it.stats.redeemed), isNumber: true },
              { name: text.deliveries.rate, cell: (it) => share(it.stats.redemptionRate), isNumber: true },
            ]}
            rows={last.nodes}
            rowKey={(it) => String(it.id)}
          />
        )}
      </Card>
    </>
  );
}
