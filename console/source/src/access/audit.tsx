import { AuditLogDocument, type AuditFilter, type AuditKind, type AuditLogQuery, type AuditOutcome } from "../api/operations.generated";
import { useAnswer } from "../api/use";
import { useParameters } from "../part/address";
import { instant } from "../part/format";
import { Empty, Failure, Heading, Loading, Select, Status, words } from "../part/parts";
import { Pager, Table, usePages, type Column } from "../part/table";
import { text } from "../text";

const t = text.audit;
const kinds: AuditKind[] = ["MUTATION", "READ"];
const outcomes: AuditOutcome[] = ["DONE", "REFUSED", "FAILED"];
type Row = AuditLogQuery["auditLog"]["nodes"][number];

const columns: Column<Row>[] = [
  { name: t.at, cell: (it) => instant(it.at), isMain: true },
  { name: t.who, cell: (it) => `${it.callerLabel ?? it.caller} (${words(it.role)})` },
  { name: t.action, cell: (it) => <code>{it.action}</code> },
  { name: t.outcome, cell: (it) => <Status value={it.outcome} /> },
  {
    name: t.input,
    cell: (it) => (
      <details>
        <summary>{t.show}</summary>
        <pre tabIndex={0}>{JSON.stringify(it.input, null, 2)}</pre>
        <p class="quiet">
          {it.address} · {it.requestId}
          {it.errors.length > 0 && ` · ${it.errors.map(words).join(", ")}`}
        </p>
      </details>
    ),
  },
];

export function AuditLog() {
  const [parameters, set] = useParameters<"kind" | "outcome" | "action">();
  const filter: AuditFilter = {
    ...(parameters.kind && { kind: parameters.kind as AuditKind }),
    ...(parameters.outcome && { outcome: parameters.outcome as AuditOutcome }),
    ...(parameters.action && { action: parameters.action }),
  };
  const pages = usePages(filter);
  const { data, error } = useAnswer(AuditLogDocument, { filter, ...pages.variables });
  const found = data?.auditLog;
  return (
    <>
      <Heading title={t.title} />
      <div class="filters">
        <input type="search" aria-label={t.actionIs} placeholder={t.actionIs} value={parameters.action ?? ""} onInput={(event) => set({ action: event.currentTarget.value })} />
        <Select aria-label={t.kind} empty={t.anyKind} options={kinds} value={(parameters.kind ?? "") as AuditKind | ""} onChange={(kind) => set({ kind })} />
        <Select
          aria-label={t.outcome}
          empty={t.anyOutcome}
          options={outcomes}
          value={(parameters.outcome ?? "") as AuditOutcome | ""}
          onChange={(outcome) => set({ outcome })}
        />
      </div>
      <Failure error={error} />
      {!found && !error && <Loading />}
      {found?.totalCount === 0 && <Empty title={t.none} />}
      {found && found.totalCount > 0 && (
        <>
          <Table caption={t.title} columns={columns} rows={found.nodes} rowKey={(it) => String(it.id)} />
          <Pager pages={pages} total={found.totalCount} info={found.pageInfo} />
        </>
      )}
    </>
  );
}
