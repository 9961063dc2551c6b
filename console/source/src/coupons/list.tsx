import { useState } from "preact/hooks";
import { useRights } from "../api/caller";
import {
  CouponsDocument,
  type CouponFilter,
  type CouponOrder,
  type CouponRowFragment,
  type CouponStatus,
  type CouponType,
} from "../api/operations.generated";
import { useAnswer } from "../api/use";
import { useParameters } from "../part/address";
import { firstDay, lastDay, number } from "../part/format";
import { Bar, Empty, Failure, Heading, Loading, Select, Status, words } from "../part/parts";
import { Pager, Table, usePages, type Column } from "../part/table";
import { text } from "../text";
import { CouponForm } from "./form";

const t = text.coupons;
const orders: { value: CouponOrder; label: string }[] = [
  { value: "CREATED_AT_DESC", label: t.order.newest },
  { value: "CREATED_AT_ASC", label: t.order.oldest },
  { value: "LABEL_ASC", label: t.order.label },
  { value: "ENDS_AT_ASC", label: t.order.end },
];
const current: CouponStatus[] = ["SCHEDULED", "ACTIVE", "EXPIRED"];

export function Availability({ coupon }: { coupon: Pick<CouponRowFragment, "type" | "availability"> }) {
  const { total, available, held, assigned, redeemed, isLow } = coupon.availability;
  if (coupon.type === "ANONYMOUS") return <span class="quiet">{t.shared}</span>;
  if (total === 0) return <span class="quiet">{t.noCodes}</span>;
  return (
    <div class="availability">
      <Bar
        total={total}
        label={t.barLabel(number(available), number(total))}
        parts={[
          { value: redeemed, tone: "redeemed" },
          { value: assigned, tone: "assigned" },
          { value: held, tone: "held" },
        ]}
      />
      <span class={isLow ? "low" : "quiet"}>
        {t.left(number(available), number(total))}
        {isLow && ` · ${t.low}`}
      </span>
    </div>
  );
}

const columns: Column<CouponRowFragment>[] = [
  { name: t.label, cell: (it) => <a href={`/console/coupons/${it.id}`}>{it.label}</a>, isMain: true },
  { name: t.code, cell: (it) => <code>{it.code}</code> },
  { name: t.type, cell: (it) => words(it.type) },
  { name: t.start, cell: (it) => firstDay(it.startsAt, it.timezone) },
  { name: t.end, cell: (it) => (it.endsAt ? lastDay(it.endsAt, it.timezone) : t.noEnd) },
  { name: t.status, cell: (it) => <Status value={it.status} /> },
  { name: t.availability, cell: (it) => <Availability coupon={it} /> },
];

export function Coupons() {
  const rights = useRights();
  const [isNew, setIsNew] = useState(false);
  const [parameters, set] = useParameters<"search" | "status" | "type" | "order" | "archived">();
  const isArchived = parameters.archived === "yes";
  const filter: CouponFilter = {
    status: isArchived ? ["ARCHIVED"] : parameters.status ? [parameters.status as CouponStatus] : current,
    ...(parameters.search && { search: parameters.search }),
    ...(parameters.type && { type: parameters.type as CouponType }),
  };
  const orderBy = (parameters.order ?? "CREATED_AT_DESC") as CouponOrder;
  const pages = usePages([filter, orderBy]);
  const { data, error, isLoading } = useAnswer(CouponsDocument, { filter, orderBy, ...pages.variables });
  const found = data?.coupons;
  const isFiltered = Boolean(parameters.search || parameters.status || parameters.type);
  return (
    <>
      <Heading title={t.title}>
        {rights.mayChange && (
          <button type="button" class="primary" onClick={() => setIsNew(true)}>
            {t.new}
          </button>
        )}
      </Heading>
      <nav class="tabs" aria-label={t.which}>
        <button type="button" aria-pressed={!isArchived} onClick={() => set({ archived: "" })}>
          {t.current}
        </button>
        <button type="button" aria-pressed={isArchived} onClick={() => set({ archived: "yes", status: "" })}>
          {t.archived}
        </button>
      </nav>
      <div class="filters">
        <input
          type="search"
          aria-label={rights.caller.isMasked ? t.searchLabel : t.search}
          placeholder={rights.caller.isMasked ? t.searchLabel : t.search}
          value={parameters.search ?? ""}
          onInput={(event) => set({ search: event.currentTarget.value })}
        />
        <Select
          aria-label={t.type}
          empty={t.anyType}
          options={["INDIVIDUAL", "ANONYMOUS"] as const}
          value={(parameters.type ?? "") as CouponType | ""}
          onChange={(type) => set({ type })}
        />
        {!isArchived && (
          <Select
            aria-label={t.status}
            empty={t.anyStatus}
            options={current}
            value={(parameters.status ?? "") as CouponStatus | ""}
            onChange={(status) => set({ status })}
          />
        )}
        <Select aria-label={t.sort} options={orders} value={orderBy} onChange={(order) => set({ order })} />
      </div>
      <Failure error={error} />
      {!found && isLoading && <Loading />}
      {found && found.totalCount === 0 && (
        <Empty title={isFiltered || isArchived ? t.noneFound : t.none}>
          <p>{isFiltered ? t.noneFoundHint : isArchived ? t.noneArchived : t.noneHint}</p>
          {rights.mayChange && !isFiltered && !isArchived && (
            <button type="button" class="primary" onClick={() => setIsNew(true)}>
              {t.new}
            </button>
          )}
        </Empty>
      )}
      {found && found.totalCount > 0 && (
        <>
          <Table caption={t.title} columns={columns} rows={found.nodes} rowKey={({ id }) => id} />
          <Pager pages={pages} total={found.totalCount} info={found.pageInfo} />
        </>
      )}
      {isNew && <CouponForm close={() => setIsNew(false)} />}
    </>
  );
}
