package hall

import (
	"bytes"
	"cmp"
	"compress/gzip"
	"context"
	"fmt"
	"io"
	"path"
	"slices"

	"github.com/gatecert/gatecert/contract"
	"github.com/gatecert/gatecert/reports"
	"github.com/gatecert/gatecert/reports/certificate"
)

// file is a file of the hall. Its name is relative to the folder of all pages, with slashes.
type file struct {
	name  string
	write func(io.Writer) error
}

func badgeFile(g Gateway) string { return "badges/" + g.Slug + ".svg" }

// files are all files of the hall but the manifest, sorted by name.
func (h Hall) files() []file {
	list := []file{{"index.html", h.indexPage}, {"data.json", h.dataFile}, {feedFile, h.feedPage}}
	for _, row := range contract.Rows() {
		list = append(list, file{rowPage(row.ID), func(w io.Writer) error { return h.rowPage(w, row) }})
	}
	for _, g := range h.Gateways {
		list = append(list,
			file{gatewayPage(g), func(w io.Writer) error { return h.gatewayPage(w, g) }},
			file{badgeFile(g), func(w io.Writer) error { return reports.BadgeSVG(w, g.Current.Run) }})
		for _, e := range g.Runs {
			list = append(list, h.runFiles(e)...)
		}
	}
	slices.SortFunc(list, func(a, b file) int { return cmp.Compare(a.name, b.name) })
	return list
}

// runFiles are the evidence of a run, its log, and its certificate if it has one. Together they are a folder that a hall reads again.
func (h Hall) runFiles(e Entry) []file {
	dir := runFolder(e)
	list := []file{
		{dir + evidenceFile, func(w io.Writer) error {
			run, err := h.evidence(e)
			if err != nil {
				return fmt.Errorf("%q: %w", e.Path, err)
			}
			return reports.HTML(w, run)
		}},
		{dir + packedLog, func(w io.Writer) error {
			log, err := h.log(e)
			if err != nil {
				return fmt.Errorf("%q: %w", e.Path, err)
			}
			return pack(w, log)
		}},
	}
	if e.Signer == "" {
		return list
	}
	for _, name := range []string{certificate.ReportFile, certificate.EnvelopeFile} {
		list = append(list, file{dir + name, func(w io.Writer) error {
			data, err := readSmall(h.folder, path.Join(path.Dir(e.Path), name))
			if err != nil {
				return fmt.Errorf("%q: %w", e.Path, err)
			}
			_, err = io.Copy(w, bytes.NewReader(data))
			return err
		}})
	}
	return list
}

// pack compresses a log. It names no time and no system, so that the same log gives the same bytes.
func pack(w io.Writer, log []byte) error {
	out, err := gzip.NewWriterLevel(w, gzip.BestCompression)
	if err != nil {
		return err
	}
	if _, err := out.Write(log); err != nil {
		return err
	}
	return out.Close()
}

// each calls create for every file, and writes it.
func (h Hall) each(ctx context.Context, files []file, create func(name string) (io.WriteCloser, error)) error {
	for _, f := range files {
		if err := ctx.Err(); err != nil {
			return err
		}
		out, err := create(f.name)
		if err != nil {
			return err
		}
		err = f.write(out)
		if closeErr := out.Close(); err == nil {
			err = closeErr
		}
		if err != nil {
			return fmt.Errorf("write %s: %w", f.name, err)
		}
	}
	return nil
}
