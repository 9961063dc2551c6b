package main

import (
	"strings"
	"testing"

	"github.com/CycloneDX/cyclonedx-go"
)

const (
	isc = `Copyright (c) 2020 Somebody

Permission to use, copy, modify, and/or distribute this software for any purpose with or without
fee is hereby granted, provided that the above copyright notice and this permission notice appear
in all copies.

THE SOFTWARE IS PROVIDED "AS IS" AND THE AUTHOR DISCLAIMS ALL WARRANTIES WITH REGARD TO THIS
SOFTWARE INCLUDING ALL IMPLIED WARRANTIES OF MERCHANTABILITY AND FITNESS. IN NO EVENT SHALL THE
AUTHOR BE LIABLE FOR ANY SPECIAL, DIRECT, INDIRECT, OR CONSEQUENTIAL DAMAGES OR ANY DAMAGES
WHATSOEVER RESULTING FROM LOSS OF USE, DATA OR PROFITS, WHETHER IN AN ACTION OF CONTRACT,
NEGLIGENCE OR OTHER TORTIOUS ACTION, ARISING OUT OF OR IN CONNECTION WITH THE USE OR PERFORMANCE
OF THIS SOFTWARE.
`
	gpl = `This program is free software: you can redistribute it and/or modify it under the terms of
the GNU General Public License as published by the Free Software Foundation, either
version 3 of the License, or (at your option) any later version.

This program is distributed in the hope that it will be useful, but WITHOUT ANY WARRANTY; without
even the implied warranty of MERCHANTABILITY or FITNESS FOR A PARTICULAR PURPOSE. See the GNU
General Public License for more details.

You should have received a copy of the GNU General Public License along with this program. If
not, see <https://www.gnu.org/licenses/>.
`
)

// TestCheckLicenses refuses what is unknown and what may not be shipped.
func TestCheckLicenses(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct{ text, want string }{
		"allowed":        {isc, ""},
		"copyleft":       {gpl, "the license GPL-3.0"},
		"copyleft too":   {isc + gpl, "the license GPL-3.0"},
		"somebody's own": {"You may look at this on Sundays.", "unknown license"},
		"mostly something else": {
			isc + strings.Repeat("You may look at this on Sundays. ", 100), "unknown license",
		},
		"empty": {"", "unknown license"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			err := checkLicenses("example.com/module", []byte(tt.text), new(cyclonedx.Component))
			if tt.want == "" && err != nil ||
				tt.want != "" && (err == nil || !strings.Contains(err.Error(), tt.want)) {
				t.Errorf("got %v, want %q", err, tt.want)
			}
		})
	}
}
