package command

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"strings"
	"time"

	"couponql/background"
	"couponql/client"
	"couponql/coupon"
)

// maxTries is how often in a row something may fail before it is given up: with the waits in between, that is
// most of a minute, in which a server is restarted.
const maxTries = 10

// forbidden is the code of the answer to a caller whose role may not ask for something.
const forbidden = "FORBIDDEN"

// session is the work of one command with one server.
type session struct {
	*Console

	flags  serverFlags
	client *client.Client
	// http carries the files. It has no time limit of its own, since they may be of any size; see silence.
	http *http.Client
	// fileMode says who may read the files that are written, as far as the umask allows it.
	fileMode os.FileMode
}

func newSession(console *Console, flags serverFlags) *session {
	return &session{console, flags, client.New(flags.URL, flags.Key), &http.Client{}, 0o666}
}

// resolve returns the full address for one that the server named, which may be only a path.
func (s *session) resolve(address string) (string, error) {
	base, err := url.Parse(s.client.Address + "/")
	if err != nil {
		return "", err
	}
	full, err := base.Parse(address)
	if err != nil {
		return "", fmt.Errorf("the server names an address that is none: %w", err)
	}
	return full.String(), nil
}

// findCoupon returns the id of the coupon with this id or code. An ANALYST may not ask by a code.
func (s *session) findCoupon(ctx context.Context, idOrCode string) (string, error) {
	type found struct {
		Coupon *struct{ ID string }
	}
	var answer found
	if strings.HasPrefix(idOrCode, "coupon_") {
		if err := s.client.Do(ctx, couponGet, client.Variables{"id": idOrCode}, &answer); err != nil {
			return "", fmt.Errorf("find coupon %s: %w", idOrCode, err)
		}
	}
	if answer.Coupon == nil {
		err := s.client.Do(ctx, couponByCode, client.Variables{"code": idOrCode}, &answer)
		if refused, isAnswer := errors.AsType[*client.Error](err); isAnswer && refused.Extensions.Code == forbidden {
			return "", fmt.Errorf("find coupon %s: %w Give the coupon's id, such as coupon_17", idOrCode, err)
		}
		if err != nil {
			return "", fmt.Errorf("find coupon %s: %w", idOrCode, err)
		}
	}
	if answer.Coupon == nil {
		return "", fmt.Errorf("there is no coupon with the id or code %s", idOrCode)
	}
	return answer.Coupon.ID, nil
}

// lastingError is one that another try will not mend.
type lastingError struct{ error }

// Unwrap returns what is wrong.
func (e *lastingError) Unwrap() error { return e.error }

// persist tries until it works, with longer and longer waits. It gives up on a *lastingError, after maxTries
// failures without progress in between, and when ctx is done.
func (s *session) persist(ctx context.Context, try func() (hasProgressed bool, err error)) error {
	failures, wait := 0, s.pace.firstWait
	for {
		hasProgressed, err := try()
		if err == nil {
			return nil
		}
		if _, isLasting := errors.AsType[*lastingError](err); isLasting || ctx.Err() != nil {
			return err
		}
		if hasProgressed {
			failures, wait = 0, s.pace.firstWait
		}
		failures++
		if failures == maxTries {
			return fmt.Errorf("given up after %d tries: %w", maxTries, err)
		}
		select {
		case <-ctx.Done():
			return err
		case <-time.After(wait):
		}
		wait = min(2*wait, s.pace.lastWait)
	}
}

// follow looks at a job until it is final.
func (s *session) follow(ctx context.Context, look func(context.Context) (coupon.ImportStatus, error)) error {
	return s.persist(ctx, func() (hasProgressed bool, _ error) {
		for {
			status, err := look(ctx)
			if _, isAnswer := errors.AsType[*client.Error](err); isAnswer {
				return hasProgressed, &lastingError{err}
			}
			if err != nil {
				return hasProgressed, err
			}
			if status.IsFinal() {
				return true, nil
			}
			hasProgressed = true
			select {
			case <-ctx.Done():
				return true, ctx.Err()
			case <-time.After(s.pace.poll):
			}
		}
	})
}

// callOff cancels a job after an interrupt, and looks at it until it is over. That it is finished by then is no error: the outcome
// tells.
func (s *session) callOff(
	ctx context.Context, operation, id string, look func(context.Context) (coupon.ImportStatus, error),
) error {
	longer, cancel := s.outlive(ctx)
	defer cancel()
	err := s.client.Do(longer, operation, client.Input(map[string]any{"id": id}), nil)
	refused, isRefused := errors.AsType[*client.UserError](err)
	if err != nil && (!isRefused || refused.Code != "INVALID_STATE") {
		return err
	}
	// It is RUNNING until its worker has noticed.
	return s.follow(longer, look)
}

// outlive returns a context that ends a while after ctx does: what is asked for under it has an answer in
// spite of an interrupt, so that it is known what became of it.
func (s *session) outlive(ctx context.Context) (context.Context, context.CancelFunc) {
	longer, cancel := context.WithCancel(context.WithoutCancel(ctx))
	end := func(error) { cancel() }
	stop := background.AfterDone(ctx, func() error {
		background.After(s.pace.grace, func() error { return nil }, end)
		return nil
	}, func(error) {})
	return longer, func() { stop(); cancel() }
}
