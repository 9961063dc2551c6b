package sender

import (
	"bufio"
	"bytes"
	"io"
	"net/textproto"
	"testing"
	"testing/iotest"
)

// FuzzReplies: whatever a server answers, and in whatever pieces it comes, is passed on the same, and never more than the limits
// of an answer before the library has its end.
func FuzzReplies(f *testing.F) {
	for _, seed := range []string{"220 hello\r\n", "250-a\r\n250 b\r\n354 go\r\n", "250-a\r\n550 " +
		"b\r\n", "250\r\n", "what\r\n250-a\r\nb\r\n250\r\n", "25", "250-a"} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, said []byte) {
		whole, wholeErr := io.ReadAll(newReplies(bytes.NewReader(said)))
		pieces, piecesErr := io.ReadAll(newReplies(iotest.OneByteReader(bytes.NewReader(said))))
		if !bytes.Equal(whole, pieces) || (wholeErr == nil) != (piecesErr == nil) {
			t.Errorf("%q is %q, %v, and in pieces %q, %v", said, whole, wholeErr, pieces, piecesErr)
		}
		reader := textproto.NewReader(bufio.NewReader(newReplies(bytes.NewReader(said))))
		for {
			_, text, err := reader.ReadResponse(0)
			if len(text) > maxReply {
				t.Errorf("an answer of %d bytes", len(text))
			}
			if err != nil {
				return
			}
		}
	})
}
