package db

import (
	"errors"

	"couponql/coupon"
)

// atInput names the field of the input that a user error is about.
func atInput(err error, field string) error {
	if problem, ok := errors.AsType[*coupon.UserError](err); ok {
		return problem.At("input", field)
	}
	return err
}

// atField names the argument that a user error is about.
func atField(err error, field string) error {
	if problem, ok := coupon.AsUserErrors(err); ok && len(problem) == 1 {
		return problem[0].At(field)
	}
	return err
}
