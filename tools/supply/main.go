// The program supply writes the bill of materials of a built server, as CycloneDX, and fails unless
// every license in it is one that the product may ship. `make sbom` runs it.
//
// The modules are those that the linker put into the program, as cyclonedx-gomod reads them from
// it; the files of others that the pages embed are those that LICENSES.txt names. A license
// is what licensecheck makes of its text, not what somebody says of it. The same program gives the
// same bytes.
package main

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"

	"github.com/CycloneDX/cyclonedx-go"
	"github.com/google/licensecheck"
)

// allowed are the licenses that ask for a notice at most.
var allowed = []string{
	"0BSD", "Apache-2.0", "BSD-2-Clause", "BSD-3-Clause", "ISC", "MIT", "Unlicense", "Zlib",
}

// exceptions are what has another license, and may be shipped all the same; ADR 38 says why.
var exceptions = map[string]string{
	"github.com/hashicorp/golang-lru/v2": "MPL-2.0",
	"Fira Code (font)":                   "OFL-1.1",
}

// readByPeople are texts that licensecheck does not recognise, by their SHA-256: when one changes,
// somebody reads it again.
var readByPeople = map[string]string{
	// entities: the licence in words of its own
	"b869a4f04a93a286bdb726cd327561f33bc13f67f9f6cf2840c050ef8307e6c0": "BSD-2-Clause",
	// vscode-languageserver-types: with a notice after it
	"928be7239a7156be13794119869e3da9fbf9bd5f1a07805b5b5d7e3f015386cd": "MIT",
}

// minCoverage is how much of a text, in per cent, must be a known license.
const minCoverage = 75

func main() {
	binary := flag.String("binary", "", "the built server")
	version := flag.String("version", "", "its version")
	var pages []page
	flag.Func("page", "an embedded page: its name, LICENSES.txt and package-lock.json, with commas",
		func(text string) error {
			parts := strings.Split(text, ",")
			if len(parts) != 3 {
				return errors.New("want a name and two files, with commas")
			}
			pages = append(pages, page{parts[0], parts[1], parts[2]})
			return nil
		})
	output := flag.String("output", "", "the file to write")
	flag.Parse()
	count, err := run(context.Background(), *binary, *version, pages, *output)
	if err != nil {
		fmt.Fprintln(os.Stderr, "supply:", err)
		os.Exit(1)
	}
	fmt.Printf("%s: %d components, each under a license that may be shipped\n", *output, count)
}

// page is an embedded page, and where the packages inside it are named.
type page struct{ name, licenses, lock string }

func run(
	ctx context.Context, binary, version string, pages []page, output string,
) (count int, err error) {
	bom, err := readProgram(ctx, binary, version)
	if err != nil {
		return 0, err
	}
	var embedded []asset
	for _, page := range pages {
		found, err := readAssets(page)
		if err != nil {
			return 0, err
		}
		embedded = append(embedded, found...)
	}
	problems := []error{addLicenses(ctx, *bom.Components)}
	for _, asset := range embedded {
		problems = append(problems,
			checkLicenses(asset.component.Name, asset.text, &asset.component))
		*bom.Components = append(*bom.Components, asset.component)
	}
	if err := errors.Join(problems...); err != nil {
		return 0, err
	}
	file, err := os.Create(output)
	if err != nil {
		return 0, err
	}
	err = cyclonedx.NewBOMEncoder(file, cyclonedx.BOMFileFormatJSON).SetPretty(true).Encode(bom)
	return len(*bom.Components), errors.Join(err, file.Close())
}

// readProgram returns what cyclonedx-gomod finds in a program.
func readProgram(ctx context.Context, binary, version string) (*cyclonedx.BOM, error) {
	text, err := command(ctx, "tool", "cyclonedx-gomod", "bin", "-json", "-std", "-noserial",
		"-notimestamp", "-version", version, binary)
	if err != nil {
		return nil, err
	}
	bom := new(cyclonedx.BOM)
	if err := cyclonedx.NewBOMDecoder(bytes.NewReader(text),
		cyclonedx.BOMFileFormatJSON).Decode(bom); err != nil {
		return nil, fmt.Errorf("read what cyclonedx-gomod writes: %w", err)
	}
	if bom.Components == nil || len(*bom.Components) == 0 {
		return nil, fmt.Errorf("%s has no modules", binary)
	}
	return bom, nil
}

// command returns what a go command prints.
func command(ctx context.Context, args ...string) ([]byte, error) {
	cmd := exec.CommandContext(ctx, "go", args...)
	cmd.Stderr = os.Stderr
	text, err := cmd.Output()
	if err != nil {
		return nil, fmt.Errorf("go %s: %w", strings.Join(args, " "), err)
	}
	return text, nil
}

// addLicenses reads the licenses of modules from the cache of modules, and of the standard library.
func addLicenses(ctx context.Context, components []cyclonedx.Component) error {
	folders := map[string]string{}
	args := []string{"mod", "download", "-json"}
	for _, c := range components {
		if c.Name != "std" {
			args = append(args, c.Name+"@"+c.Version)
		}
	}
	text, err := command(ctx, args...)
	if err != nil {
		return err
	}
	for decoder := json.NewDecoder(bytes.NewReader(text)); ; {
		var module struct {
			Path string `json:"path"`
			Dir  string `json:"dir"`
		}
		if err := decoder.Decode(&module); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			return fmt.Errorf("read what go mod download writes: %w", err)
		}
		folders[module.Path] = module.Dir
	}
	root, err := command(ctx, "env", "GOROOT")
	if err != nil {
		return err
	}
	folders["std"] = strings.TrimSpace(string(root))
	var problems []error
	for i := range components {
		c := &components[i]
		text, err := readLicenses(folders[c.Name])
		if err != nil {
			problems = append(problems, fmt.Errorf("%s: %w", c.Name, err))
			continue
		}
		problems = append(problems, checkLicenses(c.Name, text, c))
	}
	return errors.Join(problems...)
}

// readLicenses returns the texts of a folder's licenses.
func readLicenses(folder string) (text []byte, err error) {
	entries, err := os.ReadDir(folder)
	if err != nil {
		return nil, err
	}
	for _, entry := range entries {
		name := strings.ToUpper(entry.Name())
		if entry.IsDir() || !strings.HasPrefix(name, "LICENSE") &&
			!strings.HasPrefix(name, "LICENCE") && !strings.HasPrefix(name, "COPYING") {
			continue
		}
		part, err := os.ReadFile(filepath.Join(folder, entry.Name()))
		if err != nil {
			return nil, err
		}
		text = append(append(text, part...), '\n')
	}
	if len(text) == 0 {
		return nil, errors.New("it has no license")
	}
	return text, nil
}

// checkLicenses records the licenses in a text, and refuses those that may not be shipped.
func checkLicenses(name string, text []byte, c *cyclonedx.Component) error {
	found := licensecheck.Scan(text)
	var ids []string
	digest := fmt.Sprintf("%x", sha256.Sum256(text))
	for _, match := range found.Match {
		if !match.IsURL && !slices.Contains(ids, match.ID) {
			ids = append(ids, match.ID)
		}
	}
	if id := readByPeople[digest]; id != "" {
		ids = []string{id}
	} else if len(ids) == 0 || found.Percent < minCoverage {
		return fmt.Errorf(
			"%s: an unknown license: %v in %.0f %% of the text, which has the SHA-256 %s", name,
			ids, found.Percent, digest,
		)
	}
	var licenses cyclonedx.Licenses
	for _, id := range ids {
		if !slices.Contains(allowed, id) && exceptions[name] != id {
			return fmt.Errorf(
				"%s: the license %s is neither in allowed nor in exceptions of tools/supply", name,
				id,
			)
		}
		licenses = append(licenses, cyclonedx.LicenseChoice{License: &cyclonedx.License{ID: id}})
	}
	c.Licenses = &licenses
	return nil
}

// asset is a package whose files a page embeds.
type asset struct {
	component cyclonedx.Component
	text      []byte
}

// readAssets reads the list that the build.mjs of a page writes: names between two rules, and
// then their license. Their versions are those of the lock file, where it has them.
func readAssets(of page) ([]asset, error) {
	text, err := os.ReadFile(of.licenses)
	if err != nil {
		return nil, err
	}
	locked, err := os.ReadFile(of.lock)
	if err != nil {
		return nil, err
	}
	var versions struct {
		Packages map[string]struct {
			Version string `json:"version"`
		} `json:"packages"`
	}
	if err := json.Unmarshal(locked, &versions); err != nil {
		return nil, fmt.Errorf("%s: %w", of.lock, err)
	}
	parts := strings.Split(string(text), strings.Repeat("=", 78)+"\n")
	var assets []asset
	for i := 1; i+1 < len(parts); i += 2 {
		for name := range strings.SplitSeq(strings.TrimSpace(parts[i]), ", ") {
			c := cyclonedx.Component{
				Type: cyclonedx.ComponentTypeLibrary, Name: name,
				Version: versions.Packages["node_modules/"+name].Version,
			}
			if c.Version != "" {
				c.PackageURL = "pkg:npm/" + strings.Replace(name, "@", "%40", 1) + "@" + c.Version
			}
			c.BOMRef = of.name + "/" + name
			assets = append(assets, asset{c, []byte(parts[i+1])})
		}
	}
	if len(assets) == 0 {
		return nil, fmt.Errorf("%s names no package", of.licenses)
	}
	return assets, nil
}
