import { useRights } from "../api/caller";
import { DeliveriesDocument, type CouponDeliveriesQuery, type DeliveryStatus } from "../api/operations.generated";
import { useAnswer } from "../api/use";
import { useParameters } from "../part/address";
import { instant, number } from "../part/format";
import { Empty, Failure, Heading, Loading, Select, Status, words } from "../part/parts";
import { Pager, Table, usePages, type Column } from "../part/table";
import { text } from "../text";

const t = text.deliveries;
const statuses: DeliveryStatus[] = ["EDITING", "READY", "SCHEDULED", "IN_PROGRESS", "PAUSED", "FINISHED", "STOPPED", "FAILED"];
type Row = NonNullable<CouponDeliveriesQuery["coupon"]>["deliveries"]["nodes"][number];

export const processed = ({ counts }: Pick<Row, "counts">) => counts.total - counts.pending;

export const deliveryColumns: Column<Row>[] = [
  { name: t.label, cell: (it) => <a href={`/console/deliveries/${it.id}`}>{it.label}</a>, isMain: true },
  { name: t.status, cell: (it) => <Status value={it.status} /> },
  { name: t.channel, cell: (it) => words(it.channel) },
  { name: t.contactAt, cell: (it) => instant(it.contactAt) },
  { name: t.toSend, cell: (it) => number(it.counts.total || (it.analysis?.messageCount ?? it.targetCount)), isNumber: true },
  { name: t.processed, cell: (it) => number(processed(it)), isNumber: true },
];

export function Deliveries() {
  const rights = useRights();
  const [parameters, set] = useParameters<"status">();
  const status = (parameters.status ?? "") as DeliveryStatus | "";
  const pages = usePages(status);
  const { data, error } = useAnswer(DeliveriesDocument, { ...(status && { status: [status] }), ...pages.variables });
  const found = data?.deliveries;
  const create = rights.mayChange && (
    <a class="button primary" href="/console/deliveries/new">
      {t.new}
    </a>
  );
  return (
    <>
      <Heading title={t.title}>{create}</Heading>
      <div class="filters">
        <Select aria-label={t.status} empty={t.anyStatus} options={statuses} value={status} onChange={(next) => set({ status: next })} />
      </div>
      <Failure error={error} />
      {!found && !error && <Loading />}
      {found?.totalCount === 0 && (
        <Empty title={status ? t.noneFound : t.none}>
          <p>{status ? t.noneFoundHint : t.noneHint}</p>
          {!status && create}
        </Empty>
      )}
      {found && found.totalCount > 0 && (
        <>
          <Table caption={t.title} columns={deliveryColumns} rows={found.nodes} rowKey={(it) => it.id} />
          <Pager pages={pages} total={found.totalCount} info={found.pageInfo} />
        </>
      )}
    </>
  );
}
