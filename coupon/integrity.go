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

// IsSound reports whether no check found a violation.
func (r *IntegrityReport) IsSound() bool {
	return len(r.Broken()) == 0
}

// Broken gives the checks that found a violation.
func (r *IntegrityReport) Broken() []*IntegrityCheck {
	var broken []*IntegrityCheck
	for _, check := range r.Checks {
		if check.Violations > 0 {
			broken = append(broken, check)
		}
	}
	return broken
}

// IntegrityCheck is one promise and what breaks it; Examples names at most ten offenders.
type IntegrityCheck struct {
	Name        string
	Description string
	Violations  int
	Examples    []string
}

// String says what a check that found something found, with the first offender.
func (c *IntegrityCheck) String() string {
	return fmt.Sprintf("%s: %d (%s), the first one %s", c.Name, c.Violations, c.Description, strings.Join(c.Examples[:min(1, len(c.Examples))], ""))
}
