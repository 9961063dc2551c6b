import { useLocation } from "preact-iso";
import { useRef, useState } from "preact/hooks";
import { change, newKey } from "../api/client";
import { CouponChoicesDocument, CreateDeliveryDocument, type Channel } from "../api/operations.generated";
import { useAction, useAnswer } from "../api/use";
import { number } from "../part/format";
import { Card, Failure, Field, Heading, Select, problemOf } from "../part/parts";
import { text } from "../text";

const t = text.deliveries;
export const channels: Channel[] = ["EMAIL", "SMS", "PUSH", "DIRECT_MAIL"];

/** The coupons that can be handed out, each with how many codes it has. */
export function useCoupons(): { value: string; label: string; type: string }[] {
  const { data } = useAnswer(CouponChoicesDocument, {});
  return (data?.coupons.nodes ?? []).map(({ id, label, type, availability }) => ({
    value: String(id),
    label: type === "INDIVIDUAL" ? `${label} (${t.codesLeft(number(availability.available))})` : `${label} (${t.oneCode})`,
    type,
  }));
}

export function NewDelivery() {
  const { query, route } = useLocation();
  const [values, setValues] = useState({ label: "", channel: "EMAIL" as Channel, couponId: query.coupon ?? "" });
  const coupons = useCoupons();
  const { isBusy, error, run } = useAction();
  const key = useRef(newKey());
  const set = (next: Partial<typeof values>) => {
    key.current = newKey();
    setValues({ ...values, ...next });
  };
  const create = async () => {
    const type = coupons.find(({ value }) => value === values.couponId)?.type;
    const { delivery } = await change(CreateDeliveryDocument, {
      input: {
        label: values.label,
        channel: values.channel,
        ...(values.couponId && { couponId: values.couponId }),
        ...(values.channel === "EMAIL" && { subject: values.label }),
        body: t.firstBody(type === "INDIVIDUAL" ? "{{ couponValue.code }}" : type ? "{{ coupon.code }}" : ""),
        idempotencyKey: key.current,
      },
    });
    route(`/console/deliveries/${delivery!.id}/audience`);
  };
  return (
    <>
      <Heading title={t.new} back={{ href: "/console/deliveries", label: t.title }} />
      <Card>
        <form
          class="form"
          onSubmit={(event) => {
            event.preventDefault();
            void run(create);
          }}
        >
          <Field label={t.label} hint={t.labelHint} error={problemOf(error, "label")}>
            {(attributes) => (
              <input {...attributes} required maxLength={255} autoFocus value={values.label} onInput={(event) => set({ label: event.currentTarget.value })} />
            )}
          </Field>
          <Field label={t.channel}>
            {(attributes) => (
              <Select {...attributes} options={channels} value={values.channel} onChange={(channel) => set({ channel: channel as Channel })} />
            )}
          </Field>
          <Field label={t.coupon} hint={t.couponHint} error={problemOf(error, "couponId")}>
            {(attributes) => (
              <Select {...attributes} empty={t.noCoupon} options={coupons} value={values.couponId} onChange={(couponId) => set({ couponId })} />
            )}
          </Field>
          <Failure error={error} />
          <div class="actions end">
            <a class="button" href="/console/deliveries">
              {text.cancel}
            </a>
            <button class="primary" disabled={isBusy}>
              {t.create}
            </button>
          </div>
        </form>
      </Card>
    </>
  );
}
