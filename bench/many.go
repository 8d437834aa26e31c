package main

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"math/big"
	"net"
	"net/http"
	"net/netip"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"time"
)

// Many targets are one server on many addresses of the loopback interface: each
// address is a host of its own for the exporter, with its own connections, TLS
// sessions, certificate and value.

// manyAddress returns the address of target i, from 127.1.0.0 on.
func manyAddress(i int) string {
	return netip.AddrFrom4([4]byte{127, byte(1 + i>>16), byte(i >> 8), byte(i)}).String()
}

func manyNumber(local net.Addr) int {
	a := local.(*net.TCPAddr).AddrPort().Addr().Unmap().As4()
	return int(a[1]-1)<<16 | int(a[2])<<8 | int(a[3])
}

// manyStats count what the targets saw.
type manyStats struct {
	Connections, Handshakes, Resumed, Requests int64
}

func (s manyStats) minus(b manyStats) manyStats {
	return manyStats{s.Connections - b.Connections, s.Handshakes - b.Handshakes, s.Resumed - b.Resumed, s.Requests - b.Requests}
}

// serveMany serves the number of each target as {"value": N}, and every document
// under its name: over plain HTTP on address, over TLS on the next port. /stats at
// address itself tells what happened, /ca is the authority of all certificates.
func serveMany(address string, idle time.Duration) error {
	var connections, handshakes, resumed, requests atomic.Int64
	authority := newAuthority()
	handler := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		local := r.Context().Value(http.LocalAddrContextKey).(net.Addr)
		name := strings.TrimPrefix(r.URL.Path, "/")
		if local.String() == address {
			switch name {
			case "stats":
				json.NewEncoder(w).Encode(manyStats{connections.Load(), handshakes.Load(), resumed.Load(), requests.Load()})
				return
			case "ca":
				w.Write(authority.pem)
				return
			}
		}
		requests.Add(1)
		w.Header().Set("Content-Type", "text/plain")
		if name == "" {
			fmt.Fprintf(w, `{"value": %d}`, manyNumber(local))
			return
		}
		body, ok := scaleBody(name)
		if !ok {
			http.NotFound(w, r)
			return
		}
		w.Header().Set("Content-Length", fmt.Sprint(len(body)))
		w.Write(body)
	})
	server := &http.Server{Handler: handler, IdleTimeout: idle, ConnState: func(_ net.Conn, s http.ConnState) {
		if s == http.StateNew {
			connections.Add(1)
		}
	}}
	server.TLSConfig = &tls.Config{
		GetCertificate: authority.certificate,
		VerifyConnection: func(s tls.ConnectionState) error {
			handshakes.Add(1)
			if s.DidResume {
				resumed.Add(1)
			}
			return nil
		},
	}
	plain, err := listenEverywhere(address)
	if err != nil {
		return err
	}
	secure, err := listenEverywhere(secureAddress(address))
	if err != nil {
		return err
	}
	failed := make(chan error, 2)
	go func() { failed <- server.Serve(plain) }()
	go func() { failed <- server.ServeTLS(secure, "", "") }()
	return <-failed
}

// listenEverywhere listens on the port of address on all addresses of the loopback
// interface, and on no other interface.
func listenEverywhere(address string) (net.Listener, error) {
	_, port, err := net.SplitHostPort(address)
	if err != nil {
		return nil, err
	}
	config := net.ListenConfig{Control: func(_, _ string, c syscall.RawConn) (err error) {
		if controlErr := c.Control(func(fd uintptr) { err = syscall.BindToDevice(int(fd), "lo") }); controlErr != nil {
			return controlErr
		}
		return err
	}}
	return config.Listen(context.Background(), "tcp4", "0.0.0.0:"+port)
}

// An authority makes a certificate for each target when it is first asked for.
type authority struct {
	pem  []byte
	root *x509.Certificate
	key  *ecdsa.PrivateKey
	made sync.Map // of address to *tls.Certificate
}

func newAuthority() *authority {
	a := &authority{key: must(ecdsa.GenerateKey(elliptic.P256(), rand.Reader))}
	a.root = &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "bench"}, IsCA: true, BasicConstraintsValid: true,
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(24 * time.Hour), KeyUsage: x509.KeyUsageCertSign,
	}
	der := must(x509.CreateCertificate(rand.Reader, a.root, a.root, &a.key.PublicKey, a.key))
	a.root = must(x509.ParseCertificate(der))
	a.pem = pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})
	return a
}

func (a *authority) certificate(hello *tls.ClientHelloInfo) (*tls.Certificate, error) {
	local := hello.Conn.LocalAddr()
	ip := local.(*net.TCPAddr).IP
	if made, ok := a.made.Load(ip.String()); ok {
		return made.(*tls.Certificate), nil
	}
	leaf := &x509.Certificate{
		SerialNumber: big.NewInt(int64(2 + manyNumber(local))), Subject: pkix.Name{CommonName: ip.String()}, IPAddresses: []net.IP{ip},
		NotBefore: a.root.NotBefore, NotAfter: a.root.NotAfter, KeyUsage: x509.KeyUsageDigitalSignature,
	}
	der, err := x509.CreateCertificate(rand.Reader, leaf, a.root, &a.key.PublicKey, a.key)
	if err != nil {
		return nil, err
	}
	made, _ := a.made.LoadOrStore(ip.String(), &tls.Certificate{Certificate: [][]byte{der}, PrivateKey: a.key})
	return made.(*tls.Certificate), nil
}
