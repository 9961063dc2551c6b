import { useState } from "preact/hooks";
import { useRights } from "../api/caller";
import {
  CodeHistoryDocument,
  CouponCodesDocument,
  type CodeFilter,
  type CodeStatus,
  type CouponCodesQuery,
} from "../api/operations.generated";
import { useAnswer } from "../api/use";
import { useParameters } from "../part/address";
import { instant } from "../part/format";
import { Dialog, Empty, Failure, Loading, Select, Status, words } from "../part/parts";
import { Pager, Table, usePages, type Column } from "../part/table";
import { text } from "../text";

const t = text.coupons;
const statuses: CodeStatus[] = ["AVAILABLE", "ASSIGNED", "REDEEMED", "EXPIRED", "VOIDED"];
type Code = NonNullable<CouponCodesQuery["coupon"]>["codes"]["nodes"][number];

export function Codes({ coupon, generate }: { coupon: { id: string | number }; generate?: (() => void) | undefined }) {
  const { caller } = useRights();
  const [shown, setShown] = useState<string | null>(null);
  const [parameters, set] = useParameters<"code" | "codeStatus" | "codeLabel">();
  const filter: CodeFilter = {
    ...(parameters.code && { valuePrefix: parameters.code }),
    ...(parameters.codeStatus && { status: [parameters.codeStatus as CodeStatus] }),
    ...(parameters.codeLabel && { label: [parameters.codeLabel] }),
  };
  const pages = usePages([coupon.id, filter]);
  const { data, error } = useAnswer(CouponCodesDocument, { id: coupon.id, filter, ...pages.variables });
  const found = data?.coupon?.codes;
  const isFiltered = Object.keys(filter).length > 0;
  const columns: Column<Code>[] = [
    {
      name: t.value,
      isMain: true,
      cell: (it) => (
        <button type="button" class="link" onClick={() => setShown(it.id)}>
          <code>{it.value}</code>
        </button>
      ),
    },
    { name: t.codeLabel, cell: (it) => it.label ?? "–" },
    { name: t.status, cell: (it) => <Status value={it.status} /> },
    { name: t.redeemedOn, cell: (it) => instant(it.redeemedAt) },
    { name: t.channel, cell: (it) => (it.channel ? words(it.channel) : "–") },
    { name: t.address, cell: (it) => it.address ?? "–" },
  ];
  return (
    <>
      <div class="filters">
        {!caller.isMasked && (
          <>
            <input
              type="search"
              aria-label={t.searchCode}
              placeholder={t.searchCode}
              value={parameters.code ?? ""}
              onInput={(event) => set({ code: event.currentTarget.value })}
            />
            <input
              type="search"
              aria-label={t.codeLabelIs}
              placeholder={t.codeLabelIs}
              value={parameters.codeLabel ?? ""}
              onInput={(event) => set({ codeLabel: event.currentTarget.value })}
            />
          </>
        )}
        <Select
          aria-label={t.status}
          empty={t.anyStatus}
          options={statuses}
          value={(parameters.codeStatus ?? "") as CodeStatus | ""}
          onChange={(codeStatus) => set({ codeStatus })}
        />
      </div>
      <Failure error={error} />
      {!found && !error && <Loading />}
      {found?.totalCount === 0 && (
        <Empty title={isFiltered ? t.noCodeFound : t.noCodes}>
          <p>{isFiltered ? t.noneFoundHint : t.noCodesHint}</p>
          {generate && !isFiltered && (
            <div class="actions">
              <button type="button" class="primary" onClick={generate}>
                {t.generate}
              </button>
              <a class="button" href={`/console/imports/new?kind=CODES&coupon=${coupon.id}`}>
                {t.import}
              </a>
            </div>
          )}
        </Empty>
      )}
      {found && found.totalCount > 0 && (
        <>
          <Table caption={t.tabs.codes} columns={columns} rows={found.nodes} rowKey={(it) => it.id} />
          <Pager pages={pages} total={found.totalCount} info={found.pageInfo} />
        </>
      )}
      {shown && <History id={shown} close={() => setShown(null)} />}
    </>
  );
}

function History({ id, close }: { id: string; close: () => void }) {
  const { data, error } = useAnswer(CodeHistoryDocument, { id });
  const code = data?.node && "events" in data.node ? data.node : undefined;
  return (
    <Dialog title={t.history} close={close}>
      <Failure error={error} />
      {!code && !error && <Loading />}
      {code && (
        <>
          <p>
            <code>{code.value}</code> <Status value={code.status} /> {code.label && <span class="quiet">{code.label}</span>}
          </p>
          <ol class="events">
            {code.events.map(({ at, kind, text: what, delivery }) => (
              <li key={`${at} ${kind}`}>
                <time dateTime={at}>{instant(at)}</time>
                <div>
                  <b>{words(kind)}</b>
                  <p>{what}</p>
                  {delivery && <a href={`/console/deliveries/${delivery.id}`}>{delivery.label}</a>}
                </div>
              </li>
            ))}
          </ol>
        </>
      )}
    </Dialog>
  );
}
