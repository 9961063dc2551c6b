// What an import is made of, in the address of the page that tries it, and how it is started.
import { change } from "../api/client";
import {
  ImportBouncesDocument,
  ImportCodesDocument,
  ImportCouponsDocument,
  ImportRecipientsDocument,
  ImportRedemptionsDocument,
  ImportTargetsDocument,
  type FileOptions,
  type ImportKind,
  type ImportMode,
} from "../api/operations.generated";

export type Plan = {
  kind?: ImportKind;
  coupon?: string;
  delivery?: string;
  mode?: ImportMode;
  /** The label that all codes of a file get. */
  label?: string;
  /** The id of the file that was sent. */
  upload?: string;
  /** "yes" or "no"; what is found out otherwise. */
  header?: string;
  delimiter?: string;
  /** "REJECT_FILE" where one bad row is to stop everything. */
  strict?: string;
};

export const planNames = ["kind", "coupon", "delivery", "mode", "label", "upload", "header", "delimiter", "strict"] as const;

export function planLink(path: string, plan: Plan): string {
  const parameters = new URLSearchParams();
  for (const name of planNames) if (plan[name]) parameters.set(name, plan[name]!);
  return `${path}?${parameters}`;
}

function options(plan: Plan): FileOptions | undefined {
  const found = {
    ...(plan.header && { hasHeader: plan.header === "yes" }),
    ...(plan.delimiter && { delimiter: plan.delimiter }),
  };
  return Object.keys(found).length > 0 ? found : undefined;
}

/** Starts an import and returns its id. */
export async function startImport(plan: Plan, dryRun: boolean, idempotencyKey: string): Promise<string> {
  const chosen = options(plan);
  const input = {
    uploadId: plan.upload!,
    dryRun,
    idempotencyKey,
    ...(chosen && { options: chosen }),
    ...(plan.strict && { onRejection: "REJECT_FILE" as const }),
  };
  const started = await {
    CODES: () =>
      change(ImportCodesDocument, {
        input: {
          ...input,
          mode: plan.mode ?? "ADD",
          ...(plan.coupon && { couponId: plan.coupon }),
          ...(plan.label && { label: plan.label }),
        },
      }),
    COUPONS: () => change(ImportCouponsDocument, { input }),
    RECIPIENTS: () => change(ImportRecipientsDocument, { input }),
    REDEMPTIONS: () => change(ImportRedemptionsDocument, { input }),
    TARGETS: () => change(ImportTargetsDocument, { input: { ...input, deliveryId: plan.delivery! } }),
    BOUNCES: () => change(ImportBouncesDocument, { input }),
  }[plan.kind ?? "CODES"]();
  return String(started.import!.id);
}
