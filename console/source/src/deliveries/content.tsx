import { useRef, useState } from "preact/hooks";
import { change } from "../api/client";
import { FindRecipientsDocument, PreviewMessageDocument, SendProofDocument } from "../api/operations.generated";
import { useAction, useAnswer } from "../api/use";
import { Card, Dialog, Failure, Field, Loading, problemOf } from "../part/parts";
import { text } from "../text";
import type { StepProps } from "./delivery";
import { useSave } from "./save";

const t = text.deliveries;

const tokens = (coupon: { type: string } | null) => [
  ...(coupon?.type === "INDIVIDUAL" ? ["couponValue.code", "couponValue.label"] : []),
  ...(coupon ? [...(coupon.type === "ANONYMOUS" ? ["coupon.code"] : []), "coupon.label", 'coupon.endsAt | date: "%d.%m.%Y"'] : []),
  'recipient.firstName | default: "friend"',
  "recipient.lastName",
  "recipient.externalId",
  "delivery.label",
];

const isHTML = (body: string) => /<[a-z!][^>]*>/i.test(body);
// Every channel but mail has no subject line.
const hasSubject = (channel: string) => channel === "EMAIL" || channel === "PUSH";

export function Content({ delivery, again, go, mayChange }: StepProps) {
  const [values, setValues] = useState({ subject: delivery.subject ?? "", body: delivery.body });
  const [attribute, setAttribute] = useState("");
  const area = useRef<HTMLTextAreaElement>(null);
  const { save, isBusy, error, dialog } = useSave(delivery, again);
  const set = (next: Partial<typeof values>) => setValues({ ...values, ...next });
  const changes = { subject: values.subject || null, body: values.body };
  const isSaved = values.subject === (delivery.subject ?? "") && values.body === delivery.body;

  const insert = (token: string) => {
    const field = area.current!;
    const written = `{{ ${token} }}`;
    const body = values.body.slice(0, field.selectionStart) + written + values.body.slice(field.selectionEnd);
    const at = field.selectionStart + written.length;
    set({ body });
    requestAnimationFrame(() => {
      field.focus();
      field.setSelectionRange(at, at);
    });
  };

  return (
    <div class="columns two">
      <Card title={t.steps.content}>
        <form
          class="form"
          onSubmit={(event) => {
            event.preventDefault();
            void save(changes, () => go("check"));
          }}
        >
          <fieldset disabled={!mayChange}>
            {hasSubject(delivery.channel) && (
              <Field label={t.subject} error={problemOf(error, "subject")}>
                {(attributes) => <input {...attributes} maxLength={998} value={values.subject} onInput={(event) => set({ subject: event.currentTarget.value })} />}
              </Field>
            )}
            <Field label={t.body} hint={t.bodyHint} error={problemOf(error, "body")}>
              {(attributes) => (
                <textarea {...attributes} ref={area} required rows={14} value={values.body} onInput={(event) => set({ body: event.currentTarget.value })} />
              )}
            </Field>
            {mayChange && (
              <div class="tokens" role="group" aria-label={t.tokens}>
                <span class="quiet">{t.tokens}</span>
                {tokens(delivery.coupon ?? null).map((token) => (
                  <button key={token} type="button" class="token" onClick={() => insert(token)}>
                    {token.split(" | ")[0]}
                  </button>
                ))}
                <span class="attribute">
                  <input aria-label={t.attribute} placeholder={t.attribute} value={attribute} onInput={(event) => setAttribute(event.currentTarget.value)} />
                  <button type="button" class="token" disabled={!/^\w+$/.test(attribute)} onClick={() => insert(`recipient.attributes.${attribute}`)}>
                    {t.insert}
                  </button>
                </span>
              </div>
            )}
          </fieldset>
          <Failure error={error} />
          {mayChange && (
            <div class="actions end">
              <button type="button" disabled={isBusy || isSaved} onClick={() => save(changes)}>
                {text.save}
              </button>
              <button class="primary" disabled={isBusy}>
                {t.saveAndGo(t.steps.check)}
              </button>
            </div>
          )}
        </form>
        {dialog}
      </Card>
      <Preview delivery={delivery} isSaved={isSaved} />
    </div>
  );
}

/** The message as a chosen recipient will get it. It takes no code: one of the pool is only looked at. */
function Preview({ delivery, isSaved }: { delivery: StepProps["delivery"]; isSaved: boolean }) {
  const [search, setSearch] = useState("");
  const [chosen, setChosen] = useState("");
  const [isProof, setIsProof] = useState(false);
  const { data: found } = useAnswer(FindRecipientsDocument, { filter: search ? { search } : {}, first: 20 });
  const recipients = found?.recipients.nodes ?? [];
  const recipientId = recipients.some(({ id }) => id === chosen) ? chosen : String(recipients[0]?.id ?? "");
  const { data, error, again } = useAnswer(PreviewMessageDocument, recipientId ? { deliveryId: delivery.id, recipientId } : null);
  const [before, setBefore] = useState(delivery.body + delivery.subject);
  if (before !== delivery.body + delivery.subject) {
    setBefore(delivery.body + delivery.subject);
    again();
  }
  const { message, userErrors } = data?.previewMessage ?? {};
  return (
    <Card
      title={t.preview}
      actions={
        message && (
          <button type="button" onClick={() => setIsProof(true)}>
            {t.proof}
          </button>
        )
      }
    >
      <div class="filters">
        <input type="search" aria-label={t.searchRecipients} placeholder={t.searchRecipients} value={search} onInput={(event) => setSearch(event.currentTarget.value)} />
        <select aria-label={t.as} value={recipientId} onChange={(event) => setChosen(event.currentTarget.value)}>
          {recipients.map(({ id, externalId, firstName, lastName }) => (
            <option key={id} value={id}>
              {[firstName, lastName].filter(Boolean).join(" ") || externalId}
            </option>
          ))}
        </select>
      </div>
      {!isSaved && <p class="notice">{t.previewOld}</p>}
      {found && recipients.length === 0 && <p class="quiet">{t.noRecipients}</p>}
      <Failure error={error} />
      {userErrors?.map((problem) => (
        <p key={problem.message} class="notice bad">
          {problem.message}
        </p>
      ))}
      {recipientId && !data && !error && <Loading />}
      {message && (
        <article class="mail">
          {message.subject && <h3>{message.subject}</h3>}
          {isHTML(delivery.body) ? (
            <iframe key={message.body} title={t.preview} sandbox="" srcDoc={message.body} />
          ) : (
            <p class="written">{message.body}</p>
          )}
        </article>
      )}
      <p class="hint">{t.previewHint}</p>
      {isProof && <Proof deliveryId={String(delivery.id)} recipientId={recipientId} close={() => setIsProof(false)} />}
    </Card>
  );
}

function Proof({ deliveryId, recipientId, close }: { deliveryId: string; recipientId: string; close: () => void }) {
  const [addresses, setAddresses] = useState("");
  const [isDone, setIsDone] = useState(false);
  const { isBusy, error, run } = useAction();
  return (
    <Dialog title={t.proof} close={close}>
      <form
        class="form"
        onSubmit={(event) => {
          event.preventDefault();
          void run(async () => {
            const list = addresses.split(/[\s,;]+/).filter(Boolean);
            await change(SendProofDocument, { input: { deliveryId, recipientId, addresses: list } });
            setIsDone(true);
          });
        }}
      >
        <Field label={t.proofTo} hint={t.proofHint} error={problemOf(error, "addresses")}>
          {(attributes) => <input {...attributes} required autoFocus value={addresses} onInput={(event) => setAddresses(event.currentTarget.value)} />}
        </Field>
        <Failure error={error} />
        {isDone && (
          <p class="notice" role="status">
            {t.proofDone}
          </p>
        )}
        <div class="actions end">
          <button class="primary" disabled={isBusy}>
            {t.proof}
          </button>
        </div>
      </form>
    </Dialog>
  );
}
