package job_test

import (
	"testing"

	"couponql/short"
)

func TestMain(m *testing.M) {
	short.Run(m, "TestSending", "TestImports", "TestRestart")
}
