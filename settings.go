package main

import (
	"encoding/json"
	"fmt"
	"io"
	"net/url"
	"os"
	"reflect"
	"slices"
	"strings"

	"github.com/alecthomas/kong"
)

// settingsFile gives the settings of a file: one JSON object, whose members are named like the flags of serve, without
// the dashes before. Flags and environment variables go before it.
type settingsFile map[string]any

var _ kong.Resolver = settingsFile{}

// readSettings reads a file of settings.
func readSettings(file io.Reader) (kong.Resolver, error) {
	settings := settingsFile{}
	if err := json.NewDecoder(file).Decode(&settings); err != nil {
		return nil, fmt.Errorf("the settings are not one JSON object: %w", err)
	}
	return settings, nil
}

// Validate refuses what is no setting: a word that is spelled wrong must not be a setting that is not made.
func (s settingsFile) Validate(app *kong.Application) error {
	known := map[string]bool{}
	for _, node := range app.Children {
		if node.Name == "serve" {
			for _, flag := range node.Flags {
				known[flag.Name] = true
			}
		}
	}
	for name := range s {
		if !known[name] {
			return fmt.Errorf("%q is not a setting; couponql serve --help lists them", name)
		}
	}
	return nil
}

// Resolve gives the value of a flag, nil where the file has none or the environment one that goes before it.
func (s settingsFile) Resolve(_ *kong.Context, _ *kong.Path, flag *kong.Flag) (any, error) {
	if slices.ContainsFunc(flag.Envs, func(name string) bool { _, isSet := os.LookupEnv(name); return isSet }) {
		return nil, nil //nolint:nilnil // that is how kong wants it
	}
	return s[flag.Name], nil
}

// printSettings writes the settings of a command as settingsFile reads them. Of what is secret it tells only whether it
// is set.
func printSettings(out io.Writer, flags []*kong.Flag) error {
	settings := map[string]any{}
	for _, flag := range flags {
		switch flag.Name {
		case "help", "config", "print-config":
			continue
		}
		if flag.Target.Kind() == reflect.Pointer && flag.Target.IsNil() {
			// Nobody set it, and there is no value that says so.
			continue
		}
		var value any = fmt.Sprint(reflect.Indirect(flag.Target).Interface())
		if flag.IsSlice() {
			value = strings.Join(strings.Fields(strings.Trim(fmt.Sprint(flag.Target.Interface()), "[]")), ",")
		}
		if flag.IsBool() {
			value = flag.Target.Bool()
		}
		if text, isText := value.(string); isText && text != "" {
			if strings.HasSuffix(flag.Name, "secret") || strings.HasSuffix(flag.Name, "key") {
				value = "xxxxx"
			} else if address, err := url.Parse(text); err == nil && address.User != nil {
				value = address.Redacted()
			}
		}
		settings[flag.Name] = value
	}
	encoder := json.NewEncoder(out)
	encoder.SetIndent("", "  ")
	if err := encoder.Encode(settings); err != nil {
		return fmt.Errorf("print the settings: %w", err)
	}
	return nil
}
