import { useLocation } from "preact-iso";
import { useEffect, useRef, useState } from "preact/hooks";
import { newKey } from "../api/client";
import { CouponChoicesDocument, type ImportKind, type ImportMode } from "../api/operations.generated";
import { useAction, useAnswer } from "../api/use";
import { useParameters } from "../part/address";
import { bytes } from "../part/format";
import { Card, Failure, Field, Heading, Progress, Select } from "../part/parts";
import { text } from "../text";
import { planLink, planNames, startImport, type Plan } from "./start-import";
import { sendFile } from "./upload";

const t = text.imports;
const kinds: ImportKind[] = ["CODES", "RECIPIENTS", "REDEMPTIONS", "COUPONS", "BOUNCES"];
const modes: ImportMode[] = ["ADD", "REPLACE_UNUSED", "VOID"];

/** Chooses what a file is for, sends it, and tries it without changing anything. */
export function NewImport() {
  const [parameters, set] = useParameters<(typeof planNames)[number]>();
  const { route } = useLocation();
  const plan = parameters as Plan;
  const kind: ImportKind = plan.kind ?? "CODES";
  const { data } = useAnswer(CouponChoicesDocument, kind === "CODES" ? {} : null);
  const coupons = data?.coupons.nodes.filter(({ type }) => type === "INDIVIDUAL") ?? [];
  return (
    <>
      <Heading title={t.new} back={{ href: "/console/imports", label: t.title }} />
      <Card>
        <div class="form">
          {kind !== "TARGETS" && (
            <Field label={t.kind} hint={t.kindHint[kind]}>
              {(attributes) => (
                <Select<ImportKind> {...attributes} options={kinds} value={kind} onChange={(next) => set({ kind: next as ImportKind })} />
              )}
            </Field>
          )}
          {kind === "CODES" && (
            <>
              <Field label={t.coupon} hint={plan.coupon ? "" : t.couponHint}>
                {(attributes) => (
                  <Select
                    {...attributes}
                    empty={t.couponInFile}
                    options={coupons.map(({ id, label }) => ({ value: String(id), label }))}
                    value={plan.coupon ?? ""}
                    onChange={(coupon) => set({ coupon })}
                  />
                )}
              </Field>
              <Field label={t.mode} hint={t.modeHint[plan.mode ?? "ADD"]}>
                {(attributes) => (
                  <Select {...attributes} options={modes} value={plan.mode ?? "ADD"} onChange={(mode) => set({ mode: mode as ImportMode })} />
                )}
              </Field>
              {(plan.mode ?? "ADD") !== "VOID" && (
                <Field label={t.label} hint={t.labelHint}>
                  {(attributes) => (
                    <input {...attributes} value={plan.label ?? ""} onInput={(event) => set({ label: event.currentTarget.value })} />
                  )}
                </Field>
              )}
            </>
          )}
          <label class="check">
            <input
              type="checkbox"
              checked={plan.strict === "REJECT_FILE"}
              onChange={(event) => set({ strict: event.currentTarget.checked ? "REJECT_FILE" : "" })}
            />
            {t.strict}
          </label>
          <FileDrop
            sent={async (upload) => {
              const whole = { ...plan, kind, upload };
              const id = await startImport(whole, true, newKey());
              route(planLink(`/console/imports/${id}`, whole));
            }}
          />
        </div>
      </Card>
    </>
  );
}

/** A place to drop a file on. It sends the file at once and tells how far it is. */
export function FileDrop({ sent }: { sent: (uploadId: string) => Promise<void> }) {
  const [file, setFile] = useState<File>();
  const [progress, setProgress] = useState(0);
  const [isOver, setIsOver] = useState(false);
  const { isBusy, error, run } = useAction();
  const controller = useRef<AbortController | null>(null);
  const input = useRef<HTMLInputElement>(null);
  useEffect(() => () => controller.current?.abort(), []);
  const take = (next: File | undefined) => {
    if (!next || isBusy) return;
    setFile(next);
    setProgress(0);
    controller.current = new AbortController();
    const { signal } = controller.current;
    void run(async () => {
      const upload = await sendFile(next, setProgress, signal);
      await sent(upload);
    });
  };
  return (
    <div
      class={isOver ? "drop over" : "drop"}
      onDragOver={(event) => {
        event.preventDefault();
        setIsOver(true);
      }}
      onDragLeave={() => setIsOver(false)}
      onDrop={(event) => {
        event.preventDefault();
        setIsOver(false);
        take(event.dataTransfer?.files[0]);
      }}
    >
      <p class="empty-title">{t.drop}</p>
      <p class="quiet">{t.dropHint}</p>
      <input
        ref={input}
        type="file"
        class="hidden"
        tabIndex={-1}
        aria-label={t.choose}
        onChange={(event) => take(event.currentTarget.files?.[0])}
      />
      <button type="button" class="primary" disabled={isBusy} onClick={() => input.current?.click()}>
        {t.choose}
      </button>
      {file && isBusy && (
        <>
          <Progress
            value={file.size > 0 ? progress / file.size : 1}
            label={progress < file.size ? t.sending(file.name, bytes(progress), bytes(file.size)) : t.starting(file.name)}
          />
          <button type="button" onClick={() => controller.current?.abort()}>
            {t.pause}
          </button>
        </>
      )}
      {file && !isBusy && error && (
        <>
          {error.name === "AbortError" ? <p class="quiet">{t.paused(file.name)}</p> : <Failure error={error} />}
          <button type="button" onClick={() => take(file)}>
            {t.goOn}
          </button>
        </>
      )}
    </div>
  );
}
