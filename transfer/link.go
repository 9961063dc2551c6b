package transfer

import (
	"cmp"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"couponql/coupon"
)

// purpose is what a link is for: one for sending must not get what is there, nor the other way round.
type purpose string

const (
	forUpload   purpose = "upload"
	forDownload purpose = "download"
)

// The paths of the routes; the id or name of the file follows.
const (
	uploadsPath = "/uploads/"
	filesPath   = "/files/"
)

// Links signs the links to files and verifies them.
type Links struct {
	// sign hides the key, so that printing the Links does not show it.
	sign func(text string) []byte
}

// NewLinks returns the links of a database; key is that of db.Store.LinkKey.
func NewLinks(key []byte) *Links {
	return &Links{sign: func(text string) []byte {
		mac := hmac.New(sha256.New, key)
		mac.Write([]byte(text))
		return mac.Sum(nil)
	}}
}

// Upload returns the link by which an upload is sent. It works as long as the upload is kept.
func (l *Links) Upload(ctx context.Context, u *coupon.Upload) string {
	return l.link(ctx, forUpload, uploadsPath+string(u.ID), u.ExpiresAt)
}

// Rejects returns the link to the rejected rows of an import, which works for coupon.LinkLifetime.
func (l *Links) Rejects(ctx context.Context, importID coupon.ID, now time.Time) string {
	return l.link(ctx, forDownload, filesPath+rejectsName(importID), now.Add(coupon.LinkLifetime))
}

// Export returns the link to the file of an export, which works for coupon.LinkLifetime, or until the file is gone.
func (l *Links) Export(ctx context.Context, e *coupon.Export, now time.Time) string {
	expiresAt := now.Add(coupon.LinkLifetime)
	if e.ExpiresAt != nil && e.ExpiresAt.Before(expiresAt) {
		expiresAt = *e.ExpiresAt
	}
	return l.link(ctx, forDownload, filesPath+e.FileName(), expiresAt)
}

func (l *Links) link(ctx context.Context, what purpose, path string, expiresAt time.Time) string {
	base, _ := ctx.Value(baseURLKey{}).(string)
	expires := expiresAt.Unix()
	query := url.Values{
		"expires":   {strconv.FormatInt(expires, 10)},
		"signature": {base64.RawURLEncoding.EncodeToString(l.signature(what, path, expires))},
	}
	return base + path + "?" + query.Encode()
}

// signature signs what a link allows. No two links have the same text: neither what nor the number has a line end.
func (l *Links) signature(what purpose, path string, expires int64) []byte {
	return l.sign(string(what) + "\n" + strconv.FormatInt(expires, 10) + "\n" + path)
}

// verify reports whether a request has a link that was signed for this, and whether it still works.
func (l *Links) verify(r *http.Request, what purpose, now time.Time) (isSigned, isCurrent bool) {
	query := r.URL.Query()
	expires, err := strconv.ParseInt(query.Get("expires"), 10, 64)
	if err != nil {
		return false, false
	}
	signature, err := base64.RawURLEncoding.Strict().DecodeString(query.Get("signature"))
	if err != nil || !hmac.Equal(signature, l.signature(what, r.URL.Path, expires)) {
		return false, false
	}
	return true, now.Unix() < expires
}

type baseURLKey struct{}

// WithBaseURL notes under which address a request reached the server, so that the links in its answer lead there.
func WithBaseURL(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		// Only a proxy that the operator trusts sets a scheme.
		base := url.URL{Scheme: cmp.Or(r.URL.Scheme, "http"), Host: r.Host}
		next.ServeHTTP(w, r.WithContext(context.WithValue(r.Context(), baseURLKey{}, base.String())))
	})
}
