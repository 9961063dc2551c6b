package sender_test

import (
	"strings"
	"testing"

	"couponql/coupon"
	"couponql/sender"
)

// TestSMTPAddresses tells how addresses reach the mail server that are not written as it wants
// them.
func TestSMTPAddresses(t *testing.T) {
	t.Parallel()
	server := startMail(t, &mailServer{}, false, false)
	s := newSMTP(t, &sender.SMTPOptions{
		URL: "smtp://" + server.addr + "?tls=off", From: "Bücher <info@bücher.example>",
	})
	for _, test := range []struct{ address, rcpt, header string }{
		{"info@bücher.example", "info@xn--bcher-kva.example", "<info@xn--bcher-kva.example>"},
		{"anna\u200b@EXAMPLE.com", "anna@example.com", "<anna@example.com>"},
		{"taro..s@docomo.example", "taro..s@docomo.example", `<"taro..s"@docomo.example>`},
		{`"hanako."@docomo.example`, "hanako.@docomo.example", `<"hanako."@docomo.example>`},
	} {
		messages := batch(coupon.ChannelEmail, 1, 1)
		messages[0].Address = test.address
		wantAttempts(t, send(t, s, messages), accepted(1))
		received := server.received[len(server.received)-1]
		if received.to != test.rcpt || received.from != "info@xn--bcher-kva.example" {
			t.Errorf("%q: sent from %q to %q, want %q", test.address, received.from,
				received.to, test.rcpt)
		}
		header := received.parse(t).Header
		if header.Get("To") != test.header ||
			!strings.HasSuffix(header.Get("From"), "<info@xn--bcher-kva.example>") {
			t.Errorf("%q: got From: %s, To: %s, want To: %s", test.address, header.Get("From"),
				header.Get("To"), test.header)
		}
	}
}

// TestMailFrom refuses senders that no mail server takes.
func TestMailFrom(t *testing.T) {
	t.Parallel()
	for from, want := range map[string]string{
		"shop":                "must be an address such as",
		"shop@example":        "has no dot",
		"Shop <shop@a_b.com>": "is no domain",
	} {
		_, err := sender.NewSMTP(&sender.SMTPOptions{URL: "smtp://127.0.0.1", From: from})
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: got %v, want %q", from, err, want)
		}
	}
}
