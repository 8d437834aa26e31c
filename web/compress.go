package web

import (
	"io"
	"net/http"
	"strconv"
	"strings"

	"github.com/klauspost/compress/gzip"
)

// leastCompressed is how many bytes an answer has at least that is compressed: for
// less, compressing takes longer than sending.
const leastCompressed = 1024

// A compressor writes an answer, compressed with gzip at its fastest level where
// the client takes that: in a profile of 20,000 series, promhttp's default level
// cost half as much as all the rest of the scrape.
type compressor struct {
	out      io.Writer
	header   http.Header // of the answer
	accepted bool        // by the client
	zip      *gzip.Writer
	zipping  bool // this answer
	begun    bool
}

// begin begins an answer to a request, with the headers of both.
func (c *compressor) begin(out io.Writer, answer, request http.Header) {
	*c = compressor{out: out, header: answer, accepted: acceptsGzip(request), zip: c.zip}
}

// Write writes a piece of the answer. The first one decides: it is all of an answer
// that is small.
func (c *compressor) Write(p []byte) (int, error) {
	if !c.begun {
		c.begun = true
		c.zipping = c.accepted && len(p) >= leastCompressed
		if c.zipping {
			c.header.Set("Content-Encoding", "gzip")
			if c.zip == nil {
				c.zip, _ = gzip.NewWriterLevel(c.out, gzip.BestSpeed)
			} else {
				c.zip.Reset(c.out)
			}
		}
	}
	if c.zipping {
		return c.zip.Write(p)
	}
	return c.out.Write(p)
}

// end ends the answer and lets go of it.
func (c *compressor) end() (err error) {
	if c.zipping {
		err = c.zip.Close()
		c.zip.Reset(nil)
	}
	*c = compressor{zip: c.zip}
	return err
}

// acceptsGzip tells whether a client takes gzip (RFC 9110, section 12.5.3).
func acceptsGzip(h http.Header) bool {
	others, named := false, false
	for _, line := range h["Accept-Encoding"] {
		for item := range strings.SplitSeq(line, ",") {
			coding, params, _ := strings.Cut(item, ";")
			switch strings.ToLower(strings.TrimSpace(coding)) {
			case "gzip", "x-gzip":
				if weight(params) > 0 {
					return true
				}
				named = true
			case "*":
				others = weight(params) > 0
			}
		}
	}
	return others && !named
}

// weight returns the weight in the parameters of a coding; 1 where there is none.
func weight(params string) float64 {
	name, value, _ := strings.Cut(params, "=")
	if !strings.EqualFold(strings.TrimSpace(name), "q") {
		return 1
	}
	q, err := strconv.ParseFloat(strings.TrimSpace(value), 64)
	if err != nil {
		return 0
	}
	return q
}
