import { useEffect, useState } from "preact/hooks";
import { change } from "../api/client";
import {
  CancelExportDocument,
  ExportFactsDocument,
  ExportProgressDocument,
  ExportsDocument,
  type ExportRowFragment,
} from "../api/operations.generated";
import { useAction, useAnswer, useEvents } from "../api/use";
import { bytes, instant, number } from "../part/format";
import { Empty, Failure, Heading, Loading, Progress, Status, words } from "../part/parts";
import { Pager, Table, usePages, type Column } from "../part/table";
import { text } from "../text";
import { ExportButton } from "./start-export";

const t = text.exports;
const isRunning = ({ status }: { status: string }) => status === "QUEUED" || status === "RUNNING";

/** How far an export is, then its file. */
export function ExportProgressLine({ id }: { id: string }) {
  const { data, error, again } = useAnswer(ExportFactsDocument, { id });
  const found = data?.export;
  const events = useEvents(ExportProgressDocument, found && isRunning(found) ? { id } : null, again);
  const now = events?.exportProgress ?? found;
  if (error) return <Failure error={error} />;
  if (!found || !now) return <Loading />;
  if (found.failure) return <p class="notice bad">{found.failure}</p>;
  if (found.url) {
    return (
      <div class="form" role="status">
        <p>{t.ready(number(found.rowCount), bytes(found.byteCount))}</p>
        {found.isMasked && <p class="notice">{t.masked}</p>}
        <a class="button primary" href={found.url} download>
          {t.download}
        </a>
      </div>
    );
  }
  return <Progress value={now.progress} label={t.running(number(now.rowCount))} />;
}

export function Exports() {
  const pages = usePages("exports");
  const { data, error, again } = useAnswer(ExportsDocument, pages.variables);
  const { isBusy, error: failure, run } = useAction();
  const found = data?.exports;
  const running = found?.nodes.find(isRunning);
  const [progress, setProgress] = useState<Record<string, number>>({});
  const events = useEvents(ExportProgressDocument, running ? { id: running.id } : null, again);
  useEffect(() => {
    if (events) setProgress({ [String(events.exportProgress.id)]: events.exportProgress.progress });
  }, [events]);
  const columns: Column<ExportRowFragment>[] = [
    { name: t.kind, cell: (it) => words(it.kind), isMain: true },
    { name: t.format, cell: (it) => words(it.format) },
    {
      name: t.status,
      cell: (it) =>
        isRunning(it) ? (
          <Progress value={progress[String(it.id)] ?? it.progress} label={words(it.status)} />
        ) : (
          <>
            <Status value={it.status} /> {it.isMasked && <span class="status">{t.isMasked}</span>}
          </>
        ),
    },
    { name: t.rows, cell: (it) => number(it.rowCount), isNumber: true },
    { name: t.size, cell: (it) => bytes(it.byteCount), isNumber: true },
    { name: t.created, cell: (it) => instant(it.createdAt) },
    {
      name: t.file,
      cell: (it) =>
        it.url ? (
          <a href={it.url} download>
            {t.download}
          </a>
        ) : isRunning(it) ? (
          <button
            type="button"
            disabled={isBusy}
            onClick={() =>
              run(async () => {
                await change(CancelExportDocument, { id: it.id });
                again();
              })
            }
          >
            {text.cancel}
          </button>
        ) : (
          <span class="quiet">{it.failure ?? t.expired}</span>
        ),
    },
  ];
  return (
    <>
      <Heading title={t.title}>
        <ExportButton
          what={{ kind: "CODES" }}
          choices={[{ kind: "CODES" }, { kind: "COUPONS" }, { kind: "DELIVERIES" }, { kind: "REDEMPTIONS" }, { kind: "RECIPIENTS" }]}
          started={again}
        />
      </Heading>
      <Failure error={error ?? failure} />
      {!found && !error && <Loading />}
      {found?.totalCount === 0 && (
        <Empty title={t.none}>
          <p>{t.noneHint}</p>
        </Empty>
      )}
      {found && found.totalCount > 0 && (
        <>
          <Table caption={t.title} columns={columns} rows={found.nodes} rowKey={(it) => it.id} />
          <Pager pages={pages} total={found.totalCount} info={found.pageInfo} />
        </>
      )}
    </>
  );
}
