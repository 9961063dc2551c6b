package coupon

import "time"

// IntegrityReport says whether the promises hold, recomputed from the rows.
type IntegrityReport struct {
	CheckedAt time.Time
	Checks    []*IntegrityCheck
}

// IsSound reports whether no check found a violation.
func (r *IntegrityReport) IsSound() bool {
	for _, check := range r.Checks {
		if check.Violations > 0 {
			return false
		}
	}
	return true
}

// IntegrityCheck is one promise and what breaks it; Examples names at most ten offenders.
type IntegrityCheck struct {
	Name        string
	Description string
	Violations  int
	Examples    []string
}
