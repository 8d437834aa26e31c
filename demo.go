package main

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"time"

	"github.com/alecthomas/kingpin/v2"

	"status_exporter/example/demo"
)

// demoOptions are the flags of the command demo.
type demoOptions struct {
	errorPercent int
	maxDelay     time.Duration
	address      string
	exporter     string
	appOnly      bool
}

func demoCommand(app *kingpin.Application) command {
	o := &demoOptions{}
	cmd := app.Command("demo", "Run a small web application with a status page, and the exporter beside it.")
	cmd.Flag("error-percent", "Share of the application's answers that are 500.").Default("50").IntVar(&o.errorPercent)
	cmd.Flag("max-delay", "Longest of the application's random delays.").Default("100ms").DurationVar(&o.maxDelay)
	cmd.Flag("app.listen-address", "Where the application listens.").Default(":8000").StringVar(&o.address)
	cmd.Flag("web.listen-address", "Where the exporter listens.").Default(defaultAddress).StringVar(&o.exporter)
	cmd.Flag("app-only", "Run the application without the exporter.").BoolVar(&o.appOnly)
	return func(ctx context.Context, p *program) error { return runDemo(ctx, p, o) }
}

// runDemo runs the application, and the exporter beside it, until ctx ends.
func runDemo(ctx context.Context, p *program, o *demoOptions) error {
	if o.errorPercent < 0 || o.errorPercent > 100 {
		return fmt.Errorf("--error-percent is %d, expected 0 to 100", o.errorPercent)
	}
	if o.maxDelay < 0 {
		return fmt.Errorf("--max-delay is %v, expected at least 0s", o.maxDelay)
	}
	if err := checkAddress(ctx, "app.listen-address", o.address); err != nil {
		return err
	}
	if err := checkAddress(ctx, "web.listen-address", o.exporter); err != nil {
		return err
	}
	listener, err := (&net.ListenConfig{}).Listen(ctx, "tcp", o.address)
	if err != nil {
		return fmt.Errorf("listening on %s (--app.listen-address): %w", o.address, err)
	}
	server := &http.Server{
		Handler:           demo.New(demo.Options{ErrorPercent: o.errorPercent, MaxDelay: o.maxDelay}),
		ReadHeaderTimeout: 5 * time.Second,
	}
	failed := make(chan error, 1)
	go func() { failed <- server.Serve(listener) }()
	defer server.Close()
	app := "http://" + reachable(listener.Addr().String())

	if o.appOnly {
		fmt.Fprintf(p.stdout, "The application is at %s/ and its status page at %s/status.\n", app, app)
		select {
		case err := <-failed:
			return err
		case <-ctx.Done():
			return nil
		}
	}
	exporter := "http://" + reachable(o.exporter)
	fmt.Fprintf(p.stdout, "The application is at %s/ (status page %s/status, own metrics %s/metrics),\nthe exporter at %s/. Try:\n\n  curl %s/status\n  curl %s/metrics\n\n",
		app, app, app, exporter, app, exporter)
	return p.serveDemo(ctx, app+"/status", o.exporter)
}

// serveDemo runs the exporter with the application as its default target.
func (p *program) serveDemo(ctx context.Context, target, address string) error {
	args := []string{"serve", "--target.url=" + target, "--web.listen-address=" + address, "--log.level=" + p.log.level, "--log.format=" + p.log.format}
	if code := run(ctx, args, p.getenv, p.stdout, p.stderr); code != 0 {
		return errFailed
	}
	return nil
}

// reachable turns an address to listen on into one to connect to.
func reachable(address string) string {
	host, port, err := net.SplitHostPort(address)
	if err != nil {
		return address
	}
	if ip := net.ParseIP(host); host == "" || ip != nil && ip.IsUnspecified() {
		host = "localhost"
	}
	return net.JoinHostPort(host, port)
}
