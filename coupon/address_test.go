package coupon

import (
	"math/rand/v2"
	"strings"
	"testing"
)

func TestEmail(t *testing.T) {
	t.Parallel()
	const bad = ""
	for _, c := range []struct{ text, want string }{
		// What is right stays as it is.
		{"anna@example.com", "anna@example.com"},
		{"Anna.Müller+x@example.com", "Anna.Müller+x@example.com"},
		{"o'brien_{a}!#$%&*/=?^`|~-@a-b.example", "o'brien_{a}!#$%&*/=?^`|~-@a-b.example"},
		{"anna@r3---sn.example.com", "anna@r3---sn.example.com"},
		{"postmaster@example.museum", "postmaster@example.museum"},
		// Domains are in ASCII and lower case.
		{"Anna@EXAMPLE.com", "Anna@example.com"},
		{"info@bücher.example", "info@xn--bcher-kva.example"},
		{"info@BÜCHER.example", "info@xn--bcher-kva.example"},
		{"info@bu\u0308cher.example", "info@xn--bcher-kva.example"},
		{"info@XN--bcher-KVA.example", "info@xn--bcher-kva.example"},
		{"anna@faß.example", "anna@xn--fa-hia.example"},
		{"почта@пример.рф", "почта@xn--e1afmkfd.xn--p1ai"},
		{"用户@例子.广告", "用户@xn--fsqu00a.xn--4rr70v"},
		{"संपर्क@डाटामेल.भारत", "संपर्क@xn--c2bd4bq1db8d.xn--h2brj9c"},
		{"info@مثال.إختبار", "info@xn--mgbh0fb.xn--kgbechtv"},
		{"info@例え。テスト", "info@xn--r8jz45g.xn--zckzah"},
		{"info@نامه\u200cای.com", "info@xn--mgba3gch31f060k.com"},
		{"anna@example.com.", "anna@example.com"},
		// What nobody sees.
		{" anna@example.com\r\n", "anna@example.com"},
		{"anna\u200b@example.com", "anna@example.com"},
		{"\ufeffanna@exam\u00adple.com", "anna@example.com"},
		{"\u202aanna@example.com\u202c", "anna@example.com"},
		{"an\u200dna@exam\u200cple.com", "anna@example.com"},
		{"\u00a0anna@example.com\u3000", "anna@example.com"},
		{"anna@example.com\u200b ", "anna@example.com"},
		// What East Asian keyboards type.
		{"ａｎｎａ＠ｅｘａｍｐｌｅ．ｃｏｍ", "anna@example.com"},
		// Dots that RFC 5321 wants in quotes.
		{"taro..s@docomo.example", `"taro..s"@docomo.example`},
		{"hanako.@docomo.example", `"hanako."@docomo.example`},
		{".hanako@DOCOMO.example", `".hanako"@docomo.example`},
		{`"taro..s"@docomo.example`, `"taro..s"@docomo.example`},
		{`"anna"@example.com`, "anna@example.com"},
		{`"an\na"@example.com`, "anna@example.com"},
		// Links and address books.
		{"mailto:anna@example.com", "anna@example.com"},
		{"MAILTO:anna@example.com?subject=Hello", "anna@example.com"},
		{"<anna@example.com>", "anna@example.com"},
		{"Anna Müller <anna@example.com>", "anna@example.com"},
		{`"Müller, Anna" <anna@example.com>`, "anna@example.com"},
		// Lengths.
		{strings.Repeat("a", 64) + "@example.com", strings.Repeat("a", 64) + "@example.com"},
		{strings.Repeat("a", 65) + "@example.com", bad},
		{strings.Repeat("ä", 33) + "@example.com", bad},
		{"anna@" + strings.Repeat("a", 63) + ".com", "anna@" + strings.Repeat("a", 63) + ".com"},
		{"anna@" + strings.Repeat("a", 64) + ".com", bad},
		{"anna@" + strings.Repeat("a.", 124) + "c", "anna@" + strings.Repeat("a.", 124) + "c"},
		{"anna@" + strings.Repeat("a.", 125) + "c", bad},
		// What cannot be one.
		{"anna", bad},
		{"@example.com", bad},
		{"anna@", bad},
		{"anna@example", bad},
		{"anna@@example.com", bad},
		{"an na@example.com", bad},
		{"anna@exam ple.com", bad},
		{"anna@-example.com", bad},
		{"anna@example-.com", bad},
		{"anna@example..com", bad},
		{"anna@.example.com", bad},
		{"anna@exam_ple.com", bad},
		{"anna@127.0.0.1", bad},
		{"anna@[127.0.0.1]", bad},
		{"anna@example.123", bad},
		{"anna@xn--a.example", bad},
		{"anna(work)@example.com", bad},
		{`"a b"@example.com`, bad},
		{"anna@example.com, bea@example.com", bad},
		{"anna@example.com;bea@example.com", bad},
		{"anna@example.com bea@example.com", bad},
		{"Anna <anna@example.com>, Bea <bea@example.com>", bad},
		{"anna\n@example.com", bad},
		{"anna\x00@example.com", bad},
		{"anna\xff@example.com", bad},
		{"\u200b", bad},
	} {
		expectAddress(t, ChannelEmail, c.text, "", c.want)
	}
}

func TestPhone(t *testing.T) {
	t.Parallel()
	const bad = ""
	for _, c := range []struct{ text, region, want string }{
		{"+491701234567", "", "+491701234567"},
		{"+49 170 1234567", "", "+491701234567"},
		{"+49 (0)170 1234567", "", "+491701234567"},
		{"+49(0)170/12345-67", "US", "+491701234567"},
		{"+4901701234567", "", "+491701234567"},
		{"0049 170 1234567", "", "+491701234567"},
		{"0049 170 1234567", "DE", "+491701234567"},
		{"0049 (0)170 1234567", "FR", "+491701234567"},
		{"011 49 170 1234567", "US", "+491701234567"},
		{"0170 1234567", "DE", "+491701234567"},
		{"(0170) 1234567", "DE", "+491701234567"},
		{"(+49) 170 1234567", "", "+491701234567"},
		{"491701234567", "DE", "+491701234567"},
		{"3911234567", "IT", "+393911234567"},
		{"tel:+49-170-1234567", "", "+491701234567"},
		{"\u202a+49 170 1234567\u202c", "", "+491701234567"},
		{"+49\u00a0170\u2009123\u20114567", "", "+491701234567"},
		{"＋４９ １７０ １２３４５６７", "", "+491701234567"},
		{"٠١٧٠١٢٣٤٥٦٧", "DE", "+491701234567"},
		{"06 1234567", "IT", "+39061234567"},
		{"+39 (0)6 1234567", "", "+39061234567"},
		{"8 (912) 345-67-89", "RU", "+79123456789"},
		{"090-1234-5678", "JP", "+819012345678"},
		{"(212) 555-0100", "US", "+12125550100"},
		{"1 212 555 0100", "US", "+12125550100"},
		{"+1 (212) 555-0100", "", "+12125550100"},
		{"+54 11 15 1234 5678", "", "+5491112345678"},
		// No country is known.
		{"0170 1234567", "", "01701234567"},
		{"0170/123-45.67", "", "01701234567"},
		{"12345", "", "12345"},
		{"1234", "", bad},
		{"123456789012345678", "", bad},
		// What cannot be one.
		{"12345", "DE", bad},
		{"110", "DE", bad},
		{"1234567", "DE", bad},
		{"555-0100", "US", bad},
		{"+1234", "", bad},
		{"+999 123456", "", bad},
		{"+12345678901234567", "", bad},
		{"+49 30 1234 ext. 5", "", bad},
		{"+1 212 555 0100 x3", "", bad},
		{"1-800-FLOWERS", "US", bad},
		{"+491701234567, +491701234568", "", bad},
		{"4,91712E+11", "DE", bad},
		{"4.91712E+11", "", bad},
		{"++491701234567", "", bad},
		{"+49+1701234567", "", bad},
		{"anna", "DE", bad},
		{"+", "", bad},
		{"", "", bad},
		{"+49\xff1701234567", "", bad},
	} {
		expectAddress(t, ChannelSMS, c.text, c.region, c.want)
	}
}

func TestOtherAddresses(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		channel    Channel
		text, want string
		key        string
	}{
		{ChannelPush, " dGVzdA==:aB\u200b ", "dGVzdA==:aB", "dGVzdA==:aB"},
		{ChannelPush, "\ufeff", "", ""},
		{
			ChannelDirectMail, "Hauptstr. 1\n10115 Berlin\u00ad", "Hauptstr. 1\n10115 Berlin",
			"hauptstr. 1\n10115 berlin",
		},
		{
			ChannelEmail, "Anna@BÜCHER.example", "Anna@xn--bcher-kva.example",
			"anna@xn--bcher-kva.example",
		},
		{ChannelEmail, "ÄNNA..X@example.com", `"ÄNNA..X"@example.com`, `"änna..x"@example.com`},
	} {
		got, _ := Canonical(c.channel, c.text, "")
		if got.Send != c.want || got.Key != c.key {
			t.Errorf("Canonical(%s, %q) = %q, key %q; want %q, key %q", c.channel, c.text, got.Send,
				got.Key, c.want, c.key)
		}
	}
}

func expectAddress(t *testing.T, channel Channel, text, region, want string) {
	t.Helper()
	got, reason := Canonical(channel, text, region)
	if got.Send != want || (reason == "") == (want == "") {
		t.Errorf("Canonical(%s, %q, %q) = %q, %q; want %q", channel, text, region, got.Send,
			reason, want)
	}
	if again, _ := Canonical(channel, got.Send, region); want != "" && again != got {
		t.Errorf("Canonical(%s, %q, %q) = %q, and of that %q; want the same", channel, text,
			region, got, again)
	}
}

// TestPlainPhones compares the quick way with the library.
func TestPlainPhones(t *testing.T) {
	t.Parallel()
	random := rand.New(rand.NewPCG(1, 2))
	for _, plan := range plans {
		for range 300 {
			digits := make([]byte, plan.min+random.IntN(plan.max-plan.min+1))
			for i := range digits {
				digits[i] = byte('0' + random.IntN(10))
			}
			text := "+" + plan.code + string(digits)
			if !isPlainPhone(text) {
				continue
			}
			if got, reason := internationalPhone(text); got != text {
				t.Errorf("the library makes %q of %q: %s; want the same", got, text, reason)
			}
		}
	}
}

func TestRegions(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		text, region string
		isKnown      bool
	}{
		{"", "", true},
		{"DE", "DE", true},
		{" de ", "DE", true},
		{"XX", "XX", false},
		{"Germany", "DE", true},
		{"österreich", "AT", true},
		{"UK", "GB", true},
		{"Atlantis", "ATLANTIS", false},
		{"49", "49", false},
	} {
		if region, isKnown := CanonicalRegion(c.text); region != c.region || isKnown != c.isKnown {
			t.Errorf("CanonicalRegion(%q) = %q, %t; want %q, %t", c.text, region, isKnown,
				c.region, c.isKnown)
		}
	}
	for _, c := range []struct{ country, region string }{
		{"at", "AT"},
		{"", "DE"},
		{"Austria", "AT"},
		{"Allemagne", "DE"},
		{"uk", "GB"},
		{"Atlantis", ""},
		{" ", "DE"},
	} {
		if got := RegionOf(c.country, "DE"); got != c.region {
			t.Errorf("RegionOf(%q, DE) = %q; want %q", c.country, got, c.region)
		}
	}
}

func FuzzAddress(f *testing.F) {
	for _, text := range []string{
		"anna@example.com", "taro..s@docomo.example", "info@bücher.example", "\"a\\b\"@x.y",
		"A <a@b.c>", "mailto:a@b.c?x",
		"+49 (0)170 1234567", "0049 170 1234567", "4,9E+11", "\u200dxn--@\u200c.é",
	} {
		f.Add(text, "DE")
		f.Add(text, "")
	}
	f.Fuzz(func(t *testing.T, text, region string) {
		region, isKnown := CanonicalRegion(region)
		if !isKnown {
			region = ""
		}
		for _, channel := range []Channel{
			ChannelEmail, ChannelSMS, ChannelPush, ChannelDirectMail,
		} {
			got, reason := Canonical(channel, text, region)
			if (got.Send == "") == (reason == "") || (got.Key == "") != (got.Send == "") {
				t.Fatalf("Canonical(%s, %q, %q) = %q, %q; want an address or a reason", channel,
					text, region, got, reason)
			}
			if got.Send == "" {
				continue
			}
			if again, reason := Canonical(channel, got.Send, region); again != got {
				t.Fatalf("Canonical(%s, %q, %q) = %q, and of that %q (%s); want the same", channel,
					text, region, got, again, reason)
			}
			if key, reason := Canonical(channel, got.Key, region); key.Key != got.Key {
				t.Fatalf("Canonical(%s, %q, %q).Key = %q, and of that %q (%s); want the same",
					channel, text, region, got.Key, key.Key, reason)
			}
		}
	})
}

func BenchmarkAddress(b *testing.B) {
	for _, c := range []struct {
		name    string
		channel Channel
		text    string
	}{
		{"plain e-mail", ChannelEmail, "anna.mueller@example.com"},
		{"e-mail with an odd domain", ChannelEmail, "anna@bücher.example"},
		{"plain phone", ChannelSMS, "+491701234567"},
		{"spaced phone", ChannelSMS, "+49 170 1234567"},
		{"national phone", ChannelSMS, "0170 1234567"},
	} {
		b.Run(c.name, func(b *testing.B) {
			for b.Loop() {
				if _, reason := Canonical(c.channel, c.text, "DE"); reason != "" {
					b.Fatal(reason)
				}
			}
		})
	}
}
