package db

import "couponql/coupon"

// at says where the one user error is that err is about: the path of an input's field, or of an
// argument. Any other error stays as it is.
func at(err error, path ...string) error {
	if problems, ok := coupon.AsUserErrors(err); ok && len(problems) == 1 {
		return problems[0].At(path...)
	}
	return err
}
