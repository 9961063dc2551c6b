import { useState } from "preact/hooks";
import { useRights } from "../api/caller";
import { change } from "../api/client";
import {
  ArchiveCouponDocument,
  CouponDeliveriesDocument,
  CouponFactsDocument,
  CouponImportsDocument,
  RedemptionsByDayDocument,
  type CouponFactsQuery,
} from "../api/operations.generated";
import { useAction, useAnswer } from "../api/use";
import { deliveryColumns } from "../deliveries/list";
import { ExportButton } from "../files/start-export";
import { importColumns } from "../files/imports";
import { useParameters } from "../part/address";
import { Chart } from "../part/chart";
import { day, firstDay, instant, lastDay, number, share } from "../part/format";
import { Bar, Card, Dialog, Empty, Facts, Failure, Heading, Loading, Numbers, Status, words } from "../part/parts";
import { Pager, Table, usePages } from "../part/table";
import { text } from "../text";
import { Codes } from "./codes";
import { CouponForm } from "./form";
import { Generate } from "./generate";

const t = text.coupons;
const chartDays = 30;

type Coupon = NonNullable<CouponFactsQuery["coupon"]>;

export function CouponPage({ id }: { id: string }) {
  const rights = useRights();
  const { data, error, again } = useAnswer(CouponFactsDocument, { id });
  const [open, setOpen] = useState<"edit" | "archive" | "generate" | null>(null);
  const [parameters, set] = useParameters<"tab">();
  const { isBusy, error: failure, run } = useAction();
  const coupon = data?.coupon;
  if (error) return <Failure error={error} />;
  if (!data) return <Loading />;
  if (!coupon) return <Empty title={t.gone} />;
  const isIndividual = coupon.type === "INDIVIDUAL";
  const isOver = coupon.status === "ARCHIVED";
  const tabs = [...(isIndividual ? ["codes"] : []), "deliveries", ...(isIndividual ? ["imports"] : [])] as (keyof typeof t.tabs)[];
  const tab = tabs.includes(parameters.tab as never) ? parameters.tab : tabs[0];
  return (
    <>
      <Heading title={coupon.label} back={{ href: "/console/coupons", label: t.title }}>
        {rights.mayChange && !isOver && (
          <>
            <button type="button" onClick={() => setOpen("edit")}>
              {t.edit}
            </button>
            <button type="button" onClick={() => setOpen("archive")}>
              {t.archive}
            </button>
            <a class="button" href={`/console/deliveries/new?coupon=${coupon.id}`}>
              {t.send}
            </a>
          </>
        )}
      </Heading>
      <div class="columns">
        <Card title={t.facts}>
          <Facts
            facts={[
              [t.status, <Status key="s" value={coupon.status} />],
              [isIndividual ? t.code : t.sharedCode, <code key="c">{coupon.code}</code>],
              [t.type, words(coupon.type)],
              [t.start, firstDay(coupon.startsAt, coupon.timezone)],
              [t.end, coupon.endsAt ? lastDay(coupon.endsAt, coupon.timezone) : t.noEnd],
              [t.timezone, coupon.timezone],
              [t.limit, coupon.redemptionLimit ? number(coupon.redemptionLimit) : t.noLimit],
            ]}
          />
        </Card>
        {isIndividual && <Pool coupon={coupon} generate={rights.mayChange && !isOver ? () => setOpen("generate") : undefined} />}
        <Redemptions coupon={coupon} />
      </div>
      <nav class="tabs" aria-label={t.parts}>
        {tabs.map((name) => (
          <button key={name} type="button" aria-pressed={tab === name} onClick={() => set({ tab: name })}>
            {t.tabs[name]}
          </button>
        ))}
        <span class="spring" />
        {tab === "codes" && <ExportButton what={{ kind: "CODES", couponId: coupon.id }} />}
      </nav>
      {tab === "codes" && <Codes coupon={coupon} generate={rights.mayChange && !isOver ? () => setOpen("generate") : undefined} />}
      {tab === "deliveries" && <Deliveries id={coupon.id} />}
      {tab === "imports" && <Imports id={coupon.id} />}
      {open === "edit" && <CouponForm coupon={coupon} close={() => setOpen(null)} saved={again} />}
      {open === "generate" && <Generate couponId={coupon.id} close={() => setOpen(null)} made={again} />}
      {open === "archive" && (
        <Dialog title={t.archiveTitle(coupon.label)} close={() => setOpen(null)}>
          <p>{t.archiveText}</p>
          <Failure error={failure} />
          <div class="actions end">
            <button type="button" onClick={() => setOpen(null)}>
              {text.cancel}
            </button>
            <button
              type="button"
              class="danger"
              disabled={isBusy}
              onClick={() =>
                run(async () => {
                  await change(ArchiveCouponDocument, { id: coupon.id });
                  setOpen(null);
                  again();
                })
              }
            >
              {t.archive}
            </button>
          </div>
        </Dialog>
      )}
    </>
  );
}

function Pool({ coupon, generate }: { coupon: Coupon; generate?: (() => void) | undefined }) {
  const { total, available, held, assigned, redeemed, expired, voided, runsOutAt, holds, isLow } = coupon.availability;
  const shown = [
    ["AVAILABLE", available, "available"],
    ["HELD", held, "held"],
    ["ASSIGNED", assigned, "assigned"],
    ["REDEEMED", redeemed, "redeemed"],
    ["EXPIRED", expired, "over"],
    ["VOIDED", voided, "over"],
  ] as const;
  return (
    <Card
      title={t.pool}
      actions={
        generate && (
          <>
            <button type="button" onClick={generate}>
              {t.generate}
            </button>
            <a class="button" href={`/console/imports/new?kind=CODES&coupon=${coupon.id}`}>
              {t.import}
            </a>
          </>
        )
      }
    >
      {total === 0 ? (
        <p class="quiet">{t.poolEmpty}</p>
      ) : (
        <>
          <p class="large">
            {number(available)} <span class="quiet">{t.availableOf(number(total))}</span>
          </p>
          {isLow && <p class="notice warn">{t.lowText}</p>}
          <Bar
            total={total}
            label={t.barLabel(number(available), number(total))}
            parts={[
              { value: redeemed, tone: "redeemed" },
              { value: assigned, tone: "assigned" },
              { value: held, tone: "held" },
              { value: expired + voided, tone: "over" },
            ]}
          />
          <ul class="legend">
            {shown
              .filter(([, count]) => count > 0)
              .map(([name, count, tone]) => (
                <li key={name}>
                  <span class={`dot ${tone}`} /> {words(name)} <b>{number(count)}</b>
                </li>
              ))}
          </ul>
          {runsOutAt && <p class="quiet">{t.runsOut(instant(runsOutAt))}</p>}
          {holds.map(({ delivery, count, endsAt }) => (
            <p key={endsAt} class="quiet">
              {t.held(number(count), instant(endsAt))}{" "}
              {delivery && <a href={`/console/deliveries/${delivery.id}`}>{delivery.label}</a>}
            </p>
          ))}
        </>
      )}
    </Card>
  );
}

function Redemptions({ coupon }: { coupon: Coupon }) {
  const [from] = useState(() => new Date(Date.now() - chartDays * 86_400_000).toISOString());
  const { data } = useAnswer(RedemptionsByDayDocument, {
    filter: { couponIds: [coupon.id], from },
    timezone: coupon.timezone,
  });
  const { sent, redeemed, redemptionRate } = coupon.stats;
  const rows = data?.redemptionStats ?? [];
  return (
    <Card title={t.redemptions}>
      <Numbers
        items={[
          [t.sent, sent],
          [t.redeemed, redeemed],
          [t.rate, share(redemptionRate)],
        ]}
      />
      {rows.some(({ stats }) => stats.redeemed > 0) ? (
        <Chart
          label={t.byDay(chartDays)}
          series={{ name: t.redeemed, labels: rows.map(({ keys }) => day(keys[0]!)), values: rows.map(({ stats }) => stats.redeemed) }}
        />
      ) : (
        data && <p class="quiet">{t.noRedemptions(chartDays)}</p>
      )}
    </Card>
  );
}

function Deliveries({ id }: { id: string }) {
  const pages = usePages(id);
  const { data, error } = useAnswer(CouponDeliveriesDocument, { id, ...pages.variables });
  const found = data?.coupon?.deliveries;
  if (error) return <Failure error={error} />;
  if (!found) return <Loading />;
  if (found.totalCount === 0) return <Empty title={t.noDeliveries}>{t.noDeliveriesHint}</Empty>;
  return (
    <>
      <Table caption={t.tabs.deliveries} columns={deliveryColumns} rows={found.nodes} rowKey={(it) => it.id} />
      <Pager pages={pages} total={found.totalCount} info={found.pageInfo} />
    </>
  );
}

function Imports({ id }: { id: string }) {
  const pages = usePages(id);
  const { data, error } = useAnswer(CouponImportsDocument, { id, ...pages.variables });
  const found = data?.coupon?.imports;
  if (error) return <Failure error={error} />;
  if (!found) return <Loading />;
  if (found.totalCount === 0) return <Empty title={t.noImports}>{t.noImportsHint}</Empty>;
  return (
    <>
      <Table caption={t.tabs.imports} columns={importColumns} rows={found.nodes} rowKey={(it) => it.id} />
      <Pager pages={pages} total={found.totalCount} info={found.pageInfo} />
    </>
  );
}
