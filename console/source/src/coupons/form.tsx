import { useLocation } from "preact-iso";
import { useRef, useState } from "preact/hooks";
import { useRights } from "../api/caller";
import { change, newKey } from "../api/client";
import { CreateCouponDocument, UpdateCouponDocument, type CouponFactsQuery, type CouponType } from "../api/operations.generated";
import { useAction } from "../api/use";
import { parts } from "../part/format";
import { Dialog, Failure, Field, Select, problemOf } from "../part/parts";
import { text } from "../text";

const t = text.coupons;
type Coupon = NonNullable<CouponFactsQuery["coupon"]>;

// An end is stored as the moment after the last one: at midnight, people mean the day before.
function fields(coupon: Coupon | undefined, timezone: string) {
  if (!coupon) {
    const today = parts(new Date(), timezone).date;
    return { label: "", code: "", type: "INDIVIDUAL" as CouponType, start: today, startTime: "", end: "", endTime: "", threshold: "", limit: "", requires: true };
  }
  const start = parts(new Date(coupon.startsAt), coupon.timezone);
  let end = { date: "", time: "" };
  if (coupon.endsAt) {
    end = parts(new Date(coupon.endsAt), coupon.timezone);
    if (end.time === "00:00") end = { date: parts(new Date(new Date(coupon.endsAt).getTime() - 1), coupon.timezone).date, time: "" };
  }
  return {
    label: coupon.label,
    code: coupon.code,
    type: coupon.type,
    start: start.date,
    startTime: start.time === "00:00" ? "" : start.time,
    end: end.date,
    endTime: end.time,
    threshold: coupon.lowStockThreshold?.toString() ?? "",
    limit: coupon.redemptionLimit?.toString() ?? "",
    requires: coupon.requiresAssignment,
  };
}

const moment = (date: string, time: string) => (time ? `${date}T${time}:00` : date);
const amount = (value: string) => (value === "" ? null : Number(value));

export function CouponForm({ coupon, close, saved }: { coupon?: Coupon; close: () => void; saved?: () => void }) {
  const { timezone: ofServer } = useRights();
  const { route } = useLocation();
  const timezone = coupon?.timezone ?? ofServer;
  const [before] = useState(() => fields(coupon, timezone));
  const [values, setValues] = useState(before);
  const { isBusy, error, run } = useAction();
  const key = useRef(newKey());
  const set = (next: Partial<typeof values>) => {
    key.current = newKey();
    setValues({ ...values, ...next });
  };
  const input = (name: keyof typeof values) => ({
    value: values[name] as string,
    onInput: (event: { currentTarget: HTMLInputElement }) => set({ [name]: event.currentTarget.value }),
  });

  const save = async () => {
    const times = {
      startsAt: moment(values.start, values.startTime),
      endsAt: values.end ? moment(values.end, values.endTime) : null,
    };
    if (coupon) {
      const has = (...names: (keyof typeof values)[]) => names.some((name) => values[name] !== before[name]);
      await change(UpdateCouponDocument, {
        input: {
          id: coupon.id,
          ...(has("label") && { label: values.label }),
          ...(has("code") && { code: values.code }),
          ...(has("start", "startTime") && { startsAt: times.startsAt }),
          ...(has("end", "endTime") && { endsAt: times.endsAt }),
          ...(has("threshold") && { lowStockThreshold: amount(values.threshold) }),
          ...(has("limit") && { redemptionLimit: amount(values.limit) }),
          ...(has("requires") && { requiresAssignment: values.requires }),
        },
      });
      saved?.();
      return close();
    }
    const { coupon: made } = await change(CreateCouponDocument, {
      input: {
        label: values.label,
        ...(values.code && { code: values.code }),
        type: values.type,
        ...times,
        ...(values.threshold && { lowStockThreshold: amount(values.threshold) }),
        ...(values.limit && { redemptionLimit: amount(values.limit) }),
        requiresAssignment: values.type === "INDIVIDUAL" && values.requires,
        idempotencyKey: key.current,
      },
    });
    route(`/console/coupons/${made!.id}`);
  };

  return (
    <Dialog title={coupon ? t.edit : t.new} close={close}>
      <form
        class="form"
        onSubmit={(event) => {
          event.preventDefault();
          void run(save);
        }}
      >
        <Field label={t.label} error={problemOf(error, "label")}>
          {(attributes) => <input {...attributes} {...input("label")} required maxLength={255} autoFocus />}
        </Field>
        {!coupon && (
          <Field label={t.type} hint={values.type === "INDIVIDUAL" ? t.individualHint : t.anonymousHint}>
            {(attributes) => (
              <Select
                {...attributes}
                options={["INDIVIDUAL", "ANONYMOUS"] as const}
                value={values.type}
                onChange={(type) => set({ type: type as CouponType })}
              />
            )}
          </Field>
        )}
        <Field label={t.code} hint={values.type === "INDIVIDUAL" ? t.codeHint : t.sharedHint} error={problemOf(error, "code")}>
          {(attributes) => <input {...attributes} {...input("code")} maxLength={255} placeholder={coupon ? "" : t.codeAuto} />}
        </Field>
        <div class="pair">
          <Field label={t.start} error={problemOf(error, "startsAt")}>
            {(attributes) => <input {...attributes} {...input("start")} type="date" required />}
          </Field>
          <Field label={t.startTime}>{(attributes) => <input {...attributes} {...input("startTime")} type="time" />}</Field>
        </div>
        <div class="pair">
          <Field label={t.end} hint={values.endTime ? t.endTimeHint : t.endHint} error={problemOf(error, "endsAt")}>
            {(attributes) => <input {...attributes} {...input("end")} type="date" />}
          </Field>
          <Field label={t.endTime}>{(attributes) => <input {...attributes} {...input("endTime")} type="time" disabled={!values.end} />}</Field>
        </div>
        <p class="hint">{t.zone(timezone)}</p>
        {values.type === "INDIVIDUAL" && (
          <Field label={t.threshold} hint={t.thresholdHint} error={problemOf(error, "lowStockThreshold")}>
            {(attributes) => <input {...attributes} {...input("threshold")} type="number" min={0} />}
          </Field>
        )}
        <Field
          label={t.limit}
          hint={values.type === "INDIVIDUAL" ? t.limitHintOne : t.limitHint}
          error={problemOf(error, "redemptionLimit")}
        >
          {(attributes) => <input {...attributes} {...input("limit")} type="number" min={1} />}
        </Field>
        {values.type === "INDIVIDUAL" && (
          <label class="check">
            <input type="checkbox" checked={values.requires} onChange={(event) => set({ requires: event.currentTarget.checked })} />
            {t.requires}
          </label>
        )}
        <Failure error={error} />
        <div class="actions end">
          <button type="button" onClick={close}>
            {text.cancel}
          </button>
          <button class="primary" disabled={isBusy}>
            {coupon ? text.save : t.create}
          </button>
        </div>
      </form>
    </Dialog>
  );
}
