package job_test

import (
	"testing"

	"couponql/db/dbtest"
)

func TestMain(m *testing.M) {
	dbtest.Run(m, "TestSending", "TestImports", "TestRestart")
}
