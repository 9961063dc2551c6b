package db_test

import (
	"testing"

	"couponql/short"
)

func TestMain(m *testing.M) {
	short.Run(m, "TestImportCodes", "TestImportRecipients", "TestImportRedemptions",
		"TestAnalyzeDelivery", "TestConfirmDelivery", "TestConfirmAtOnce", "TestRedeem",
		"TestRedeemAtOnce", "TestExportCodes")
}
