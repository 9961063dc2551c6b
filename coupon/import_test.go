package coupon

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestImportCheck(t *testing.T) {
	t.Parallel()
	columns := func(count int) FileOptions {
		return FileOptions{Columns: make([]*ColumnMapping, count)}
	}
	tests := map[string]struct {
		source    Import
		wantLabel *string
		want      []string
	}{
		"zone alone": {source: Import{Timezone: "Europe/Berlin"}},
		"label": {
			source: Import{Timezone: "UTC", Label: new(" Ball\uFEFF")}, wantLabel: new("Ball"),
		},
		"blank label": {source: Import{Timezone: "UTC", Label: new(" \u200B")}},
		"longest label": {
			source:    Import{Timezone: "UTC", Label: new(strings.Repeat("ä", 255))},
			wantLabel: new(strings.Repeat("ä", 255)),
		},
		"most columns": {source: Import{Timezone: "UTC", Options: columns(MaxColumnMappings)}},
		"no zone": {
			source: Import{}, want: []string{`input.timezone INVALID: "" is not a time zone. Use an IANA name such as Europe/Berlin.`},
		},
		"zone Local": {
			source: Import{Timezone: "Local"},
			want:   []string{`input.timezone INVALID: "Local" is not a time zone. Use an IANA name such as Europe/Berlin.`},
		},
		"long label": {
			source: Import{Timezone: "UTC", Label: new(strings.Repeat("ä", 256))},
			want:   []string{"input.label INVALID: The value is longer than 255 characters."},
		},
		"control label": {
			source: Import{Timezone: "UTC", Label: new("a\nb")},
			want:   []string{"input.label INVALID: The value has a control character or bytes that are not text in the file's encoding."},
		},
		"many columns": {
			source: Import{Timezone: "UTC", Options: columns(MaxColumnMappings + 1)},
			want:   []string{"input.options.columns INVALID: `options.columns` must map 0 to 1000 columns, not 1001."},
		},
		"too few rejections": {
			source: Import{Timezone: "UTC", Options: FileOptions{MaxRejections: new(-1)}},
			want:   []string{"input.options.maxRejections INVALID: `options.maxRejections` must be 0 to 2147483647, not -1."},
		},
		"many texts for nothing": {
			source: Import{
				Timezone: "UTC", Options: FileOptions{Nothing: make([]string, MaxNothings+1)},
			},
			want: []string{"input.options.nothing INVALID: `options.nothing` must have 0 to 100 texts, not 101."},
		},
		"a database": {
			source: Import{Timezone: "UTC", Options: FileOptions{Format: new(FormatDuckDB)}},
			want:   []string{"input.options.format INVALID: A database cannot be imported. A backup is restored by: couponql restore."},
		},
		"everything bad": {source: Import{
			Timezone: "x", Label: new("\x00x\x00"), Options: columns(MaxColumnMappings + 1),
		}, want: []string{
			`input.timezone INVALID: "x" is not a time zone. Use an IANA name such as Europe/Berlin.`,
			"input.label INVALID: The value has a control character or bytes that are not text in the file's encoding.",
			"input.options.columns INVALID: `options.columns` must map 0 to 1000 columns, not 1001.",
		}},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			err := test.source.Check()
			if diff := cmp.Diff(test.want, problemLines(t, err)); diff != "" {
				t.Errorf("problems (-want +got):\n%s", diff)
			}
			if diff := cmp.Diff(test.wantLabel, test.source.Label); err == nil && diff != "" {
				t.Errorf("label (-want +got):\n%s", diff)
			}
		})
	}
}

func TestImportStatusIsFinal(t *testing.T) {
	t.Parallel()
	for status, want := range map[ImportStatus]bool{
		ImportQueued: false, ImportRunning: false, ImportSucceeded: true, ImportFailed: true,
		ImportCanceled: true,
	} {
		if got := status.IsFinal(); got != want {
			t.Errorf("got %t for %s, want %t", got, status, want)
		}
	}
}

func TestRejectionMessages(t *testing.T) {
	t.Parallel()
	seen := map[string]RejectionReason{}
	for _, reason := range []RejectionReason{
		RejectedMalformed, RejectedEmpty, RejectedTooLong, RejectedBadCharacter, RejectedBadDate,
		RejectedAmbiguousDate,
		RejectedFutureDate, RejectedDuplicateInFile,
		RejectedAlreadyExists, RejectedExistsElsewhere, RejectedUnknownCode,
		RejectedUnknownRecipient, RejectedAlreadyRecorded,
		RejectedAlreadyRedeemed, RejectedBadFlag, RejectedBadAmount, RejectedAmbiguousAmount,
		RejectedBadCurrency, RejectedRoundedNumber,
		RejectedReserved, RejectedBadKind, RejectedBadAddress, RejectedAmbiguousCode,
	} {
		got := (&Rejection{Line: 1, Reason: reason}).Message()
		if !strings.HasSuffix(got, ".") || !strings.Contains(got, " ") {
			t.Errorf("got %q for %s, want a sentence", got, reason)
		}
		if other, isThere := seen[got]; isThere {
			t.Errorf("%s and %s have one message: %s", reason, other, got)
		}
		seen[got] = reason
	}
	value := "1,234"
	for reason, hasValue := range map[RejectionReason]bool{
		RejectedAmbiguousAmount: true, RejectedBadDate: true, RejectedDuplicateInFile: false,
	} {
		got := (&Rejection{Line: 1, Reason: reason, Value: &value}).Message()
		if strings.Contains(got, value) != hasValue || !strings.HasSuffix(got, reason.Message()) {
			t.Errorf("%s: got %q", reason, got)
		}
	}
	if got, want := RejectionReason("OTHER").Message(), "OTHER"; got != want {
		t.Errorf("got %q for a reason without a sentence, want %q", got, want)
	}
}

func TestCleanFileName(t *testing.T) {
	t.Parallel()
	tests := map[string]struct{ name, want string }{
		"clean":            {name: "codes.csv", want: "codes.csv"},
		"folders":          {name: "/home/ann/codes.csv", want: "codes.csv"},
		"folders, Windows": {name: `C:\Users\ann/x\codes.csv`, want: "codes.csv"},
		"control":          {name: "co\x00d\r\nes.csv", want: "codes.csv"},
		"not UTF-8":        {name: "c\xFFodes.csv", want: "codes.csv"},
		"empty":            {name: "", want: "unnamed"},
		"a folder alone":   {name: "codes/", want: "unnamed"},
		"nothing left":     {name: "\n", want: "unnamed"},
		"255 characters":   {name: strings.Repeat("ä", 255), want: strings.Repeat("ä", 255)},
		"256 characters":   {name: strings.Repeat("ä", 255) + "x", want: strings.Repeat("ä", 255)},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if got := CleanFileName(test.name); got != test.want {
				t.Errorf("got %q, want %q", got, test.want)
			}
		})
	}
}
