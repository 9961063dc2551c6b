import { useRef, useState } from "preact/hooks";
import { change, newKey } from "../api/client";
import { GenerateCodesDocument } from "../api/operations.generated";
import { useAction } from "../api/use";
import { number } from "../part/format";
import { Dialog, Failure, Field, problemOf } from "../part/parts";
import { text } from "../text";

const t = text.generate;

type Props = { couponId: string; close: () => void; made: () => void; count?: number; label?: string };

/** Makes random codes. Above a million the server makes them in the background. */
export function Generate({ couponId, close, made, count, label }: Props) {
  const [values, setValues] = useState({ count: String(count ?? 1000), pattern: "########", label: label ?? "" });
  const [done, setDone] = useState<{ count: number; sample: string[] }>();
  const { isBusy, error, run } = useAction();
  const key = useRef(newKey());
  const input = (name: keyof typeof values) => ({
    value: values[name],
    onInput: (event: { currentTarget: HTMLInputElement }) => {
      key.current = newKey();
      setValues({ ...values, [name]: event.currentTarget.value });
    },
  });
  const generate = async () => {
    const { generatedCount, sample } = await change(GenerateCodesDocument, {
      input: {
        couponId,
        count: Number(values.count),
        pattern: values.pattern,
        ...(values.label && { label: values.label }),
        idempotencyKey: key.current,
      },
    });
    setDone({ count: generatedCount, sample });
    made();
  };
  return (
    <Dialog title={t.title} close={close}>
      {done ? (
        <>
          <p role="status">{done.count > 0 ? t.done(number(done.count)) : t.begun}</p>
          {done.sample.length > 0 && (
            <p>
              {t.sample} <code>{done.sample.slice(0, 3).join("  ")}</code>
            </p>
          )}
          <div class="actions end">
            <button type="button" class="primary" onClick={close}>
              {text.close}
            </button>
          </div>
        </>
      ) : (
        <form
          class="form"
          onSubmit={(event) => {
            event.preventDefault();
            void run(generate);
          }}
        >
          <Field label={t.count} error={problemOf(error, "count")}>
            {(attributes) => <input {...attributes} {...input("count")} type="number" min={1} required autoFocus />}
          </Field>
          <Field label={t.pattern} hint={t.patternHint} error={problemOf(error, "pattern")}>
            {(attributes) => <input {...attributes} {...input("pattern")} required />}
          </Field>
          <Field label={t.label} hint={t.labelHint} error={problemOf(error, "label")}>
            {(attributes) => <input {...attributes} {...input("label")} />}
          </Field>
          <Failure error={error} />
          <div class="actions end">
            <button type="button" onClick={close}>
              {text.cancel}
            </button>
            <button class="primary" disabled={isBusy}>
              {t.do}
            </button>
          </div>
        </form>
      )}
    </Dialog>
  );
}
