package coupon

import (
	"encoding/hex"
	"strings"
	"time"
)

const (
	// MaxUploadBytes is the size of the largest file that is accepted, as it is sent.
	MaxUploadBytes = 64 << 30
	// UploadLifetime is how long a place for a file is kept: until then the file must be sent and
	// its import begun.
	UploadLifetime = 24 * time.Hour
	// RejectsLifetime is how long the file of an import that rejected rows is kept after its end,
	// so that the rows can be downloaded.
	RejectsLifetime = 7 * 24 * time.Hour
	// LinkLifetime is how long a link to a file works; each answer has a new one.
	LinkLifetime = time.Hour
)

// Upload is a file that was or will be sent, to be imported.
type Upload struct {
	ID       ID
	FileName string
	// ByteCount is the size that was announced, if any, or that of the complete file.
	ByteCount *int64
	// Checksum is the SHA-256 that was announced, if any, or that of the complete file; in
	// hexadecimal.
	Checksum *string
	// Received is how many bytes are here.
	Received   int64
	IsComplete bool
	CreatedAt  time.Time
	ExpiresAt  time.Time
}

// Check cleans the file's name and checksum. It returns UserErrors: INVALID for what cannot be, and
// FILE_TOO_LARGE.
func (u *Upload) Check() error {
	var problems UserErrors
	if strings.TrimSpace(u.FileName) == "" {
		invalidf(&problems, "fileName", "Say what the file is called.")
	}
	u.FileName = CleanFileName(u.FileName)
	if u.ByteCount != nil {
		switch {
		case *u.ByteCount < 0:
			invalidf(&problems, "byteCount", "A file cannot have %d bytes.", *u.ByteCount)
		case *u.ByteCount > MaxUploadBytes:
			problems = append(problems, ErrUploadTooLarge().At("input", "byteCount"))
		}
	}
	if u.Checksum != nil {
		checksum := strings.ToLower(strings.TrimSpace(*u.Checksum))
		if sum, err := hex.DecodeString(checksum); err != nil || len(sum) != 32 {
			invalidf(&problems, "checksum",
				"A checksum is the SHA-256 of the file: 64 hexadecimal digits.")
		}
		u.Checksum = &checksum
	}
	return problems.OrNil()
}

// ErrUploadTooLarge answers FILE_TOO_LARGE for a file of more than MaxUploadBytes.
func ErrUploadTooLarge() *UserError {
	return Errorf(ErrorFileTooLarge, "A file may have %d GiB at most. Compress or split it.",
		MaxUploadBytes>>30)
}
