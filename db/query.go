package db

import _ "embed"

// The statements, each a file under its own name. The first line of a file says what it is for and
// names it in errors.

//go:embed query/alert_began.sql
var alertBegan string

//go:embed query/alert_failed.sql
var alertFailed string

//go:embed query/alert_forget.sql
var alertForget string

//go:embed query/alert_postpone.sql
var alertPostpone string

//go:embed query/alert_told.sql
var alertTold string

//go:embed query/alert_untold.sql
var alertUntold string

//go:embed query/api_key_get.sql
var apiKeyGet string

//go:embed query/api_key_insert.sql
var apiKeyInsert string

//go:embed query/api_key_revoke.sql
var apiKeyRevoke string

//go:embed query/api_key_used.sql
var apiKeyUsed string

//go:embed query/attempt_insert.sql
var attemptInsert string

//go:embed query/attempt_waiting.sql
var attemptWaiting string

//go:embed query/audit_count.sql
var auditCount string

//go:embed query/audit_get.sql
var auditGet string

//go:embed query/audit_last.sql
var auditLast string

//go:embed query/audit_page.sql
var auditPage string

//go:embed query/belated_create.sql
var belatedCreate string

//go:embed query/belated_delete.sql
var belatedDelete string

//go:embed query/belated_forget.sql
var belatedForget string

//go:embed query/belated_list.sql
var belatedList string

//go:embed query/belated_record.sql
var belatedRecord string

//go:embed query/chosen_add_filter.sql
var chosenAddFilter string

//go:embed query/chosen_add_ids.sql
var chosenAddIDs string

//go:embed query/chosen_create.sql
var chosenCreate string

//go:embed query/chosen_load.sql
var chosenLoad string

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

//go:embed query/code_delete.sql
var codeDelete string

//go:embed query/code_delete_unused.sql
var codeDeleteUnused string

//go:embed query/code_events.sql
var codeEvents string

//go:embed query/code_get.sql
var codeGet string

//go:embed query/code_held.sql
var codeHeld string

//go:embed query/code_insert.sql
var codeInsert string

//go:embed query/code_key.sql
var codeKey string

//go:embed query/code_redeemed.sql
var codeRedeemed string

//go:embed query/code_redemptions.sql
var codeRedemptions string

//go:embed query/code_redemptions_count.sql
var codeRedemptionsCount string

//go:embed query/code_refuse_coupons.sql
var codeRefuseCoupons string

//go:embed query/code_refuse_doubles.sql
var codeRefuseDoubles string

//go:embed query/code_refuse_existing.sql
var codeRefuseExisting string

//go:embed query/code_refuse_newer.sql
var codeRefuseNewer string

//go:embed query/code_restore.sql
var codeRestore string

//go:embed query/code_return_insert.sql
var codeReturnInsert string

//go:embed query/code_return_unsendable.sql
var codeReturnUnsendable string

//go:embed query/code_returned.sql
var codeReturned string

//go:embed query/code_sent.sql
var codeSent string

//go:embed query/code_spared.sql
var codeSpared string

//go:embed query/code_stage.sql
var codeStage string

//go:embed query/code_void_insert.sql
var codeVoidInsert string

//go:embed query/code_voided.sql
var codeVoided string

//go:embed query/code_whole.sql
var codeWhole string

//go:embed query/contested_create.sql
var contestedCreate string

//go:embed query/coupon_delete.sql
var couponDelete string

//go:embed query/coupon_delete_codes.sql
var couponDeleteCodes string

//go:embed query/coupon_delete_voids.sql
var couponDeleteVoids string

//go:embed query/coupon_deliveries.sql
var couponDeliveries string

//go:embed query/coupon_deliveries_count.sql
var couponDeliveriesCount string

//go:embed query/coupon_get.sql
var couponGet string

//go:embed query/coupon_imports.sql
var couponImports string

//go:embed query/coupon_imports_count.sql
var couponImportsCount string

//go:embed query/coupon_insert.sql
var couponInsert string

//go:embed query/coupon_pace.sql
var couponPace string

//go:embed query/coupon_planned.sql
var couponPlanned string

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

//go:embed query/delivery_messages_count.sql
var deliveryMessagesCount string

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

//go:embed query/draft_create.sql
var draftCreate string

//go:embed query/erasure_analyses.sql
var erasureAnalyses string

//go:embed query/erasure_cancel.sql
var erasureCancel string

//go:embed query/erasure_choose.sql
var erasureChoose string

//go:embed query/erasure_codes.sql
var erasureCodes string

//go:embed query/erasure_deliveries.sql
var erasureDeliveries string

//go:embed query/erasure_findings.sql
var erasureFindings string

//go:embed query/erasure_idle.sql
var erasureIdle string

//go:embed query/erasure_messages.sql
var erasureMessages string

//go:embed query/erasure_outcomes.sql
var erasureOutcomes string

//go:embed query/erasure_recipients.sql
var erasureRecipients string

//go:embed query/erasure_refusals.sql
var erasureRefusals string

//go:embed query/erasure_rejections.sql
var erasureRejections string

//go:embed query/erasure_texts.sql
var erasureTexts string

//go:embed query/exclusion_delete.sql
var exclusionDelete string

//go:embed query/exclusion_get.sql
var exclusionGet string

//go:embed query/exclusion_insert.sql
var exclusionInsert string

//go:embed query/export_codes.sql
var exportCodes string

//go:embed query/export_finish.sql
var exportFinish string

//go:embed query/export_get.sql
var exportGet string

//go:embed query/export_insert.sql
var exportInsert string

//go:embed query/export_messages.sql
var exportMessages string

//go:embed query/export_numbers.sql
var exportNumbers string

//go:embed query/export_redemptions.sql
var exportRedemptions string

//go:embed query/export_start.sql
var exportStart string

//go:embed query/export_waiting.sql
var exportWaiting string

//go:embed query/fact_first.sql
var factFirst string

//go:embed query/hold_delete.sql
var holdDelete string

//go:embed query/hold_insert.sql
var holdInsert string

//go:embed query/import_cancel.sql
var importCancel string

//go:embed query/import_count.sql
var importCount string

//go:embed query/import_finish.sql
var importFinish string

//go:embed query/import_get.sql
var importGet string

//go:embed query/import_insert.sql
var importInsert string

//go:embed query/import_page.sql
var importPage string

//go:embed query/import_rejections.sql
var importRejections string

//go:embed query/import_rejections_count.sql
var importRejectionsCount string

//go:embed query/import_same_file.sql
var importSameFile string

//go:embed query/import_start.sql
var importStart string

//go:embed query/import_undo.sql
var importUndo string

//go:embed query/import_waiting.sql
var importWaiting string

//go:embed query/invariant_p1_code_held_twice.sql
var invariantP1CodeHeldTwice string

//go:embed query/invariant_p1_message_without_code.sql
var invariantP1MessageWithoutCode string

//go:embed query/invariant_p1_number_again.sql
var invariantP1NumberAgain string

//go:embed query/invariant_p1_number_twice.sql
var invariantP1NumberTwice string

//go:embed query/invariant_p1_recipient_twice.sql
var invariantP1RecipientTwice string

//go:embed query/invariant_p2_key_twice.sql
var invariantP2KeyTwice string

//go:embed query/invariant_p2_redeemed_too_often.sql
var invariantP2RedeemedTooOften string

//go:embed query/invariant_p3_batch_incomplete.sql
var invariantP3BatchIncomplete string

//go:embed query/invariant_p3_half_import.sql
var invariantP3HalfImport string

//go:embed query/invariant_p3_reference.sql
var invariantP3Reference string

//go:embed query/invariant_p4_delivery_counts.sql
var invariantP4DeliveryCounts string

//go:embed query/invariant_p4_finished_with_pending.sql
var invariantP4FinishedWithPending string

//go:embed query/invariant_p4_message_twice_final.sql
var invariantP4MessageTwiceFinal string

//go:embed query/invariant_p5_import_rows.sql
var invariantP5ImportRows string

//go:embed query/invariant_p6_code_twice.sql
var invariantP6CodeTwice string

//go:embed query/journal_clear.sql
var journalClear string

//go:embed query/journal_insert.sql
var journalInsert string

//go:embed query/journal_post_audit_entries.sql
var journalPostAuditEntries string

//go:embed query/journal_post_redemptions.sql
var journalPostRedemptions string

//go:embed query/late_create.sql
var lateCreate string

//go:embed query/matched_create.sql
var matchedCreate string

//go:embed query/matched_numbers.sql
var matchedNumbers string

//go:embed query/matched_refuse.sql
var matchedRefuse string

//go:embed query/matched_spare.sql
var matchedSpare string

//go:embed query/matched_void.sql
var matchedVoid string

//go:embed query/message_cancel_by_code.sql
var messageCancelByCode string

//go:embed query/message_content.sql
var messageContent string

//go:embed query/message_get.sql
var messageGet string

//go:embed query/message_insert.sql
var messageInsert string

//go:embed query/message_insert_scattered.sql
var messageInsertScattered string

//go:embed query/number_next.sql
var numberNext string

//go:embed query/parted_add.sql
var partedAdd string

//go:embed query/parted_create.sql
var partedCreate string

//go:embed query/parted_delete.sql
var partedDelete string

//go:embed query/parted_insert.sql
var partedInsert string

//go:embed query/pool_answers.sql
var poolAnswers string

//go:embed query/pool_assigned.sql
var poolAssigned string

//go:embed query/pool_deliveries.sql
var poolDeliveries string

//go:embed query/pool_holds.sql
var poolHolds string

//go:embed query/pool_keys.sql
var poolKeys string

//go:embed query/pool_next.sql
var poolNext string

//go:embed query/pool_recount.sql
var poolRecount string

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
var recipientByExternalID string

//go:embed query/recipient_codes.sql
var recipientCodes string

//go:embed query/recipient_codes_count.sql
var recipientCodesCount string

//go:embed query/recipient_count.sql
var recipientCount string

//go:embed query/recipient_count_known.sql
var recipientCountKnown string

//go:embed query/recipient_delete_merged.sql
var recipientDeleteMerged string

//go:embed query/recipient_get.sql
var recipientGet string

//go:embed query/recipient_insert.sql
var recipientInsert string

//go:embed query/recipient_insert_merged.sql
var recipientInsertMerged string

//go:embed query/recipient_merge.sql
var recipientMerge string

//go:embed query/recipient_page.sql
var recipientPage string

//go:embed query/recipient_refuse_doubles.sql
var recipientRefuseDoubles string

//go:embed query/recipient_stage.sql
var recipientStage string

//go:embed query/recipient_staged_ids.sql
var recipientStagedIDs string

//go:embed query/recipient_update.sql
var recipientUpdate string

//go:embed query/recording_codes.sql
var recordingCodes string

//go:embed query/recording_coupons.sql
var recordingCoupons string

//go:embed query/recording_create.sql
var recordingCreate string

//go:embed query/redemption_count.sql
var redemptionCount string

//go:embed query/redemption_get.sql
var redemptionGet string

//go:embed query/redemption_insert_staged.sql
var redemptionInsertStaged string

//go:embed query/redemption_late.sql
var redemptionLate string

//go:embed query/redemption_live.sql
var redemptionLive string

//go:embed query/redemption_next.sql
var redemptionNext string

//go:embed query/redemption_page.sql
var redemptionPage string

//go:embed query/redemption_refuse_doubles.sql
var redemptionRefuseDoubles string

//go:embed query/redemption_refuse_recorded.sql
var redemptionRefuseRecorded string

//go:embed query/redemption_refuse_spent.sql
var redemptionRefuseSpent string

//go:embed query/redemption_refuse_unknown.sql
var redemptionRefuseUnknown string

//go:embed query/redemption_stage.sql
var redemptionStage string

//go:embed query/refusal_insert.sql
var refusalInsert string

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

//go:embed query/rejection_after.sql
var rejectionAfter string

//go:embed query/rejection_get.sql
var rejectionGet string

//go:embed query/rejection_reasons.sql
var rejectionReasons string

//go:embed query/restored_deliveries.sql
var restoredDeliveries string

//go:embed query/restored_exports.sql
var restoredExports string

//go:embed query/restored_identity.sql
var restoredIdentity string

//go:embed query/restored_imports.sql
var restoredImports string

//go:embed query/restored_links.sql
var restoredLinks string

//go:embed query/restored_numbers.sql
var restoredNumbers string

//go:embed query/restored_outbox.sql
var restoredOutbox string

//go:embed query/restored_uploads.sql
var restoredUploads string

//go:embed query/reversal_insert.sql
var reversalInsert string

//go:embed query/sending_insert.sql
var sendingInsert string

//go:embed query/sending_record.sql
var sendingRecord string

//go:embed query/sending_state.sql
var sendingState string

//go:embed query/setting_delete.sql
var settingDelete string

//go:embed query/setting_get.sql
var settingGet string

//go:embed query/setting_insert.sql
var settingInsert string

//go:embed query/setting_note.sql
var settingNote string

//go:embed query/spared_record.sql
var sparedRecord string

//go:embed query/taken_create.sql
var takenCreate string

//go:embed query/target_count.sql
var targetCount string

//go:embed query/target_delete.sql
var targetDelete string

//go:embed query/target_first.sql
var targetFirst string

//go:embed query/target_insert.sql
var targetInsert string

//go:embed query/target_insert_staged.sql
var targetInsertStaged string

//go:embed query/target_record.sql
var targetRecord string

//go:embed query/target_refuse.sql
var targetRefuse string

//go:embed query/target_stage.sql
var targetStage string

//go:embed query/unused_create.sql
var unusedCreate string

//go:embed query/unused_load.sql
var unusedLoad string

//go:embed query/upload_announce.sql
var uploadAnnounce string

//go:embed query/upload_complete.sql
var uploadComplete string

//go:embed query/upload_delete.sql
var uploadDelete string

//go:embed query/upload_delete_expired.sql
var uploadDeleteExpired string

//go:embed query/upload_get.sql
var uploadGet string

//go:embed query/upload_insert.sql
var uploadInsert string

//go:embed query/upload_keep.sql
var uploadKeep string

//go:embed query/upload_numbers.sql
var uploadNumbers string

//go:embed query/upload_release.sql
var uploadRelease string

//go:embed query/void_delete.sql
var voidDelete string
