//go:build !race

package db_test

// hasRaceDetector: see race_test.go.
const hasRaceDetector = false
