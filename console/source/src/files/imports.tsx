import { useRights } from "../api/caller";
import { ImportsDocument, type CouponImportsQuery, type ImportKind } from "../api/operations.generated";
import { useAnswer } from "../api/use";
import { useParameters } from "../part/address";
import { instant, number } from "../part/format";
import { Empty, Failure, Heading, Loading, Select, Status, words } from "../part/parts";
import { Pager, Table, usePages, type Column } from "../part/table";
import { text } from "../text";

const t = text.imports;
const kinds: ImportKind[] = ["CODES", "COUPONS", "RECIPIENTS", "TARGETS", "REDEMPTIONS", "BOUNCES"];
type Row = NonNullable<CouponImportsQuery["coupon"]>["imports"]["nodes"][number];

export const importColumns: Column<Row>[] = [
  { name: t.file, cell: (it) => <a href={`/console/imports/${it.id}`}>{it.fileName}</a>, isMain: true },
  { name: t.kind, cell: (it) => `${words(it.kind)}${it.mode !== "ADD" ? ` · ${words(it.mode)}` : ""}` },
  {
    name: t.status,
    cell: (it) => (
      <>
        <Status value={it.status} /> {it.isDryRun && <span class="status">{t.tried}</span>}
        {it.undoneAt && <span class="status warn">{t.undone}</span>}
      </>
    ),
  },
  { name: t.read, cell: (it) => number(it.rowsRead), isNumber: true },
  { name: t.imported, cell: (it) => number(it.rowsImported), isNumber: true },
  { name: t.rejected, cell: (it) => number(it.rowsRejected), isNumber: true },
  { name: t.created, cell: (it) => instant(it.createdAt) },
];

export function Imports() {
  const rights = useRights();
  const [parameters, set] = useParameters<"kind">();
  const kind = (parameters.kind ?? "") as ImportKind | "";
  const pages = usePages(kind);
  const { data, error } = useAnswer(ImportsDocument, { ...(kind && { kind }), ...pages.variables });
  const found = data?.imports;
  return (
    <>
      <Heading title={t.title}>
        {rights.mayChange && (
          <a class="button primary" href="/console/imports/new">
            {t.new}
          </a>
        )}
      </Heading>
      <div class="filters">
        <Select aria-label={t.kind} empty={t.anyKind} options={kinds} value={kind} onChange={(next) => set({ kind: next })} />
      </div>
      <Failure error={error} />
      {!found && !error && <Loading />}
      {found?.totalCount === 0 && (
        <Empty title={t.none}>
          <p>{t.noneHint}</p>
          {rights.mayChange && (
            <a class="button primary" href="/console/imports/new">
              {t.new}
            </a>
          )}
        </Empty>
      )}
      {found && found.totalCount > 0 && (
        <>
          <Table caption={t.title} columns={importColumns} rows={found.nodes} rowKey={(it) => it.id} />
          <Pager pages={pages} total={found.totalCount} info={found.pageInfo} />
        </>
      )}
    </>
  );
}
