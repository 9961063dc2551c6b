import { useState } from "preact/hooks";
import { useRights } from "../api/caller";
import {
  CompareDeliveriesDocument,
  DeliveryResultsDocument,
  OtherDeliveriesDocument,
  RedemptionsByDayDocument,
} from "../api/operations.generated";
import { useAnswer } from "../api/use";
import { ExportButton } from "../files/start-export";
import { Chart } from "../part/chart";
import { day, number, share } from "../part/format";
import { Card, Failure, Field, Loading, Numbers, Select, words } from "../part/parts";
import { Table } from "../part/table";
import { text } from "../text";
import type { StepProps } from "./delivery";

const t = text.deliveries;

export function Results({ delivery }: StepProps) {
  const rights = useRights();
  const timezone = delivery.coupon?.timezone ?? rights.timezone;
  const filter = { deliveryIds: [delivery.id] };
  const { data, error } = useAnswer(DeliveryResultsDocument, { id: delivery.id, filter, timezone });
  const { data: byDay } = useAnswer(RedemptionsByDayDocument, { filter, timezone });
  const { delivered, softBounced, hardBounced, complained } = delivery.outcomes;
  const stats = data?.delivery?.stats;
  const funnel = data?.redemptionFunnel ?? [];
  const rows = byDay?.redemptionStats ?? [];
  const isRedeemed = rows.some(({ stats: { redeemed } }) => redeemed > 0);
  if (error) return <Failure error={error} />;
  if (!stats) return <Loading />;
  return (
    <>
      <Card title={t.steps.results} actions={<ExportButton what={{ kind: "REDEMPTIONS", deliveryId: String(delivery.id) }} />}>
        <Numbers
          items={[
            [t.sent, stats.sent],
            [t.redeemed, stats.redeemed],
            [t.rate, share(stats.redemptionRate)],
            [t.bounced, softBounced + hardBounced],
            [t.complained, complained],
            [t.delivered, delivered],
          ]}
        />
      </Card>
      <div class="columns two">
        <Card title={t.funnel}>
          <Chart
            isAcross
            label={t.funnel}
            series={{ name: t.recipients, labels: funnel.map(({ stage }) => words(stage)), values: funnel.map(({ count }) => count) }}
          />
        </Card>
        <Card title={t.byDay}>
          {isRedeemed ? (
            <Chart
              label={t.byDay}
              series={{ name: t.redeemed, labels: rows.map(({ keys }) => day(keys[0]!)), values: rows.map((row) => row.stats.redeemed) }}
            />
          ) : (
            <p class="quiet">{t.noRedemptions}</p>
          )}
        </Card>
      </div>
      <Comparison id={String(delivery.id)} />
    </>
  );
}

/** This delivery beside another one, with whether the difference can be chance. */
function Comparison({ id }: { id: string }) {
  const { data } = useAnswer(OtherDeliveriesDocument, {});
  const [other, setOther] = useState("");
  const { data: compared, error } = useAnswer(CompareDeliveriesDocument, other ? { ids: [other, id] } : null);
  const others = (data?.deliveries.nodes ?? []).filter((it) => it.id !== id).map((it) => ({ value: String(it.id), label: it.label }));
  if (others.length === 0) return null;
  const rows = other ? (compared?.compareDeliveries ?? []) : [];
  const last = rows[1];
  return (
    <Card title={t.compare}>
      <Field label={t.compareWith}>
        {(attributes) => <Select {...attributes} empty={t.choose} options={others} value={other} onChange={setOther} />}
      </Field>
      <Failure error={error} />
      {last && (
        <>
          <p role="status">
            {last.lift == null
              ? t.noLift
              : last.isSignificant
                ? t.significant(share(last.lift))
                : t.notSignificant(share(last.lift))}
          </p>
          <Table
            caption={t.compare}
            columns={[
              { name: t.label, cell: (it) => <a href={`/console/deliveries/${it.delivery.id}`}>{it.delivery.label}</a>, isMain: true },
              { name: t.sent, cell: (it) => number(it.sent), isNumber: true },
              { name: t.redeemed, cell: (it) => (it.redeemed == null ? "–" : number(it.redeemed)), isNumber: true },
              { name: t.rate, cell: (it) => share(it.redemptionRate), isNumber: true },
            ]}
            rows={rows}
            rowKey={(it) => String(it.delivery.id)}
          />
        </>
      )}
    </Card>
  );
}
