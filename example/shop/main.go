// Shop is the program of the README's first steps: it has a status page, and
// nothing else.
package main

import (
	_ "embed"
	"flag"
	"fmt"
	"net/http"
	"os"
	"time"
)

//go:embed status.json
var status []byte

func main() {
	address := flag.String("listen-address", "localhost:8080", "where to listen")
	flag.Parse()
	mux := http.NewServeMux()
	mux.HandleFunc("GET /status", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		w.Write(status)
	})
	fmt.Printf("The shop answers at http://%s/status.\n", *address)
	server := &http.Server{Addr: *address, Handler: mux, ReadHeaderTimeout: 5 * time.Second}
	fmt.Fprintln(os.Stderr, server.ListenAndServe())
	os.Exit(1)
}
