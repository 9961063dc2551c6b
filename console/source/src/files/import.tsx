import { useLocation } from "preact-iso";
import { useRef, useState } from "preact/hooks";
import { useRights } from "../api/caller";
import { change, newKey, send } from "../api/client";
import {
  CancelImportDocument,
  ImportFactsDocument,
  ImportProgressDocument,
  ImportRejectionsDocument,
  RejectsLinkDocument,
  UndoImportDocument,
  type ImportFactsQuery,
} from "../api/operations.generated";
import { useAction, useAnswer, useEvents } from "../api/use";
import { useParameters } from "../part/address";
import { bytes, instant, number } from "../part/format";
import { Card, Dialog, Empty, Facts, Failure, Field, Heading, Loading, Numbers, Progress, Select, Status, words } from "../part/parts";
import { Pager, Table, usePages } from "../part/table";
import { text } from "../text";
import { planLink, planNames, startImport, type Plan } from "./start-import";

const t = text.imports;
type Import = NonNullable<ImportFactsQuery["import"]>;

const isRunning = ({ status }: { status: string }) => status === "QUEUED" || status === "RUNNING";

export function ImportPage({ id }: { id: string }) {
  const rights = useRights();
  const { route } = useLocation();
  const { data, error, again } = useAnswer(ImportFactsDocument, { id });
  const found = data?.import;
  const events = useEvents(ImportProgressDocument, found && isRunning(found) ? { id } : null, again);
  const [parameters] = useParameters<(typeof planNames)[number]>();
  const plan = parameters as Plan;
  const action = useAction();
  const [undone, setUndone] = useState<string>();
  const [isUndoing, setIsUndoing] = useState(false);
  const key = useRef(newKey());
  if (error) return <Failure error={error} />;
  if (!data) return <Loading />;
  if (!found) return <Empty title={t.gone} />;
  const now = events?.importProgress ?? found;
  const canImport = rights.mayChange && found.isDryRun && found.status === "SUCCEEDED" && plan.upload;
  const canUndo =
    rights.mayChange && !found.isDryRun && found.status === "SUCCEEDED" && !found.undoneAt && ["CODES", "BOUNCES"].includes(found.kind);
  const download = () =>
    action.run(async () => {
      const { import: it } = await send(RejectsLinkDocument, { id });
      if (it?.rejectsUrl) location.assign(it.rejectsUrl);
    });
  const tryAgain = (next: Plan) =>
    action.run(async () => {
      const whole = { ...plan, ...next };
      route(planLink(`/console/imports/${await startImport(whole, true, newKey())}`, whole));
    });
  return (
    <>
      <Heading title={found.fileName} back={{ href: "/console/imports", label: t.title }}>
        {rights.mayChange && isRunning(now) && (
          <button type="button" disabled={action.isBusy} onClick={() => action.run(() => change(CancelImportDocument, { id }))}>
            {t.cancel}
          </button>
        )}
        {canUndo && (
          <button type="button" onClick={() => setIsUndoing(true)}>
            {t.undo}
          </button>
        )}
        {canImport && (
          <button
            type="button"
            class="primary"
            disabled={action.isBusy || found.rowsImported === 0}
            onClick={() => action.run(async () => route(`/console/imports/${await startImport(plan, false, key.current)}`))}
          >
            {t.importNow(number(found.rowsImported))}
          </button>
        )}
      </Heading>
      <Failure error={action.error} />
      {undone && (
        <p class="notice" role="status">
          {undone}
        </p>
      )}
      {found.isDryRun && found.status === "SUCCEEDED" && (
        <p class="notice" role="status">
          {plan.upload ? t.dryRun : t.dryRunOld}
        </p>
      )}
      {found.failure && <p class="notice bad">{found.failure}</p>}
      {found.sameFileAs && (
        <p class="notice warn">
          {t.same(instant(found.sameFileAs.createdAt))} <a href={`/console/imports/${found.sameFileAs.id}`}>{found.sameFileAs.fileName}</a>
        </p>
      )}
      <Card title={found.isDryRun ? t.would : t.result}>
        {isRunning(now) && <Progress value={now.progress} label={t.reading(number(now.rowsRead))} />}
        <Numbers
          items={[
            [t.read, now.rowsRead],
            [found.isDryRun ? t.wouldImport : t.imported, now.rowsImported],
            [t.rejected, now.rowsRejected],
          ]}
        />
        <Facts
          facts={[
            [t.status, <Status key="s" value={now.status} />],
            [t.kind, words(found.kind)],
            ...(found.kind === "CODES" ? ([[t.mode, words(found.mode)]] as [string, string][]) : []),
            ...(found.coupon
              ? ([
                  [
                    t.coupon,
                    <a key="c" href={`/console/coupons/${found.coupon.id}`}>
                      {found.coupon.label}
                    </a>,
                  ],
                ] as [string, preact.JSX.Element][])
              : []),
            [t.size, bytes(found.byteCount)],
            [t.created, instant(found.createdAt)],
            ...(Object.entries(found.changes).filter(([, count]) => Number(count) > 0) as [keyof typeof t.changes, number][]).map(
              ([name, count]) => [t.changes[name], number(count)] as [string, string],
            ),
          ]}
        />
      </Card>
      {found.warnings.length > 0 && (
        <Card title={t.warnings}>
          <ul class="list">
            {found.warnings.map((it) => (
              <li key={`${it.kind} ${it.line}`}>
                <b>{words(it.kind)}</b> {it.text}
              </li>
            ))}
          </ul>
        </Card>
      )}
      {found.layout && <Layout layout={found.layout} found={found} plan={plan} tryAgain={canImport || (plan.upload && found.isDryRun) ? tryAgain : undefined} />}
      {now.rowsRejected > 0 && !isRunning(now) && (
        <Card
          title={t.rejects}
          actions={
            rights.mayChange && (
              <button type="button" disabled={action.isBusy} onClick={download}>
                {t.download}
              </button>
            )
          }
        >
          <ul class="legend">
            {found.rejectionsByReason.map(({ reason, count }) => (
              <li key={reason}>
                {words(reason)} <b>{number(count)}</b>
              </li>
            ))}
          </ul>
          <Rejections id={id} />
        </Card>
      )}
      {isUndoing && (
        <Dialog title={t.undoTitle} close={() => setIsUndoing(false)}>
          <p>{t.undoText}</p>
          <Failure error={action.error} />
          <div class="actions end">
            <button type="button" onClick={() => setIsUndoing(false)}>
              {text.cancel}
            </button>
            <button
              type="button"
              class="danger"
              disabled={action.isBusy}
              onClick={() =>
                action.run(async () => {
                  const { removedCount, restoredCount, keptCount } = await change(UndoImportDocument, { id });
                  setUndone(t.undoneText(number(removedCount), number(restoredCount), number(keptCount)));
                  setIsUndoing(false);
                  again();
                })
              }
            >
              {t.undo}
            </button>
          </div>
        </Dialog>
      )}
    </>
  );
}

function Layout({
  layout,
  plan,
  tryAgain,
}: {
  layout: NonNullable<Import["layout"]>;
  found: Import;
  plan: Plan;
  tryAgain?: ((next: Plan) => void) | undefined;
}) {
  const known = layout.columns.filter(({ field }) => field).length;
  return (
    <Card title={t.layout}>
      <Facts
        facts={[
          [t.columns, t.columnsKnown(known, layout.columns.length)],
          [t.header, layout.hasHeader ? text.yes : text.no],
          ...(layout.delimiter ? ([[t.delimiter, <code key="d">{layout.delimiter === "\t" ? "Tab" : layout.delimiter}</code>]] as [string, preact.JSX.Element][]) : []),
          ...(layout.encoding ? ([[t.encoding, layout.encoding]] as [string, string][]) : []),
        ]}
      />
      {tryAgain && (
        <details>
          <summary>{t.adjust}</summary>
          <div class="pair">
            <Field label={t.header}>
              {(attributes) => (
                <Select
                  {...attributes}
                  empty={t.auto}
                  options={[
                    { value: "yes", label: text.yes },
                    { value: "no", label: text.no },
                  ]}
                  value={plan.header ?? ""}
                  onChange={(header) => tryAgain({ header })}
                />
              )}
            </Field>
            <Field label={t.delimiter}>
              {(attributes) => (
                <Select
                  {...attributes}
                  empty={t.auto}
                  options={[",", ";", "\t", "|"].map((value) => ({ value, label: t.delimiters[value as ","] }))}
                  value={plan.delimiter ?? ""}
                  onChange={(delimiter) => tryAgain({ delimiter })}
                />
              )}
            </Field>
          </div>
        </details>
      )}
      <div class="scroll" tabIndex={0} role="region" aria-label={t.sample}>
        <table class="sample">
          <caption class="hidden">{t.sample}</caption>
          <thead>
            <tr>
              <th scope="col">{t.line}</th>
              {layout.columns.slice(0, 50).map(({ name, field, certainty }) => (
                <th key={name} scope="col">
                  {name}
                  <span class={field ? "taken" : "quiet"}>
                    {field ? `→ ${field}${certainty === "GUESSED" ? ` (${t.guessed})` : ""}` : t.notRead}
                  </span>
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            {layout.sample.slice(0, 8).map(({ line, values }) => (
              <tr key={line}>
                <td class="quiet">{line}</td>
                {values.map((value, i) => (
                  <td key={i}>{value}</td>
                ))}
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    </Card>
  );
}

function Rejections({ id }: { id: string }) {
  const pages = usePages(id);
  const { data, error } = useAnswer(ImportRejectionsDocument, { id, ...pages.variables });
  const found = data?.import?.rejections;
  if (error) return <Failure error={error} />;
  if (!found) return <Loading />;
  return (
    <>
      <Table
        caption={t.rejects}
        columns={[
          { name: t.line, cell: (it) => number(it.line), isNumber: true },
          { name: t.value, cell: (it) => <code>{it.value ?? "–"}</code>, isMain: true },
          { name: t.why, cell: (it) => it.message },
        ]}
        rows={found.nodes}
        rowKey={(it, i) => `${it.line} ${i}`}
      />
      <Pager pages={pages} total={found.totalCount} info={found.pageInfo} />
    </>
  );
}
