//go:build race

package db_test

// hasRaceDetector: memory is watched, so that time of the processor tells nothing.
const hasRaceDetector = true
