package db

import (
	"testing"
)

func TestTakeSnapshot(t *testing.T) {
	t.Parallel()
	s := openTemp(t)
	n, err := s.TakeSnapshot(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	t.Log(n)
}
