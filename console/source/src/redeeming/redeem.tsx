import { useState } from "preact/hooks";
import { useRights } from "../api/caller";
import { change, newKey, send } from "../api/client";
import {
  RedeemCodeDocument,
  ReverseRedemptionDocument,
  ValidateCodeDocument,
  type RedeemCodeMutation,
  type ValidateCodeQuery,
} from "../api/operations.generated";
import { useAction } from "../api/use";
import { instant, lastDay } from "../part/format";
import { Card, Facts, Failure, Field, Heading, Status } from "../part/parts";
import { text } from "../text";

const t = text.redeem;

/** Looks at a code, redeems it, and takes that back. */
export function Redeeming() {
  const { timezone } = useRights();
  const [value, setValue] = useState("");
  const [reference, setReference] = useState("");
  const [found, setFound] = useState<ValidateCodeQuery["validateCode"]>();
  const [done, setDone] = useState<NonNullable<RedeemCodeMutation["redeemCode"]["redemption"]>>();
  const [isReversed, setIsReversed] = useState(false);
  const { isBusy, error, run, clear } = useAction();
  const look = async () => {
    setDone(undefined);
    setIsReversed(false);
    setFound((await send(ValidateCodeDocument, { value: value.trim() })).validateCode);
  };
  return (
    <>
      <Heading title={t.title} />
      <Card>
        <form
          class="form"
          onSubmit={(event) => {
            event.preventDefault();
            void run(look);
          }}
        >
          <Field label={t.code} hint={t.codeHint}>
            {(attributes) => (
              <input
                {...attributes}
                required
                autoFocus
                autoComplete="off"
                value={value}
                onInput={(event) => {
                  setValue(event.currentTarget.value);
                  setFound(undefined);
                  clear();
                }}
              />
            )}
          </Field>
          <Field label={t.reference} hint={t.referenceHint}>
            {(attributes) => <input {...attributes} value={reference} onInput={(event) => setReference(event.currentTarget.value)} />}
          </Field>
          <div class="actions">
            <button disabled={isBusy}>{t.look}</button>
            {found?.isRedeemable && !done && (
              <button
                type="button"
                class="primary"
                disabled={isBusy}
                onClick={() =>
                  run(async () => {
                    const { redemption } = await change(RedeemCodeDocument, {
                      input: { value: value.trim(), ...(reference && { reference }), idempotencyKey: newKey() },
                    });
                    setDone(redemption!);
                  })
                }
              >
                {t.redeem}
              </button>
            )}
          </div>
          <Failure error={error} />
        </form>
      </Card>
      {found && (
        <Card title={t.result}>
          <p class={done ? "notice good" : found.isRedeemable ? "notice" : "notice bad"} role="status">
            {isReversed ? t.reversed : done ? t.done(instant(done.redeemedAt)) : found.isRedeemable ? t.redeemable : found.userErrors.map(({ message }) => message).join(" ")}
          </p>
          {found.coupon && (
            <Facts
              facts={[
                [text.coupons.label, found.coupon.label],
                [text.coupons.end, found.coupon.endsAt ? lastDay(found.coupon.endsAt, found.coupon.timezone || timezone) : text.coupons.noEnd],
                ...(found.code ? ([[text.coupons.status, <Status key="s" value={done && !isReversed ? "REDEEMED" : found.code.status} />]] as [string, preact.JSX.Element][]) : []),
              ]}
            />
          )}
          {done && !isReversed && (
            <button
              type="button"
              disabled={isBusy}
              onClick={() =>
                run(async () => {
                  await change(ReverseRedemptionDocument, { input: { id: done.id } });
                  setIsReversed(true);
                })
              }
            >
              {t.reverse}
            </button>
          )}
        </Card>
      )}
    </>
  );
}
