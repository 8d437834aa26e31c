// Status_exporter turns any program's status page into Prometheus metrics, at
// scrape time: every scrape asks the target, and what is exposed is what the
// target said a moment ago.
package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"
	_ "time/tzdata" // time zones where the image has none

	"github.com/alecthomas/kingpin/v2"
	"github.com/prometheus/common/version"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	context.AfterFunc(ctx, stop) // a second signal ends the program at once
	paceGC()
	os.Exit(run(ctx, os.Args[1:], os.LookupEnv, os.Stdout, os.Stderr))
}

// A command carries out one command of the command line. Its error is for the
// person who called it; errFailed says that everything has been said already.
type command func(ctx context.Context, p *program) error

var errFailed = errors.New("failed")

// A program is what every command needs.
type program struct {
	getenv         func(string) (string, bool)
	stdout, stderr io.Writer
	log            logOptions
}

// run parses the arguments and carries out the command that they name. It
// returns the exit code: 0, 1 where the command failed, 2 for wrong arguments.
func run(ctx context.Context, args []string, getenv func(string) (string, bool), stdout, stderr io.Writer) int {
	version.Version = cmp.Or(version.Version, "devel") // a release sets it when it is built
	p := &program{getenv: getenv, stdout: stdout, stderr: stderr}
	app := kingpin.New("status_exporter", "Turns any program's status page into Prometheus metrics, at scrape time.")
	app.Version(version.Print("status_exporter"))
	app.HelpFlag.Short('h').Help("Show this help.")
	app.UsageTemplate(kingpin.LongHelpTemplate)
	app.UsageWriter(stdout)
	app.ErrorWriter(stderr)
	exit, exited := 0, false
	app.Terminate(func(code int) { exit, exited = code, true })
	p.log.flags(app)
	commands := map[string]command{
		"serve": serveCommand(app),
		"probe": probeCommand(app),
		"check": checkCommand(app),
		"demo":  demoCommand(app),
	}
	nameFlags(app)
	name, err := app.Parse(args)
	switch {
	case exited: // --help or --version was answered
		return exit
	case err != nil:
		if needless := needlessValue(app, args); needless != nil {
			err = needless
		}
		fmt.Fprintf(stderr, "status_exporter: %v; see status_exporter --help\n", err)
		return 2
	}
	if err := commands[name](ctx, p); err != nil {
		if !errors.Is(err, errFailed) {
			fmt.Fprintf(stderr, "status_exporter: %v\n", err)
		}
		return 1
	}
	return 0
}
