package coupon

import (
	"fmt"
	"strings"
	"time"
)

// IntegrityReport says whether the promises hold, recomputed from the rows.
type IntegrityReport struct {
	CheckedAt time.Time
	Checks    []*IntegrityCheck
}

// IsSound reports whether no check found that a promise is broken.
func (r *IntegrityReport) IsSound() bool {
	return len(r.Broken()) == 0
}

// Promises counts the checks of promises: the others only warn.
func (r *IntegrityReport) Promises() int {
	count := 0
	for _, check := range r.Checks {
		if !check.IsWarning {
			count++
		}
	}
	return count
}

// Broken returns the checks that found a broken promise.
func (r *IntegrityReport) Broken() []*IntegrityCheck { return r.found(false) }

// Warnings returns the checks that found something that breaks no promise.
func (r *IntegrityReport) Warnings() []*IntegrityCheck { return r.found(true) }

func (r *IntegrityReport) found(isWarning bool) []*IntegrityCheck {
	var found []*IntegrityCheck
	for _, check := range r.Checks {
		if check.Violations > 0 && check.IsWarning == isWarning {
			found = append(found, check)
		}
	}
	return found
}

// IntegrityCheck is one promise and what breaks it; Examples names at most ten offenders.
type IntegrityCheck struct {
	Name        string
	Description string
	// IsWarning: what it finds breaks no promise, but somebody should look at it.
	IsWarning  bool
	Violations int
	Examples   []string
}

// String says what a check that found something found, with the first offender.
func (c *IntegrityCheck) String() string {
	return fmt.Sprintf("%s: %d (%s), the first one %s", c.Name, c.Violations, c.Description, strings.Join(c.Examples[:min(1, len(c.Examples))], ""))
}
