import { useState } from "preact/hooks";
import { useRights } from "../api/caller";
import { change } from "../api/client";
import {
  DeliveryMessagesDocument,
  DeliveryProgressDocument,
  PauseDeliveryDocument,
  ResumeDeliveryDocument,
  StopDeliveryDocument,
  type MessageStatus,
} from "../api/operations.generated";
import { useAction, useAnswer, useEvents } from "../api/use";
import { ExportButton } from "../files/start-export";
import { instant, number, rate, span } from "../part/format";
import { Card, Dialog, Empty, Facts, Failure, Loading, Numbers, Progress as Line, Select, Status, words } from "../part/parts";
import { Pager, Table, usePages } from "../part/table";
import { text } from "../text";
import type { StepProps } from "./delivery";

const t = text.deliveries;
const statuses: MessageStatus[] = ["PENDING", "SENT", "FAILED", "CANCELED", "UNKNOWN"];

export function Progress({ delivery, again }: StepProps) {
  const { mayChange } = useRights();
  const isLive = ["SCHEDULED", "IN_PROGRESS", "PAUSED"].includes(delivery.status);
  const events = useEvents(DeliveryProgressDocument, isLive ? { id: delivery.id } : null, again);
  const now = events?.deliveryProgress ?? delivery;
  const { isBusy, error, run } = useAction();
  const [isStopping, setIsStopping] = useState(false);
  const { pending, total, sent, failed, canceled, unknown } = now.counts;
  const act = (document: typeof PauseDeliveryDocument | typeof ResumeDeliveryDocument | typeof StopDeliveryDocument) =>
    run(async () => {
      await change(document as typeof PauseDeliveryDocument, { id: delivery.id });
      setIsStopping(false);
      again();
    });
  return (
    <>
      <Card
        title={t.steps.progress}
        actions={
          mayChange &&
          isLive && (
            <>
              {now.status === "PAUSED" ? (
                <button type="button" class="primary" disabled={isBusy} onClick={() => act(ResumeDeliveryDocument)}>
                  {t.resume}
                </button>
              ) : (
                now.status === "IN_PROGRESS" && (
                  <button type="button" disabled={isBusy} onClick={() => act(PauseDeliveryDocument)}>
                    {t.pause}
                  </button>
                )
              )}
              <button type="button" class="danger" disabled={isBusy} onClick={() => setIsStopping(true)}>
                {t.stop}
              </button>
            </>
          )
        }
      >
        <Failure error={error} />
        <p>
          <Status value={now.status} />{" "}
          {now.status === "SCHEDULED" && delivery.contactAt && <span class="quiet">{t.startsAt(instant(delivery.contactAt))}</span>}
        </p>
        <Line value={total > 0 ? (total - pending) / total : 0} label={t.progress(number(total - pending), number(total))} />
        {now.messagesPerSecond != null && isLive && (
          <p class="quiet" role="status">
            {t.speed(rate(now.messagesPerSecond), now.secondsLeft == null ? "" : span(now.secondsLeft))}
          </p>
        )}
        <Numbers
          items={[
            [words("SENT"), sent],
            [words("PENDING"), pending],
            [words("FAILED"), failed],
            [words("CANCELED"), canceled],
            ...(unknown > 0 ? ([[words("UNKNOWN"), unknown]] as [string, number][]) : []),
          ]}
        />
        <Facts
          facts={[
            [t.confirmedAt, instant(delivery.confirmedAt)],
            [t.finishedAt, instant(delivery.finishedAt)],
            ...delivery.counts.canceledBy.map(({ reason, count }) => [t.canceled(words(reason)), number(count)] as [string, string]),
          ]}
        />
      </Card>
      <Messages id={String(delivery.id)} round={total - pending === total ? "all" : ""} />
      {isStopping && (
        <Dialog title={t.stopTitle} close={() => setIsStopping(false)}>
          <p>{t.stopText}</p>
          <Failure error={error} />
          <div class="actions end">
            <button type="button" onClick={() => setIsStopping(false)}>
              {text.cancel}
            </button>
            <button type="button" class="danger" disabled={isBusy} onClick={() => act(StopDeliveryDocument)}>
              {t.stop}
            </button>
          </div>
        </Dialog>
      )}
    </>
  );
}

function Messages({ id, round }: { id: string; round: string }) {
  const [status, setStatus] = useState<MessageStatus | "">("");
  const pages = usePages([id, status, round]);
  const { data, error } = useAnswer(DeliveryMessagesDocument, { id, ...(status && { status: [status] }), ...pages.variables });
  const found = data?.delivery?.messages;
  return (
    <Card title={t.messages} actions={<ExportButton what={{ kind: "MESSAGES", deliveryId: id }} />}>
      <div class="filters">
        <Select aria-label={t.status} empty={t.anyStatus} options={statuses} value={status} onChange={setStatus} />
      </div>
      <Failure error={error} />
      {!found && !error && <Loading />}
      {found?.totalCount === 0 && <Empty title={t.noMessages} />}
      {found && found.totalCount > 0 && (
        <>
          <Table
            caption={t.messages}
            columns={[
              { name: t.id, cell: (it) => it.recipient.externalId, isMain: true },
              { name: t.address, cell: (it) => it.address || "–" },
              { name: t.code, cell: (it) => (it.code ? <code>{it.code.value}</code> : "–") },
              { name: t.status, cell: (it) => <Status value={it.status} /> },
              { name: t.sentAt, cell: (it) => instant(it.sentAt) },
              { name: t.note, cell: (it) => it.failure ?? (it.outcome ? words(it.outcome) : it.cancelReason ? words(it.cancelReason) : "–") },
            ]}
            rows={found.nodes}
            rowKey={(it) => String(it.id)}
          />
          <Pager pages={pages} total={found.totalCount} info={found.pageInfo} />
        </>
      )}
    </Card>
  );
}
