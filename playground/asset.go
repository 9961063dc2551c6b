package playground

import (
	"fmt"
	"io/fs"
	"path"
	"strings"

	"couponql/page"
)

// loadAssets returns every embedded file of the page by its plain name, such as "graphiql.js". Its
// path is /assets/ and that name with the content's hash before the extension.
func loadAssets() (map[string]*page.File, error) {
	assets := make(map[string]*page.File)
	err := fs.WalkDir(assetFiles, ".", func(file string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		plain, err := assetFiles.ReadFile(file)
		if err != nil {
			return err
		}
		name, isCompressed := strings.CutSuffix(path.Base(file), ".gz")
		gzipped := plain
		if isCompressed {
			plain, err = page.Decompress(gzipped)
		} else {
			gzipped, err = page.Compress(plain)
		}
		if err != nil {
			return fmt.Errorf("%s: %w", file, err)
		}
		extension := path.Ext(name)
		hashed := strings.TrimSuffix(name, extension) + "." + page.Hash(plain) + extension
		assets[name], err = page.New("/assets/"+hashed, page.Forever,
			plain, gzipped)
		return err
	})
	return assets, err
}
