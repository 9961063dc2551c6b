import { useState } from "preact/hooks";
import type { Channel } from "../api/operations.generated";
import { Card, Failure, Field, Select, problemOf } from "../part/parts";
import { text } from "../text";
import type { StepProps } from "./delivery";
import { channels, useCoupons } from "./new";
import { useSave } from "./save";

const t = text.deliveries;

export function Settings({ delivery, again, go, mayChange }: StepProps) {
  const coupons = useCoupons();
  const current = delivery.coupon;
  const all = current && !coupons.some(({ value }) => value === current.id) ? [...coupons, { value: String(current.id), label: current.label, type: current.type }] : coupons;
  const [values, setValues] = useState({
    label: delivery.label,
    channel: delivery.channel,
    couponId: String(delivery.coupon?.id ?? ""),
    messageLimit: delivery.messageLimit?.toString() ?? "",
    matchLabelTo: delivery.matchLabelTo ?? "",
    sendRate: delivery.sendRate?.toString() ?? "",
    allowDuplicateAddresses: delivery.allowDuplicateAddresses,
    ignoreQuarantine: delivery.ignoreQuarantine,
  });
  const set = (next: Partial<typeof values>) => setValues({ ...values, ...next });
  const { save, isBusy, error, dialog } = useSave(delivery, again);
  const changes = {
    label: values.label,
    channel: values.channel,
    couponId: values.couponId || null,
    messageLimit: values.messageLimit ? Number(values.messageLimit) : null,
    matchLabelTo: values.matchLabelTo || null,
    sendRate: values.sendRate ? Number(values.sendRate) : null,
    allowDuplicateAddresses: values.allowDuplicateAddresses,
    ignoreQuarantine: values.ignoreQuarantine,
  };
  return (
    <Card title={t.steps.settings}>
      <form
        class="form"
        onSubmit={(event) => {
          event.preventDefault();
          void save(changes, () => go("audience"));
        }}
      >
        <fieldset disabled={!mayChange}>
          <Field label={t.label} error={problemOf(error, "label")}>
            {(attributes) => <input {...attributes} required maxLength={255} value={values.label} onInput={(event) => set({ label: event.currentTarget.value })} />}
          </Field>
          <Field label={t.channel}>
            {(attributes) => (
              <Select {...attributes} options={channels} value={values.channel} onChange={(channel) => set({ channel: channel as Channel })} />
            )}
          </Field>
          <Field label={t.coupon} hint={t.couponHint} error={problemOf(error, "couponId")}>
            {(attributes) => <Select {...attributes} empty={t.noCoupon} options={all} value={values.couponId} onChange={(couponId) => set({ couponId })} />}
          </Field>
          <Field label={t.limit} hint={t.limitHint} error={problemOf(error, "messageLimit")}>
            {(attributes) => (
              <input {...attributes} type="number" min={1} value={values.messageLimit} onInput={(event) => set({ messageLimit: event.currentTarget.value })} />
            )}
          </Field>
          <Field label={t.match} hint={t.matchHint} error={problemOf(error, "matchLabelTo")}>
            {(attributes) => <input {...attributes} value={values.matchLabelTo} onInput={(event) => set({ matchLabelTo: event.currentTarget.value })} />}
          </Field>
          <Field label={t.sendRate} hint={t.sendRateHint} error={problemOf(error, "sendRate")}>
            {(attributes) => (
              <input {...attributes} type="number" min={0} step="any" value={values.sendRate} onInput={(event) => set({ sendRate: event.currentTarget.value })} />
            )}
          </Field>
          <label class="check">
            <input
              type="checkbox"
              checked={!values.allowDuplicateAddresses}
              onChange={(event) => set({ allowDuplicateAddresses: !event.currentTarget.checked })}
            />
            {t.noDuplicates}
          </label>
          <label class="check">
            <input type="checkbox" checked={!values.ignoreQuarantine} onChange={(event) => set({ ignoreQuarantine: !event.currentTarget.checked })} />
            {t.noQuarantined}
          </label>
        </fieldset>
        <Failure error={error} />
        {mayChange && (
          <div class="actions end">
            <button class="primary" disabled={isBusy}>
              {t.saveAndGo(t.steps.audience)}
            </button>
          </div>
        )}
      </form>
      {dialog}
    </Card>
  );
}
