package db_test

import (
	"testing"

	"couponql/db/dbtest"
)

func TestMain(m *testing.M) {
	dbtest.Run(m, "TestImportCodes", "TestImportRecipients", "TestImportRedemptions",
		"TestAnalyzeDelivery", "TestConfirmDelivery", "TestConfirmAtOnce", "TestRedeem",
		"TestRedeemAtOnce", "TestExportCodes")
}
