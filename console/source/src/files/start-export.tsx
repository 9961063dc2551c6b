import { useRef, useState } from "preact/hooks";
import { change, newKey } from "../api/client";
import {
  ExportCodesDocument,
  ExportCouponsDocument,
  ExportDeliveriesDocument,
  ExportMessagesDocument,
  ExportRecipientsDocument,
  ExportRedemptionsDocument,
  type FileFormat,
} from "../api/operations.generated";
import { useAction } from "../api/use";
import { Dialog, Failure, Field, Select, words } from "../part/parts";
import { text } from "../text";
import { ExportProgressLine } from "./exports";

const t = text.exports;

export type What =
  | { kind: "CODES"; couponId?: string }
  | { kind: "MESSAGES"; deliveryId: string }
  | { kind: "REDEMPTIONS"; deliveryId?: string }
  | { kind: "COUPONS" | "RECIPIENTS" | "DELIVERIES" };

const formats: FileFormat[] = ["CSV", "XML", "JSONL", "PARQUET"];

async function start(what: What, format: FileFormat, isSpreadsheetSafe: boolean, idempotencyKey: string): Promise<string> {
  const input = { format, isSpreadsheetSafe, idempotencyKey };
  const started = await (() => {
    switch (what.kind) {
      case "CODES":
        return change(ExportCodesDocument, { input: { ...input, ...(what.couponId && { couponId: what.couponId }) } });
      case "MESSAGES":
        return change(ExportMessagesDocument, { input: { ...input, deliveryId: what.deliveryId } });
      case "REDEMPTIONS":
        return change(ExportRedemptionsDocument, {
          input: { ...input, ...(what.deliveryId && { filter: { deliveryIds: [what.deliveryId] } }) },
        });
      case "COUPONS":
        return change(ExportCouponsDocument, { input });
      case "RECIPIENTS":
        return change(ExportRecipientsDocument, { input });
      case "DELIVERIES":
        return change(ExportDeliveriesDocument, { input });
    }
  })();
  return String(started.export!.id);
}

/** A button that asks for the format, starts an export, and offers the file when it is there. */
export function ExportButton({ what, choices, started }: { what: What; choices?: What[]; started?: () => void }) {
  const [isOpen, setIsOpen] = useState(false);
  const [chosen, setChosen] = useState(what);
  const [format, setFormat] = useState<FileFormat>("CSV");
  const [isSafe, setIsSafe] = useState(true);
  const [id, setId] = useState<string>();
  const { isBusy, error, run } = useAction();
  const key = useRef(newKey());
  const open = () => {
    key.current = newKey();
    setId(undefined);
    setIsOpen(true);
  };
  return (
    <>
      <button type="button" class={choices ? "primary" : ""} onClick={open}>
        {t.start}
      </button>
      {isOpen && (
        <Dialog title={t.title1(words(chosen.kind))} close={() => setIsOpen(false)}>
          {id ? (
            <ExportProgressLine id={id} />
          ) : (
            <form
              class="form"
              onSubmit={(event) => {
                event.preventDefault();
                void run(async () => {
                  setId(await start(chosen, format, format === "CSV" && isSafe, key.current));
                  started?.();
                });
              }}
            >
              {choices && (
                <Field label={t.kind}>
                  {(attributes) => (
                    <Select
                      {...attributes}
                      options={choices.map(({ kind }) => kind)}
                      value={chosen.kind}
                      onChange={(kind) => setChosen(choices.find((it) => it.kind === kind)!)}
                    />
                  )}
                </Field>
              )}
              <Field label={t.format} hint={t.formatHint[format as "CSV"]}>
                {(attributes) => (
                  <Select {...attributes} options={formats} value={format} onChange={(next) => setFormat(next as FileFormat)} />
                )}
              </Field>
              {format === "CSV" && (
                <label class="check">
                  <input type="checkbox" checked={isSafe} onChange={(event) => setIsSafe(event.currentTarget.checked)} />
                  {t.safe}
                </label>
              )}
              <Failure error={error} />
              <div class="actions end">
                <button type="button" onClick={() => setIsOpen(false)}>
                  {text.cancel}
                </button>
                <button class="primary" disabled={isBusy}>
                  {t.start}
                </button>
              </div>
            </form>
          )}
        </Dialog>
      )}
    </>
  );
}
