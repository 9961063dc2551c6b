import { useEffect, useRef, useState } from "preact/hooks";
import { change, newKey } from "../api/client";
import {
  AnalyzeDeliveryDocument,
  ConfirmDeliveryDocument,
  DeliveryExclusionsDocument,
  ReleaseHoldDocument,
  SplitDeliveryDocument,
  type ExclusionReason,
} from "../api/operations.generated";
import { useAction, useAnswer } from "../api/use";
import { useRights } from "../api/caller";
import { Generate } from "../coupons/generate";
import { clock, instant, number, parts } from "../part/format";
import { Card, Dialog, Facts, Failure, Field, Loading, Numbers, Status, words } from "../part/parts";
import { Pager, Table, usePages } from "../part/table";
import { text } from "../text";
import type { Delivery, StepProps } from "./delivery";
import { useSave } from "./save";

const t = text.deliveries;
type Remedy = NonNullable<Delivery["analysis"]>["remedies"][number];

export function Check({ delivery, again, go, mayChange }: StepProps) {
  const { isBusy, error, run } = useAction();
  const { analysis } = delivery;
  const [reason, setReason] = useState<ExclusionReason>();
  const analyze = () =>
    run(async () => {
      await change(AnalyzeDeliveryDocument, { id: delivery.id });
      again();
    });
  const isReady = delivery.status === "READY";
  return (
    <>
      <Card
        title={t.analysis}
        actions={
          mayChange && (
            <button type="button" class={isReady ? "" : "primary"} disabled={isBusy} onClick={analyze}>
              {analysis ? t.analyzeAgain : t.analyze}
            </button>
          )
        }
      >
        <Failure error={error} />
        {isBusy && <Elapsed />}
        {!analysis && !isBusy && <p class="quiet">{t.notAnalyzed}</p>}
        {analysis && (
          <>
            {isReady && (
              <p class="notice good" role="status">
                {t.banner(number(analysis.messageCount))}
              </p>
            )}
            {delivery.status === "EDITING" && (
              <p class={analysis.isSufficient ? "notice" : "notice warn"} role="status">
                {analysis.isSufficient ? t.stale : analysis.codesShort > 0 ? t.short(number(analysis.codesShort)) : t.notSufficient}
              </p>
            )}
            <Numbers
              items={[
                [t.targetsCounted, analysis.targetCount],
                [t.messages, analysis.messageCount],
                [t.codesNeeded, analysis.codesNeeded],
                [t.codesAvailable, analysis.codesAvailable],
              ]}
            />
            {mayChange && analysis.remedies.length > 0 && <Remedies delivery={delivery} again={again} analyze={analyze} />}
            {analysis.exclusions.length > 0 && (
              <>
                <h3>{t.exclusions}</h3>
                <ul class="choices">
                  {analysis.exclusions.map((it) => (
                    <li key={it.reason}>
                      <button type="button" aria-pressed={reason === it.reason} onClick={() => setReason(reason === it.reason ? undefined : it.reason)}>
                        {words(it.reason)} <b>{number(it.count)}</b>
                      </button>
                    </li>
                  ))}
                </ul>
                {reason && <Excluded id={String(delivery.id)} reason={reason} />}
              </>
            )}
            {analysis.missingValues.map(({ token, count }) => (
              <p key={token} class="notice warn">
                {t.missing(number(count), token)}
              </p>
            ))}
            <Facts
              facts={[
                [t.analyzedAt, instant(analysis.analyzedAt)],
                ...(analysis.heldUntil ? ([[t.heldUntil, instant(analysis.heldUntil)]] as [string, string][]) : []),
                ...(analysis.smsParts ? ([[t.smsParts, number(analysis.smsParts)]] as [string, string][]) : []),
              ]}
            />
            <h3>{t.log}</h3>
            <ol class="log" aria-label={t.log}>
              {analysis.log.map(({ at, level, text: line }) => (
                <li key={`${at} ${line}`} class={level.toLowerCase()}>
                  <time dateTime={at}>{clock(at)}</time> {level !== "INFO" && <Status value={level} />} <span>{line.replace(/shortByLabel\[(\d+)\]/, (_, i) => analysis.shortByLabel[Number(i)]?.label ?? "")}</span>
                </li>
              ))}
            </ol>
          </>
        )}
      </Card>
      {mayChange && isReady && <Confirm delivery={delivery} again={again} go={go} analyze={analyze} />}
    </>
  );
}

/** How long an analysis takes so far. */
function Elapsed() {
  const [seconds, setSeconds] = useState(0);
  useEffect(() => {
    const timer = setInterval(() => setSeconds((it) => it + 1), 1_000);
    return () => clearInterval(timer);
  }, []);
  return (
    <p role="status" class="quiet">
      {t.analyzing(seconds)}
    </p>
  );
}

function Excluded({ id, reason }: { id: string; reason: ExclusionReason }) {
  const pages = usePages([id, reason]);
  const { data, error } = useAnswer(DeliveryExclusionsDocument, { id, reason: [reason], ...pages.variables });
  const found = data?.delivery?.exclusions;
  if (error) return <Failure error={error} />;
  if (!found) return <Loading />;
  return (
    <>
      <Table
        caption={t.exclusions}
        columns={[
          { name: t.id, cell: (it) => it.recipient.externalId, isMain: true },
          { name: t.why, cell: (it) => it.explanation },
        ]}
        rows={found.nodes}
        rowKey={(it) => String(it.recipient.id)}
      />
      <Pager pages={pages} total={found.totalCount} info={found.pageInfo} />
    </>
  );
}

function Remedies({ delivery, again, analyze }: { delivery: Delivery; again: () => void; analyze: () => Promise<void> }) {
  const { save, dialog, error: saveError } = useSave(delivery, again);
  const { isBusy, error, run } = useAction();
  const [adding, setAdding] = useState<Remedy>();
  const [splitting, setSplitting] = useState<Remedy>();
  const { coupon } = delivery;
  const act = (remedy: Remedy) => {
    switch (remedy.kind) {
      case "ADD_CODES":
        return setAdding(remedy);
      case "LIMIT_MESSAGES":
        return save({ messageLimit: remedy.count }, () => void analyze());
      case "SPLIT_DELIVERY":
        return setSplitting(remedy);
      case "RELEASE_HOLD":
        return run(async () => {
          await change(ReleaseHoldDocument, { id: remedy.delivery!.id });
          await analyze();
        });
    }
  };
  return (
    <>
      <h3>{t.remedies}</h3>
      <ul class="remedies">
        {delivery.analysis!.remedies.map((remedy) => (
          <li key={`${remedy.kind} ${remedy.label} ${remedy.delivery?.id}`}>
            <span>
              {remedy.text}
              {remedy.label && <> ({remedy.label})</>}
            </span>
            <div class="actions">
              {(remedy.kind !== "RELEASE_HOLD" || remedy.delivery) && (
                <button type="button" disabled={isBusy} onClick={() => act(remedy)}>
                  {t.remedy[remedy.kind](number(remedy.count))}
                </button>
              )}
              {remedy.kind === "ADD_CODES" && coupon && (
                <a class="button" href={`/console/imports/new?kind=CODES&coupon=${coupon.id}`}>
                  {t.importMore}
                </a>
              )}
            </div>
          </li>
        ))}
      </ul>
      <Failure error={error ?? saveError} />
      {dialog}
      {adding && coupon && (
        <Generate
          couponId={String(coupon.id)}
          count={adding.count}
          {...(adding.label && { label: adding.label })}
          close={() => {
            setAdding(undefined);
            void analyze();
          }}
          made={() => {}}
        />
      )}
      {splitting && <Split delivery={delivery} count={splitting.count} close={() => setSplitting(undefined)} />}
    </>
  );
}

/** Two deliveries of one: as many as there are codes for, and the rest. */
function Split({ delivery, count, close }: { delivery: Delivery; count: number; close: () => void }) {
  const { isBusy, error, run } = useAction();
  const [size, setSize] = useState(String(count));
  const [made, setMade] = useState<{ id: string | number; label: string; targetCount: number }[]>();
  const key = useRef(newKey());
  return (
    <Dialog title={t.split} close={close}>
      {made ? (
        <ul class="list" role="status">
          {made.map(({ id, label, targetCount }) => (
            <li key={id}>
              <a href={`/console/deliveries/${id}`}>{label}</a> <span class="quiet">{number(targetCount)}</span>
            </li>
          ))}
        </ul>
      ) : (
        <form
          class="form"
          onSubmit={(event) => {
            event.preventDefault();
            void run(async () => {
              const { deliveries } = await change(SplitDeliveryDocument, {
                input: {
                  deliveryId: delivery.id,
                  parts: [
                    { label: t.part(delivery.label, 1), count: Number(size) },
                    { label: t.part(delivery.label, 2), rest: true },
                  ],
                  idempotencyKey: key.current,
                },
              });
              setMade(deliveries);
            });
          }}
        >
          <p>{t.splitText}</p>
          <Field label={t.splitCount}>
            {(attributes) => (
              <input
                {...attributes}
                type="number"
                min={1}
                required
                autoFocus
                value={size}
                onInput={(event) => {
                  key.current = newKey();
                  setSize(event.currentTarget.value);
                }}
              />
            )}
          </Field>
          <Failure error={error} />
          <div class="actions end">
            <button class="primary" disabled={isBusy}>
              {t.split}
            </button>
          </div>
        </form>
      )}
    </Dialog>
  );
}

function Confirm({ delivery, again, go, analyze }: Omit<StepProps, "mayChange"> & { analyze: () => Promise<void> }) {
  const { timezone: ofServer } = useRights();
  const timezone = delivery.coupon?.timezone ?? ofServer;
  const [start] = useState(() => (delivery.contactAt ? parts(new Date(delivery.contactAt), timezone) : { date: "", time: "" }));
  const [date, setDate] = useState(start.date);
  const [time, setTime] = useState(start.time);
  const { save, isBusy: isSaving, error: saveError, dialog } = useSave(delivery, again);
  const { isBusy, error, run } = useAction();
  const isChanged = date !== start.date || time !== start.time;
  const confirm = () =>
    run(async () => {
      await change(ConfirmDeliveryDocument, { id: delivery.id });
      again();
      go("progress");
    });
  return (
    <Card title={t.confirmTitle}>
      <div class="form">
        <div class="pair">
          <Field label={t.contactAt} hint={t.contactHint(timezone)}>
            {(attributes) => <input {...attributes} type="date" value={date} onInput={(event) => setDate(event.currentTarget.value)} />}
          </Field>
          <Field label={t.contactTime}>
            {(attributes) => <input {...attributes} type="time" disabled={!date} value={time} onInput={(event) => setTime(event.currentTarget.value)} />}
          </Field>
        </div>
        <Failure error={error ?? saveError} />
        <div class="actions end">
          {isChanged ? (
            <button
              type="button"
              class="primary"
              disabled={isSaving}
              onClick={() => save({ contactAt: date ? `${date}T${time || "00:00"}:00` : null }, () => void analyze())}
            >
              {t.setTime}
            </button>
          ) : (
            <button type="button" class="primary" disabled={isBusy} onClick={confirm}>
              {delivery.contactAt && new Date(delivery.contactAt) > new Date()
                ? t.schedule(instant(delivery.contactAt, timezone))
                : t.confirm(number(delivery.analysis!.messageCount))}
            </button>
          )}
        </div>
      </div>
      {dialog}
    </Card>
  );
}
