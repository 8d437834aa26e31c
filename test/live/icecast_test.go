//go:build linux

package live_test

import (
	"context"
	"encoding/xml"
	"fmt"
	"io"
	"net"
	"net/http"
	"testing"
	"time"
)

func TestIcecast(t *testing.T) {
	icecast := find(t, "icecast2", "icecast2", "icecast")
	dir, port := workdir(t), freePort(t)
	config := writeFile(t, dir, "icecast.xml", fmt.Sprintf(`<icecast>
	<limits><clients>20</clients><sources>4</sources><burst-size>1024</burst-size></limits>
	<authentication>
		<source-password>source</source-password><relay-password>relay</relay-password>
		<admin-user>admin</admin-user><admin-password>admin</admin-password>
	</authentication>
	<hostname>radio.example.org</hostname>
	<listen-socket><port>%d</port><bind-address>127.0.0.1</bind-address></listen-socket>
	<paths>
		<logdir>%s</logdir><webroot>/usr/share/icecast2/web</webroot><adminroot>/usr/share/icecast2/admin</adminroot>
	</paths>
	<logging><accesslog>-</accesslog><errorlog>-</errorlog><loglevel>4</loglevel></logging>
	<security>%s</security>
</icecast>`, port, dir, asRoot("<changeowner><user>nobody</user><group>nogroup</group></changeowner>")), 0o644)
	url := fmt.Sprintf("http://127.0.0.1:%d", port)
	server := start(t, icecast, "-c", config)
	server.await(t, server.says("checking master stream list")) // asked earlier, it may never be complete

	ours := newExporter(t, "")
	ours.probeUntil(t, "icecast", url, map[string]float64{
		"probe_success": 1, "icecast_sources": 0, "icecast_listeners": 0,
	})

	begin := time.Now().Add(-time.Second)
	first := source(t, port, "/radio.mp3", "Radio Example")
	got := ours.probeUntil(t, "icecast", url, map[string]float64{
		"probe_success": 1, "icecast_sources": 1,
		`icecast_source_listeners{mount="/radio.mp3"}`:                0,
		`icecast_source_bitrate_bytes_per_second{mount="/radio.mp3"}`: 16000,
	})
	if since := got[`icecast_source_start_time_seconds{mount="/radio.mp3"}`].value; since < float64(begin.Unix()) || since > float64(time.Now().Unix()+1) {
		t.Errorf("the source was connected at %v, want a time after %d", since, begin.Unix())
	}

	source(t, port, "/second.mp3", "Second")
	for range 3 {
		connect(t, port, "GET /radio.mp3 HTTP/1.0\r\n\r\n")
	}
	got = ours.probeUntil(t, "icecast", url, map[string]float64{
		"probe_success": 1, "icecast_sources": 2, "icecast_listeners": 3,
		`icecast_source_listeners{mount="/radio.mp3"}`:                                                              3,
		`icecast_source_listeners_peak{mount="/radio.mp3"}`:                                                         3,
		`icecast_source_listeners{mount="/second.mp3"}`:                                                             0,
		`icecast_source_info{genre="jazz",mount="/radio.mp3",server_name="Radio Example",server_type="audio/mpeg"}`: 1,
	})

	// What the page for administrators says, a moment later.
	eventually(t, "Icecast's pages to agree", func(context.Context) error {
		var page struct {
			Listeners float64 `xml:"listeners"`
			Sources   float64 `xml:"sources"`
			Start     string  `xml:"server_start_iso8601"`
		}
		if err := xml.Unmarshal(administrate(t, url+"/admin/stats"), &page); err != nil {
			return err
		}
		started, err := time.Parse("2006-01-02T15:04:05-0700", page.Start)
		if err != nil {
			return err
		}
		return got.differ(map[string]float64{
			"icecast_sources": page.Sources, "icecast_listeners": page.Listeners,
			"icecast_start_time_seconds": float64(started.Unix()),
		})
	})

	first.Close()
	ours.probeUntil(t, "icecast", url, map[string]float64{
		"probe_success": 1, "icecast_sources": 1, "icecast_listeners": 0,
	})
}

// source connects a source of silence.
func source(t *testing.T, port int, mount, name string) net.Conn {
	t.Helper()
	conn := connect(t, port, "PUT "+mount+" HTTP/1.1\r\nHost: localhost\r\nAuthorization: Basic c291cmNlOnNvdXJjZQ==\r\n"+
		"Content-Type: audio/mpeg\r\nIce-Name: "+name+"\r\nIce-Genre: jazz\r\nIce-Bitrate: 128\r\nIce-Public: 0\r\n\r\n")
	if _, err := conn.Read(make([]byte, 1024)); err != nil {
		t.Fatal(err)
	}
	frame := make([]byte, 417)
	copy(frame, "\xff\xfb\x90\x00")
	for range 20 {
		if _, err := conn.Write(frame); err != nil {
			t.Fatal(err)
		}
	}
	return conn
}

// administrate asks for a page as Icecast's administrator.
func administrate(t *testing.T, url string) []byte {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, http.NoBody)
	if err != nil {
		t.Fatal(err)
	}
	request.SetBasicAuth("admin", "admin")
	answer, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	body, err := io.ReadAll(answer.Body)
	if err != nil {
		t.Fatal(err)
	}
	return body
}
