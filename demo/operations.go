package demo

import _ "embed"

// The requests to the server, each in a file of its own, so that they can be pasted into the
// playground as they are. A missing file fails the build.
var (
	//go:embed operations/bounce_record.graphql
	bounceRecord string
	//go:embed operations/code_generate.graphql
	codeGenerate string
	//go:embed operations/code_import.graphql
	codeImport string
	//go:embed operations/code_redeem.graphql
	codeRedeem string
	//go:embed operations/code_void.graphql
	codeVoid string
	//go:embed operations/coupon_create.graphql
	couponCreate string
	//go:embed operations/delivery_analyze.graphql
	deliveryAnalyze string
	//go:embed operations/delivery_confirm.graphql
	deliveryConfirm string
	//go:embed operations/delivery_create.graphql
	deliveryCreate string
	//go:embed operations/delivery_get.graphql
	deliveryGet string
	//go:embed operations/delivery_split.graphql
	deliverySplit string
	//go:embed operations/delivery_update.graphql
	deliveryUpdate string
	//go:embed operations/import_get.graphql
	importGet string
	//go:embed operations/integrity.graphql
	integrity string
	//go:embed operations/message_list.graphql
	messageList string
	//go:embed operations/recipient_import.graphql
	recipientImport string
	//go:embed operations/redemption_import.graphql
	redemptionImport string
	//go:embed operations/redemption_reverse.graphql
	redemptionReverse string
	//go:embed operations/target_add.graphql
	targetAdd string
)

// The texts of the deliveries, which are Liquid templates.
var (
	//go:embed messages/sport_email.html
	sportEmail string
	//go:embed messages/birthday_email.txt
	birthdayEmail string
	//go:embed messages/kickoff_sms.txt
	kickoffSMS string
	//go:embed messages/reminder_sms.txt
	reminderSMS string
	//go:embed messages/flash_sms.txt
	flashSMS string
	//go:embed messages/preview_email.txt
	previewEmail string
	//go:embed messages/greeting_card.txt
	greetingCard string
	//go:embed messages/closing_email.txt
	closingEmail string
)
