// Bench compares what a scrape of the exporter costs with a floor: a server that
// fetches the same document, parses it with a fast strict parser, and writes the
// same metrics by hand. Both run on loopback with GOMAXPROCS=1 and are asked in
// turns, round by round, so that whatever else the machine does meets both.
//
//	go run . -exporter ../status_exporter
//
// With -role=scale it measures how the exporter grows instead: with targets,
// series, rules, scrapes at the same time and the size of a body.
// With -role=startup it measures how soon the exporter answers after exec, what
// is resident when nothing happens, and how both grow with the modules.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"time"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	var o options
	role := flag.String("role", "run", "run the comparison, measure the scale or the start-up, or serve as target, floor or many targets")
	flag.StringVar(&o.exporter, "exporter", "../status_exporter", "the exporter's binary")
	flag.StringVar(&o.only, "only", "", "run the cases whose names contain this")
	flag.IntVar(&o.rounds, "rounds", 7, "rounds of each case")
	flag.DurationVar(&o.roundTime, "time", 700*time.Millisecond, "how long each round asks each of the two")
	flag.IntVar(&o.starts, "starts", 9, "starts that startup measures")
	address := flag.String("address", "", "where a target or floor listens")
	idle := flag.Duration("idle", 0, "after what time many targets close idle connections; 0 is never")
	flag.IntVar(&o.measured, "scrapes", 3, "measured scrapes of each of many targets")
	flag.Parse()
	var err error
	switch *role {
	case "target":
		err = serveTarget(*address)
	case "floor":
		err = serveFloor(*address)
	case "many":
		err = serveMany(*address, *idle)
	case "scale":
		err = scale(ctx, o)
	case "startup":
		err = startUp(ctx, o)
	default:
		err = run(ctx, o)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

type options struct {
	exporter, only string
	rounds, starts int
	roundTime      time.Duration
	measured       int
}

// A scenario is one document asked for in one way.
type scenario struct {
	document string
	tls      bool // between the exporter and the target
	gzip     bool // between the scraper and the exporter
}

func (s scenario) name() string {
	name := s.document
	if s.tls {
		name += " TLS"
	}
	if s.gzip {
		name += " gzip"
	}
	return name
}

func scenarios() []scenario {
	var all []scenario
	for _, d := range documents() {
		all = append(all, scenario{document: d.name})
		if !strings.HasPrefix(d.name, "f-") {
			all = append(all, scenario{document: d.name, tls: true}, scenario{document: d.name, gzip: true})
		}
	}
	return all
}

// run asks both servers for every document and prints the table.
func run(ctx context.Context, o options) error {
	b, err := startServers(ctx, o)
	if err != nil {
		return err
	}
	defer b.stop()
	fmt.Println("| document | exporter | floor | ratio | min–max | allocations | bytes allocated | peak memory | response |")
	fmt.Println("| --- | --- | --- | --- | --- | --- | --- | --- | --- |")
	for _, s := range scenarios() {
		if !strings.Contains(s.name(), o.only) {
			continue
		}
		r, err := b.measure(ctx, s, o)
		if err != nil {
			return fmt.Errorf("%s: %w", s.name(), err)
		}
		fmt.Println(r)
	}
	return nil
}
