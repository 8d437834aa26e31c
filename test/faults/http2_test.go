//go:build linux

package faults_test

import (
	"bufio"
	"bytes"
	"crypto/tls"
	"io"
	"net"
	"strings"
	"testing"

	"golang.org/x/net/http2"
	"golang.org/x/net/http2/hpack"
)

// A stream is that of the first request on a connection of HTTP/2, to be answered by
// frames as they are written.
type stream struct {
	*http2.Framer
	id uint32
}

// http2Frames is a target that answers frame by frame.
func http2Frames(answer func(stream)) func(*testing.T) string {
	return secretly([]string{"h2"}, func(c net.Conn) {
		if _, err := io.ReadFull(c, make([]byte, len(http2.ClientPreface))); err != nil {
			return
		}
		s := stream{Framer: http2.NewFramer(c, bufio.NewReader(c))}
		_ = s.WriteSettings()
		for s.id == 0 {
			frame, err := s.ReadFrame()
			if err != nil {
				return
			}
			switch frame := frame.(type) {
			case *http2.SettingsFrame:
				if !frame.IsAck() {
					_ = s.WriteSettingsAck()
				}
			case *http2.HeadersFrame:
				s.id = frame.StreamID
			}
		}
		go io.Copy(io.Discard, c)
		answer(s)
	})
}

// secretly is a target that speaks for itself over TLS.
func secretly(protocols []string, speak func(net.Conn)) func(*testing.T) string {
	return func(t *testing.T) string {
		config := &tls.Config{Certificates: []tls.Certificate{good(t)}, NextProtos: protocols}
		return strings.Replace(listen(t, func(c net.Conn) { speak(tls.Server(c, config)) }), "http:", "https:", 1)
	}
}

// head writes a header.
func (s stream) head(whole bool, fields ...string) {
	_ = s.WriteHeaders(http2.HeadersFrameParam{StreamID: s.id, BlockFragment: block(fields...), EndHeaders: whole})
}

func block(fields ...string) []byte {
	var b bytes.Buffer
	e := hpack.NewEncoder(&b)
	for i := 0; i < len(fields); i += 2 {
		_ = e.WriteField(hpack.HeaderField{Name: fields[i], Value: fields[i+1]})
	}
	return b.Bytes()
}

// floods sends frames that are answered, until the connection ends.
func floods(s stream) {
	for s.WritePing(false, [8]byte{1}) == nil && s.WriteSettings() == nil {
	}
}

func floodsAfterwards(s stream) {
	s.head(true, ":status", "200")
	_ = s.WriteData(s.id, true, []byte(healthy))
	floods(s)
}

func goesAway(s stream) { _ = s.WriteGoAway(0, http2.ErrCodeNo, nil) }

func endlessHeader(s stream) {
	s.head(false, ":status", "200")
	junk := block("x-junk", strings.Repeat("x", 4000))
	for s.WriteContinuation(s.id, false, junk) == nil {
	}
}

func noStatus(s stream) { s.head(true, "x", "y") }

// garbles sends what cannot be deciphered in the middle of its answer.
func garbles(t *testing.T) string {
	return secretly(nil, func(c net.Conn) {
		if readHeader(c) == nil {
			_, _ = io.WriteString(c, "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n"+healthy)
			_, _ = c.(*tls.Conn).NetConn().Write(append([]byte{23, 3, 3, 0, 40}, make([]byte, 40)...))
		}
	})(t)
}
