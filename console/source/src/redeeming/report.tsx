import { useState } from "preact/hooks";
import { change } from "../api/client";
import { RecordBouncesDocument, type BounceKind } from "../api/operations.generated";
import { useAction } from "../api/use";
import { number } from "../part/format";
import { Card, Failure, Field, Heading, Select } from "../part/parts";
import { text } from "../text";

const t = text.report;
const kinds: BounceKind[] = ["HARD", "SOFT", "COMPLAINT", "DELIVERED"];

/** Says what became of a message that was sent. */
export function Reporting() {
  const [values, setValues] = useState({ address: "", kind: "HARD" as BounceKind, reason: "" });
  const [done, setDone] = useState<string>();
  const { isBusy, error, run } = useAction();
  const report = async () => {
    setDone(undefined);
    const { recordedCount, quarantinedCount, rejections } = await change(RecordBouncesDocument, {
      input: { bounces: [{ address: values.address, kind: values.kind, ...(values.reason && { reason: values.reason }) }] },
    });
    if (rejections[0]) throw new Error(rejections[0].message);
    setDone(t.done(number(recordedCount), number(quarantinedCount)));
  };
  return (
    <>
      <Heading title={t.title} />
      <Card>
        <form
          class="form"
          onSubmit={(event) => {
            event.preventDefault();
            void run(report);
          }}
        >
          <Field label={t.address}>
            {(attributes) => <input {...attributes} required value={values.address} onInput={(event) => setValues({ ...values, address: event.currentTarget.value })} />}
          </Field>
          <Field label={t.kind}>
            {(attributes) => <Select {...attributes} options={kinds} value={values.kind} onChange={(kind) => setValues({ ...values, kind: kind as BounceKind })} />}
          </Field>
          <Field label={t.reason}>
            {(attributes) => <input {...attributes} value={values.reason} onInput={(event) => setValues({ ...values, reason: event.currentTarget.value })} />}
          </Field>
          <Failure error={error} />
          {done && (
            <p class="notice good" role="status">
              {done}
            </p>
          )}
          <div class="actions">
            <button class="primary" disabled={isBusy}>
              {t.report}
            </button>
          </div>
        </form>
      </Card>
    </>
  );
}
