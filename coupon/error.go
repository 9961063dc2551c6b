package coupon

import (
	"errors"
	"fmt"
	"slices"
	"strings"
)

// ErrorCode says what kind of problem a caller has, in the words of the public schema.
type ErrorCode string

// The codes of the public schema. Anything that has no code here is internal and is answered
// without detail.
const (
	ErrorInvalid                ErrorCode = "INVALID"
	ErrorNotFound               ErrorCode = "NOT_FOUND"
	ErrorAlreadyExists          ErrorCode = "ALREADY_EXISTS"
	ErrorInvalidState           ErrorCode = "INVALID_STATE"
	ErrorInsufficientCodes      ErrorCode = "INSUFFICIENT_CODES"
	ErrorAnalysisStale          ErrorCode = "ANALYSIS_STALE"
	ErrorCodeSpaceTooSmall      ErrorCode = "CODE_SPACE_TOO_SMALL"
	ErrorCodeUnknown            ErrorCode = "CODE_UNKNOWN"
	ErrorCodeNotAssigned        ErrorCode = "CODE_NOT_ASSIGNED"
	ErrorCodeAlreadyRedeemed    ErrorCode = "CODE_ALREADY_REDEEMED"
	ErrorCodeExpired            ErrorCode = "CODE_EXPIRED"
	ErrorCodeNotYetValid        ErrorCode = "CODE_NOT_YET_VALID"
	ErrorCodeVoided             ErrorCode = "CODE_VOIDED"
	ErrorRedemptionLimitReached ErrorCode = "REDEMPTION_LIMIT_REACHED"
	ErrorRedemptionReversed     ErrorCode = "REDEMPTION_REVERSED"
	ErrorRateLimited            ErrorCode = "RATE_LIMITED"
	ErrorTemplateInvalid        ErrorCode = "TEMPLATE_INVALID"
	ErrorFileUnreadable         ErrorCode = "FILE_UNREADABLE"
	ErrorFileTooLarge           ErrorCode = "FILE_TOO_LARGE"
	ErrorQueryRejected          ErrorCode = "QUERY_REJECTED"
	ErrorQueryTimeout           ErrorCode = "QUERY_TIMEOUT"
	ErrorResultTooLarge         ErrorCode = "RESULT_TOO_LARGE"
)

// UserError is a problem that the caller can act on: what happened, to which thing, what to do.
// Every other error is internal.
type UserError struct {
	Code ErrorCode
	// Message is a sentence for a person.
	Message string
	// Field is the path from the argument, e.g. ["input", "endsAt"]; nil when no one field is to blame.
	Field []string
}

// Error returns the message, so that a UserError can travel as an error.
func (e *UserError) Error() string { return e.Message }

// IsError marks UserError as an implementation of the schema's interface Error.
func (*UserError) IsError() {}

// Errorf makes a UserError without a field.
func Errorf(code ErrorCode, format string, args ...any) *UserError {
	return &UserError{Code: code, Message: fmt.Sprintf(format, args...)}
}

// At names the field that is to blame and returns the error itself.
func (e *UserError) At(field ...string) *UserError {
	e.Field = field
	return e
}

// UserErrors is several problems at once, so that a caller can mend all of them in one go.
type UserErrors []*UserError

// Error returns the messages, one a line.
func (e UserErrors) Error() string {
	messages := make([]string, len(e))
	for i, one := range e {
		messages[i] = one.Message
	}
	return strings.Join(messages, "\n")
}

// invalidf adds INVALID for a field of the input to the problems.
func invalidf(problems *UserErrors, field, format string, args ...any) {
	*problems = append(*problems, Errorf(ErrorInvalid, format, args...).At("input", field))
}

// OrNil returns the problems as an error, or nil when there are none: an empty UserErrors in an error
// interface would not be nil.
func (e UserErrors) OrNil() error {
	if len(e) == 0 {
		return nil
	}
	return e
}

// AsUserErrors returns the problems inside err that a caller may see, and false when err is internal.
func AsUserErrors(err error) (UserErrors, bool) {
	if many, ok := errors.AsType[UserErrors](err); ok {
		return many, true
	}
	if one, ok := errors.AsType[*UserError](err); ok {
		return UserErrors{one}, true
	}
	return nil, false
}

// Under puts the fields of user errors below more of a path: an argument of a query is a member of the
// input of a mutation. A problem without a field keeps none. It returns copies, since others may hold
// the errors, and any other error as it is.
func Under(err error, path ...string) error {
	problems, ok := AsUserErrors(err)
	if !ok {
		return err
	}
	placed := make(UserErrors, len(problems))
	for i, problem := range problems {
		one := *problem
		if len(one.Field) > 0 {
			one.Field = slices.Concat(path, one.Field)
		}
		placed[i] = &one
	}
	if len(placed) == 1 {
		return placed[0]
	}
	return placed
}

// NotFound says that there is no object of this kind with this id.
func NotFound(kind Kind, id ID) *UserError {
	return Errorf(ErrorNotFound, "There is no %s with the id %q.", kind, string(id))
}
