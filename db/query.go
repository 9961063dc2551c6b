package db

import _ "embed"

// The statements, each a file under its own name. The first line of a file says what it is for and
// names it in errors.

//go:embed query/code_batch_insert.sql
var codeBatchInsert string

//go:embed query/code_batch_runs.sql
var codeBatchRuns string

//go:embed query/code_by_message.sql
var codeByMessage string

//go:embed query/code_by_prefix.sql
var codeByPrefix string

//go:embed query/code_by_redemption.sql
var codeByRedemption string

//go:embed query/code_events.sql
var codeEvents string

//go:embed query/code_get.sql
var codeGet string

//go:embed query/code_insert.sql
var codeInsert string

//go:embed query/code_key.sql
var codeKey string

//go:embed query/code_refuse_coupons.sql
var codeRefuseCoupons string

//go:embed query/code_refuse_doubles.sql
var codeRefuseDoubles string

//go:embed query/code_refuse_existing.sql
var codeRefuseExisting string

//go:embed query/code_refuse_newer.sql
var codeRefuseNewer string

//go:embed query/code_return_insert.sql
var codeReturnInsert string

//go:embed query/code_return_unsendable.sql
var codeReturnUnsendable string

//go:embed query/code_stage.sql
var codeStage string

//go:embed query/code_void_insert.sql
var codeVoidInsert string

//go:embed query/coupon_delete.sql
var couponDelete string

//go:embed query/coupon_delete_codes.sql
var couponDeleteCodes string

//go:embed query/coupon_deliveries.sql
var couponDeliveries string

//go:embed query/coupon_deliveries_count.sql
var couponDeliveriesCount string

//go:embed query/coupon_get.sql
var couponGet string

//go:embed query/coupon_insert.sql
var couponInsert string

//go:embed query/coupon_next.sql
var couponNext string

//go:embed query/coupon_pace.sql
var couponPace string

//go:embed query/coupon_references.sql
var couponReferences string

//go:embed query/coupon_update.sql
var couponUpdate string

//go:embed query/delivery_cancel_messages.sql
var deliveryCancelMessages string

//go:embed query/delivery_confirm.sql
var deliveryConfirm string

//go:embed query/delivery_count.sql
var deliveryCount string

//go:embed query/delivery_delete.sql
var deliveryDelete string

//go:embed query/delivery_delete_log.sql
var deliveryDeleteLog string

//go:embed query/delivery_exclusions.sql
var deliveryExclusions string

//go:embed query/delivery_exclusions_count.sql
var deliveryExclusionsCount string

//go:embed query/delivery_first_message.sql
var deliveryFirstMessage string

//go:embed query/delivery_get.sql
var deliveryGet string

//go:embed query/delivery_insert.sql
var deliveryInsert string

//go:embed query/delivery_log_get.sql
var deliveryLogGet string

//go:embed query/delivery_log_insert.sql
var deliveryLogInsert string

//go:embed query/delivery_log_round.sql
var deliveryLogRound string

//go:embed query/delivery_messages.sql
var deliveryMessages string

//go:embed query/delivery_next.sql
var deliveryNext string

//go:embed query/delivery_page.sql
var deliveryPage string

//go:embed query/delivery_prepare.sql
var deliveryPrepare string

//go:embed query/delivery_prepare_limit.sql
var deliveryPrepareLimit string

//go:embed query/delivery_recount.sql
var deliveryRecount string

//go:embed query/delivery_set_analysis.sql
var deliverySetAnalysis string

//go:embed query/delivery_set_status.sql
var deliverySetStatus string

//go:embed query/delivery_unsent_codes.sql
var deliveryUnsentCodes string

//go:embed query/delivery_update.sql
var deliveryUpdate string

//go:embed query/delivery_waiting.sql
var deliveryWaiting string

//go:embed query/exclusion_delete.sql
var exclusionDelete string

//go:embed query/exclusion_get.sql
var exclusionGet string

//go:embed query/exclusion_insert.sql
var exclusionInsert string

//go:embed query/hold_delete.sql
var holdDelete string

//go:embed query/hold_insert.sql
var holdInsert string

//go:embed query/import_next.sql
var importNext string

//go:embed query/message_cancel_by_code.sql
var messageCancelByCode string

//go:embed query/message_content.sql
var messageContent string

//go:embed query/message_get.sql
var messageGet string

//go:embed query/message_insert.sql
var messageInsert string

//go:embed query/pool_answers.sql
var poolAnswers string

//go:embed query/pool_assigned.sql
var poolAssigned string

//go:embed query/pool_holds.sql
var poolHolds string

//go:embed query/pool_keys.sql
var poolKeys string

//go:embed query/pool_next.sql
var poolNext string

//go:embed query/pool_redeemed.sql
var poolRedeemed string

//go:embed query/pool_redeemed_anonymous.sql
var poolRedeemedAnonymous string

//go:embed query/pool_runs.sql
var poolRuns string

//go:embed query/pool_voided.sql
var poolVoided string

//go:embed query/prepared_fingerprint.sql
var preparedFingerprint string

//go:embed query/prepared_labels.sql
var preparedLabels string

//go:embed query/prepared_reasons.sql
var preparedReasons string

//go:embed query/recipient_by_external_id.sql
var recipientByExternalId string

//go:embed query/recipient_codes.sql
var recipientCodes string

//go:embed query/recipient_codes_count.sql
var recipientCodesCount string

//go:embed query/recipient_get.sql
var recipientGet string

//go:embed query/recipient_insert.sql
var recipientInsert string

//go:embed query/recipient_refuse_doubles.sql
var recipientRefuseDoubles string

//go:embed query/recipient_stage.sql
var recipientStage string

//go:embed query/recipient_staged_ids.sql
var recipientStagedIds string

//go:embed query/recipient_update.sql
var recipientUpdate string

//go:embed query/refused_count.sql
var refusedCount string

//go:embed query/refused_create.sql
var refusedCreate string

//go:embed query/refused_list.sql
var refusedList string

//go:embed query/refused_load.sql
var refusedLoad string

//go:embed query/refused_record.sql
var refusedRecord string

//go:embed query/sending_insert.sql
var sendingInsert string

//go:embed query/sending_record.sql
var sendingRecord string

//go:embed query/sending_state.sql
var sendingState string

//go:embed query/taken_create.sql
var takenCreate string

//go:embed query/target_count.sql
var targetCount string

//go:embed query/target_delete.sql
var targetDelete string

//go:embed query/target_insert.sql
var targetInsert string

//go:embed query/target_record.sql
var targetRecord string
