package transfer

import (
	"mime"
	"net/http"
	"strings"

	"couponql/coupon"
	"couponql/monitor"
)

// rejectsSuffix and the id of an import are the name of the file of its rejected rows.
const rejectsSuffix = "-rejects.csv"

func rejectsName(importID coupon.ID) string { return string(importID) + rejectsSuffix }

// download serves the link to a file. A new kind of file is a case here, and a method of Links: what is made while it
// is sent is written to an answer, and what is a file on disk is handed to http.ServeContent with one, which knows
// about ranges.
func (h *handler) download(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Cache-Control", "no-store")
	if !h.isAllowed(w, r, forDownload) {
		return
	}
	name := r.PathValue("name")
	if id, isRejects := strings.CutSuffix(name, rejectsSuffix); isRejects {
		h.rejects(w, r, coupon.ID(id))
		return
	}
	id, _, _ := strings.Cut(name, ".")
	h.export(w, r, coupon.ID(id), name)
}

// export answers the file of an export, or the ranges of it that are asked for.
func (h *handler) export(w http.ResponseWriter, r *http.Request, id coupon.ID, name string) {
	file, e, err := h.Store.OpenExport(r.Context(), id)
	if err != nil {
		h.fail(w, r, err)
		return
	}
	// Nothing was written to it.
	defer func() { _ = file.Close() }()
	if e.FileName() != name {
		refuse(w, http.StatusNotFound, "There is no such file.")
		return
	}
	out, end := newAnswer(w, h.patience)
	defer end()
	attach(w, name, contentTypeOf(e.Format))
	w.Header().Set("ETag", `"`+string(e.ID)+`"`)
	http.ServeContent(out, r, "", *e.FinishedAt, file)
}

// contentTypeOf returns the media type of a format. Those of JSONL and Parquet are in use though not registered.
func contentTypeOf(format coupon.FileFormat) string {
	switch format {
	case coupon.FormatCSV:
		return "text/csv; charset=utf-8"
	case coupon.FormatXML:
		return "application/xml"
	case coupon.FormatJSONL:
		return "application/jsonl"
	case coupon.FormatParquet:
		return "application/vnd.apache.parquet"
	case coupon.FormatDuckDB:
	}
	return "application/octet-stream"
}

// attach announces a file that is to be saved, not shown.
func attach(w http.ResponseWriter, name, contentType string) {
	w.Header().Set("Content-Type", contentType)
	w.Header().Set("Content-Disposition", mime.FormatMediaType("attachment", map[string]string{"filename": name}))
	w.Header().Set("X-Content-Type-Options", "nosniff")
}

// rejects answers the rejected rows of an import, which are put together while they are sent.
func (h *handler) rejects(w http.ResponseWriter, r *http.Request, importID coupon.ID) {
	if r.Method == http.MethodHead {
		h.lookForRejects(w, r, importID)
		return
	}
	out, end := newAnswer(w, h.patience)
	defer end()
	attach(w, rejectsName(importID), "text/csv; charset=utf-8")
	err := h.Store.WriteRejects(r.Context(), importID, out)
	switch {
	case err == nil:
	case !out.isBegun:
		w.Header().Del("Content-Disposition")
		h.fail(w, r, err)
	default:
		if !isGone(r, err) {
			h.Log.ErrorContext(r.Context(), "download broke off", "request", monitor.RequestID(r.Context()), "path", r.URL.Path, "error", err)
		}
		// The client must not take what it has for the whole file.
		panic(http.ErrAbortHandler)
	}
}

// lookForRejects answers a HEAD.
func (h *handler) lookForRejects(w http.ResponseWriter, r *http.Request, importID coupon.ID) {
	found, err := h.Store.ImportsByID(r.Context(), []coupon.ID{importID})
	i := found[importID]
	switch {
	case err != nil:
		h.fail(w, r, err)
	case i == nil || !i.HasRejects(h.Store.Now()):
		refuse(w, http.StatusNotFound, "There is no such file.")
	default:
		attach(w, rejectsName(importID), "text/csv; charset=utf-8")
	}
}
