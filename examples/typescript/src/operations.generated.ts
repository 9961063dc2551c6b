/** Internal type. DO NOT USE DIRECTLY. */
type Exact<T extends { [key: string]: unknown }> = { [K in keyof T]: T[K] };
/** Internal type. DO NOT USE DIRECTLY. */
export type Incremental<T> = T | { [P in keyof T]?: P extends ' $fragmentName' | '__typename' ? T[P] : never };
import type { DocumentTypeDecoration } from '@graphql-typed-document-node/core';
export type Channel =
  | 'DIRECT_MAIL'
  | 'EMAIL'
  | 'PUSH'
  | 'SMS';

export type CodeReuse =
  | 'NEW_CODE'
  | 'SAME_CODE'
  | 'SKIP_HOLDERS';

export type CodeStatus =
  | 'ASSIGNED'
  | 'AVAILABLE'
  | 'EXPIRED'
  | 'REDEEMED'
  | 'VOIDED';

export type CouponStatus =
  | 'ACTIVE'
  | 'ARCHIVED'
  | 'EXPIRED'
  | 'SCHEDULED';

export type CouponType =
  | 'ANONYMOUS'
  | 'INDIVIDUAL';

export type CreateCouponInput = {
  code?: string | null | undefined;
  endsAt?: string | null | undefined;
  idempotencyKey?: string | null | undefined;
  label: string;
  lowStockShare?: number | null | undefined;
  lowStockThreshold?: number | null | undefined;
  metadata?: Record<string, unknown> | null | undefined;
  redemptionLimit?: number | null | undefined;
  requiresAssignment?: boolean | null | undefined;
  startsAt: string;
  timezone?: string | null | undefined;
  type: CouponType;
};

export type CreateDeliveryInput = {
  allowDuplicateAddresses?: boolean | null | undefined;
  body: string;
  channel?: Channel | null | undefined;
  contactAt?: string | null | undefined;
  couponId?: string | number | null | undefined;
  idempotencyKey?: string | null | undefined;
  ignoreQuarantine?: boolean | null | undefined;
  label: string;
  matchLabelTo?: string | null | undefined;
  messageLimit?: number | null | undefined;
  reuse?: CodeReuse | null | undefined;
  sendRate?: number | null | undefined;
  subject?: string | null | undefined;
};

export type CreateUploadInput = {
  byteCount?: number | null | undefined;
  checksum?: string | null | undefined;
  fileName: string;
  idempotencyKey?: string | null | undefined;
};

export type DeliveryStatus =
  | 'EDITING'
  | 'FAILED'
  | 'FINISHED'
  | 'IN_PROGRESS'
  | 'PAUSED'
  | 'READY'
  | 'SCHEDULED'
  | 'STOPPED';

export type ErrorCode =
  | 'ALREADY_EXISTS'
  | 'ANALYSIS_STALE'
  | 'CODE_ALREADY_REDEEMED'
  | 'CODE_EXPIRED'
  | 'CODE_NOT_ASSIGNED'
  | 'CODE_NOT_YET_VALID'
  | 'CODE_SPACE_TOO_SMALL'
  | 'CODE_UNKNOWN'
  | 'CODE_VOIDED'
  | 'FILE_TOO_LARGE'
  | 'FILE_UNREADABLE'
  | 'INSUFFICIENT_CODES'
  | 'INVALID'
  | 'INVALID_STATE'
  | 'NOT_FOUND'
  | 'QUERY_REJECTED'
  | 'QUERY_TIMEOUT'
  | 'RATE_LIMITED'
  | 'REDEMPTION_LIMIT_REACHED'
  | 'REDEMPTION_REVERSED'
  | 'RESULT_TOO_LARGE'
  | 'TEMPLATE_INVALID';

export type ExclusionReason =
  | 'ALREADY_REDEEMED'
  | 'DUPLICATE_ADDRESS'
  | 'HOLDS_CODE'
  | 'INVALID_ADDRESS'
  | 'MESSAGE_LIMIT'
  | 'NOT_CONTACTABLE'
  | 'NO_ADDRESS'
  | 'NO_MATCHING_LABEL'
  | 'QUARANTINED';

export type GenerateCodesInput = {
  alphabet?: string | null | undefined;
  count: number;
  couponId: string | number;
  idempotencyKey?: string | null | undefined;
  label?: string | null | undefined;
  pattern?: string | null | undefined;
};

export type ImportStatus =
  | 'CANCELED'
  | 'FAILED'
  | 'QUEUED'
  | 'RUNNING'
  | 'SUCCEEDED';

export type RedeemCodeInput = {
  amount?: string | null | undefined;
  currency?: string | null | undefined;
  customer?: string | null | undefined;
  idempotencyKey?: string | null | undefined;
  redeemedAt?: string | null | undefined;
  reference?: string | null | undefined;
  store?: string | null | undefined;
  value: string;
};

export type RejectionReason =
  | 'ALREADY_EXISTS'
  | 'ALREADY_RECORDED'
  | 'ALREADY_REDEEMED'
  | 'AMBIGUOUS_AMOUNT'
  | 'AMBIGUOUS_CODE'
  | 'AMBIGUOUS_COLUMN'
  | 'AMBIGUOUS_DATE'
  | 'BAD_ADDRESS'
  | 'BAD_AMOUNT'
  | 'BAD_CHARACTER'
  | 'BAD_CURRENCY'
  | 'BAD_DATE'
  | 'BAD_FLAG'
  | 'BAD_JSON'
  | 'BAD_KIND'
  | 'BAD_NUMBER'
  | 'BAD_PERIOD'
  | 'BAD_TIMEZONE'
  | 'BAD_TYPE'
  | 'CANNOT_CHANGE'
  | 'DUPLICATE_IN_FILE'
  | 'EMPTY'
  | 'EXISTS_ELSEWHERE'
  | 'FUTURE_DATE'
  | 'MALFORMED'
  | 'NOT_A_ROW'
  | 'NOT_SENT'
  | 'NO_OUTCOME'
  | 'NO_POOL'
  | 'RESERVED'
  | 'ROUNDED_NUMBER'
  | 'TOO_LONG'
  | 'UNKNOWN_CODE'
  | 'UNKNOWN_COUPON'
  | 'UNKNOWN_MESSAGE'
  | 'UNKNOWN_RECIPIENT';

export type CreateCouponMutationVariables = Exact<{
  input: CreateCouponInput;
}>;


export type CreateCouponMutation = { createCoupon: { coupon: { id: string, code: string, status: CouponStatus } | null, userErrors: Array<{ code: ErrorCode, message: string, field: Array<string> | null }> } };

export type GenerateCodesMutationVariables = Exact<{
  input: GenerateCodesInput;
}>;


export type GenerateCodesMutation = { generateCodes: { generatedCount: number, coupon: { availability: { total: number, available: number } } | null, userErrors: Array<{ code: ErrorCode, message: string, field: Array<string> | null }> } };

export type CreateUploadMutationVariables = Exact<{
  input: CreateUploadInput;
}>;


export type CreateUploadMutation = { createUpload: { upload: { id: string, url: string } | null, userErrors: Array<{ code: ErrorCode, message: string, field: Array<string> | null }> } };

export type ImportRecipientsMutationVariables = Exact<{
  uploadId: string | number;
}>;


export type ImportRecipientsMutation = { importRecipients: { import: { id: string } | null, userErrors: Array<{ code: ErrorCode, message: string, field: Array<string> | null }> } };

export type ImportOutcomeQueryVariables = Exact<{
  id: string | number;
}>;


export type ImportOutcomeQuery = { import: { status: ImportStatus, rowsRead: number, rowsImported: number, rowsRejected: number, failure: string | null, rejections: { nodes: Array<{ line: number, reason: RejectionReason, value: string | null }> } } | null };

export type CreateDeliveryMutationVariables = Exact<{
  input: CreateDeliveryInput;
}>;


export type CreateDeliveryMutation = { createDelivery: { delivery: { id: string, status: DeliveryStatus } | null, userErrors: Array<{ code: ErrorCode, message: string, field: Array<string> | null }> } };

export type AddTargetsMutationVariables = Exact<{
  deliveryId: string | number;
  externalIds: Array<string> | string;
}>;


export type AddTargetsMutation = { addTargets: { delivery: { targetCount: number } | null, userErrors: Array<{ code: ErrorCode, message: string, field: Array<string> | null }> } };

export type AnalyzeDeliveryMutationVariables = Exact<{
  id: string | number;
}>;


export type AnalyzeDeliveryMutation = { analyzeDelivery: { delivery: { status: DeliveryStatus, analysis: { messageCount: number, codesNeeded: number, codesShort: number, isSufficient: boolean, exclusions: Array<{ reason: ExclusionReason, count: number }>, remedies: Array<{ text: string }> } | null } | null, userErrors: Array<{ code: ErrorCode, message: string, field: Array<string> | null }> } };

export type ConfirmDeliveryMutationVariables = Exact<{
  id: string | number;
}>;


export type ConfirmDeliveryMutation = { confirmDelivery: { delivery: { status: DeliveryStatus } | null, userErrors: Array<{ code: ErrorCode, message: string, field: Array<string> | null }> } };

export type DeliveryOutcomeQueryVariables = Exact<{
  id: string | number;
}>;


export type DeliveryOutcomeQuery = { delivery: { status: DeliveryStatus, counts: { sent: number, total: number }, messages: { nodes: Array<{ address: string, code: { value: string, status: CodeStatus } | null, recipient: { externalId: string } }> } } | null };

export type RedeemCodeMutationVariables = Exact<{
  input: RedeemCodeInput;
}>;


export type RedeemCodeMutation = { redeemCode: { redemption: { id: string, amount: string | null, currency: string | null } | null, userErrors: Array<{ code: ErrorCode, message: string, field: Array<string> | null }> } };

export type CouponStatsQueryVariables = Exact<{
  couponId: string | number;
}>;


export type CouponStatsQuery = { redemptionStats: Array<{ keys: Array<string>, stats: { assigned: number, sent: number, redeemed: number, redemptionRate: number | null, byCurrency: Array<{ currency: string | null, redeemed: number, amount: string }> } }> };

export type ProblemFragment = { code: ErrorCode, message: string, field: Array<string> | null };

export class TypedDocumentString<TResult, TVariables>
  extends String
  implements DocumentTypeDecoration<TResult, TVariables>
{
  __apiType?: NonNullable<DocumentTypeDecoration<TResult, TVariables>['__apiType']>;
  private value: string;
  public __meta__?: Record<string, any> | undefined;

  constructor(value: string, __meta__?: Record<string, any> | undefined) {
    super(value);
    this.value = value;
    this.__meta__ = __meta__;
  }

  override toString(): string & DocumentTypeDecoration<TResult, TVariables> {
    return this.value;
  }
}
export const ProblemFragmentDoc = new TypedDocumentString(`
    fragment Problem on UserError {
  code
  message
  field
}
    `, {"fragmentName":"Problem"}) as unknown as TypedDocumentString<ProblemFragment, unknown>;
export const CreateCouponDocument = new TypedDocumentString(`
    mutation CreateCoupon($input: CreateCouponInput!) {
  createCoupon(input: $input) {
    coupon {
      id
      code
      status
    }
    userErrors {
      ...Problem
    }
  }
}
    fragment Problem on UserError {
  code
  message
  field
}`) as unknown as TypedDocumentString<CreateCouponMutation, CreateCouponMutationVariables>;
export const GenerateCodesDocument = new TypedDocumentString(`
    mutation GenerateCodes($input: GenerateCodesInput!) {
  generateCodes(input: $input) {
    generatedCount
    coupon {
      availability {
        total
        available
      }
    }
    userErrors {
      ...Problem
    }
  }
}
    fragment Problem on UserError {
  code
  message
  field
}`) as unknown as TypedDocumentString<GenerateCodesMutation, GenerateCodesMutationVariables>;
export const CreateUploadDocument = new TypedDocumentString(`
    mutation CreateUpload($input: CreateUploadInput!) {
  createUpload(input: $input) {
    upload {
      id
      url
    }
    userErrors {
      ...Problem
    }
  }
}
    fragment Problem on UserError {
  code
  message
  field
}`) as unknown as TypedDocumentString<CreateUploadMutation, CreateUploadMutationVariables>;
export const ImportRecipientsDocument = new TypedDocumentString(`
    mutation ImportRecipients($uploadId: ID!) {
  importRecipients(input: {uploadId: $uploadId}) {
    import {
      id
    }
    userErrors {
      ...Problem
    }
  }
}
    fragment Problem on UserError {
  code
  message
  field
}`) as unknown as TypedDocumentString<ImportRecipientsMutation, ImportRecipientsMutationVariables>;
export const ImportOutcomeDocument = new TypedDocumentString(`
    query ImportOutcome($id: ID!) {
  import(id: $id) {
    status
    rowsRead
    rowsImported
    rowsRejected
    rejections(first: 10) {
      nodes {
        line
        reason
        value
      }
    }
    failure
  }
}
    `) as unknown as TypedDocumentString<ImportOutcomeQuery, ImportOutcomeQueryVariables>;
export const CreateDeliveryDocument = new TypedDocumentString(`
    mutation CreateDelivery($input: CreateDeliveryInput!) {
  createDelivery(input: $input) {
    delivery {
      id
      status
    }
    userErrors {
      ...Problem
    }
  }
}
    fragment Problem on UserError {
  code
  message
  field
}`) as unknown as TypedDocumentString<CreateDeliveryMutation, CreateDeliveryMutationVariables>;
export const AddTargetsDocument = new TypedDocumentString(`
    mutation AddTargets($deliveryId: ID!, $externalIds: [String!]!) {
  addTargets(
    input: {deliveryId: $deliveryId, filter: {externalIds: $externalIds}}
  ) {
    delivery {
      targetCount
    }
    userErrors {
      ...Problem
    }
  }
}
    fragment Problem on UserError {
  code
  message
  field
}`) as unknown as TypedDocumentString<AddTargetsMutation, AddTargetsMutationVariables>;
export const AnalyzeDeliveryDocument = new TypedDocumentString(`
    mutation AnalyzeDelivery($id: ID!) {
  analyzeDelivery(input: {id: $id}) {
    delivery {
      status
      analysis {
        messageCount
        codesNeeded
        codesShort
        isSufficient
        exclusions {
          reason
          count
        }
        remedies {
          text
        }
      }
    }
    userErrors {
      ...Problem
    }
  }
}
    fragment Problem on UserError {
  code
  message
  field
}`) as unknown as TypedDocumentString<AnalyzeDeliveryMutation, AnalyzeDeliveryMutationVariables>;
export const ConfirmDeliveryDocument = new TypedDocumentString(`
    mutation ConfirmDelivery($id: ID!) {
  confirmDelivery(input: {id: $id}) {
    delivery {
      status
    }
    userErrors {
      ...Problem
    }
  }
}
    fragment Problem on UserError {
  code
  message
  field
}`) as unknown as TypedDocumentString<ConfirmDeliveryMutation, ConfirmDeliveryMutationVariables>;
export const DeliveryOutcomeDocument = new TypedDocumentString(`
    query DeliveryOutcome($id: ID!) {
  delivery(id: $id) {
    status
    counts {
      sent
      total
    }
    messages(first: 10) {
      nodes {
        address
        code {
          value
          status
        }
        recipient {
          externalId
        }
      }
    }
  }
}
    `) as unknown as TypedDocumentString<DeliveryOutcomeQuery, DeliveryOutcomeQueryVariables>;
export const RedeemCodeDocument = new TypedDocumentString(`
    mutation RedeemCode($input: RedeemCodeInput!) {
  redeemCode(input: $input) {
    redemption {
      id
      amount
      currency
    }
    userErrors {
      ...Problem
    }
  }
}
    fragment Problem on UserError {
  code
  message
  field
}`) as unknown as TypedDocumentString<RedeemCodeMutation, RedeemCodeMutationVariables>;
export const CouponStatsDocument = new TypedDocumentString(`
    query CouponStats($couponId: ID!) {
  redemptionStats(filter: {couponIds: [$couponId]}, groupBy: [CHANNEL]) {
    keys
    stats {
      assigned
      sent
      redeemed
      redemptionRate
      byCurrency {
        currency
        redeemed
        amount
      }
    }
  }
}
    `) as unknown as TypedDocumentString<CouponStatsQuery, CouponStatsQueryVariables>;