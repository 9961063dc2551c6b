package command

import _ "embed"

// The requests to the server, each in a file of its own. A missing file fails the build.
var (
	//go:embed operations/backup_export.graphql
	backupExport string
	//go:embed operations/bounce_import.graphql
	bounceImport string
	//go:embed operations/coupon_by_code.graphql
	couponByCode string
	//go:embed operations/coupon_export.graphql
	couponExport string
	//go:embed operations/coupon_get.graphql
	couponGet string
	//go:embed operations/coupon_import.graphql
	couponImport string
	//go:embed operations/code_export.graphql
	codeExport string
	//go:embed operations/code_import.graphql
	codeImport string
	//go:embed operations/delivery_export.graphql
	deliveryExport string
	//go:embed operations/export_get.graphql
	exportGet string
	//go:embed operations/import_cancel.graphql
	importCancel string
	//go:embed operations/import_get.graphql
	importGet string
	//go:embed operations/import_progress.graphql
	importProgress string
	//go:embed operations/key_create.graphql
	keyCreate string
	//go:embed operations/key_list.graphql
	keyList string
	//go:embed operations/key_revoke.graphql
	keyRevoke string
	//go:embed operations/message_export.graphql
	messageExport string
	//go:embed operations/recipient_export.graphql
	recipientExport string
	//go:embed operations/recipient_import.graphql
	recipientImport string
	//go:embed operations/redemption_export.graphql
	redemptionExport string
	//go:embed operations/redemption_import.graphql
	redemptionImport string
	//go:embed operations/sql.graphql
	sqlAsk string
	//go:embed operations/target_import.graphql
	targetImport string
	//go:embed operations/upload_create.graphql
	uploadCreate string
)
