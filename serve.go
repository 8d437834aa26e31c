package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/url"
	"os"
	"os/signal"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/alecthomas/kingpin/v2"
	"github.com/alecthomas/units"
	"github.com/prometheus/common/version"
	toolkit "github.com/prometheus/exporter-toolkit/web"
	"github.com/prometheus/exporter-toolkit/web/kingpinflag"

	"status_exporter/collector"
	"status_exporter/collector/fetch"
	"status_exporter/config"
	"status_exporter/config/options"
	"status_exporter/web"
)

// defaultAddress is where the exporter listens if nothing else is said.
const defaultAddress = ":9877"

// serveOptions are the flags of the command serve.
type serveOptions struct {
	target      targetFlags
	configFiles []string
	allow, deny []string

	listen    *toolkit.FlagConfig
	listenSet bool

	telemetryPath   string
	externalURL     *url.URL
	routePrefix     string
	timeoutOffset   time.Duration
	maxRequests     int
	maxPerTarget    int
	memory          units.Base2Bytes
	lifecycle       bool
	debug           bool
	exporterMetrics bool
}

func serveCommand(app *kingpin.Application) command {
	o := &serveOptions{}
	cmd := app.Command("serve", "Run the exporter. This is the default command.").Default()
	o.flags(cmd)
	return func(ctx context.Context, p *program) error { return serve(ctx, p, o) }
}

func (o *serveOptions) flags(cmd *kingpin.CmdClause) {
	cmd.Flag("config.file", "Configuration file, or a glob of such; repeatable. Without one, the built-in modules are there.").
		PlaceHolder("FILE").StringsVar(&o.configFiles)
	o.target.flags(cmd)
	policyFlags(cmd, &o.allow, &o.deny)
	cmd.Flag("timeout-offset", "How much sooner than the scrape times out its probe must end.").
		Default("0.5s").DurationVar(&o.timeoutOffset)
	o.listen = kingpinflag.AddFlags(cmd, defaultAddress)
	cmd.GetFlag("web.listen-address").Help("Address to listen on; repeatable. Environment: EXPORTER_PORT, a port.").IsSetByUser(&o.listenSet)
	cmd.Flag("web.telemetry-path", "Path of the exporter's own metrics and the default target's.").
		Default("/metrics").StringVar(&o.telemetryPath)
	cmd.Flag("web.external-url", "URL under which people reach the exporter, for example behind a reverse proxy.").
		PlaceHolder("URL").URLVar(&o.externalURL)
	cmd.Flag("web.route-prefix", "Prefix of all paths that are served; that of --web.external-url by default.").
		PlaceHolder("PATH").StringVar(&o.routePrefix)
	cmd.Flag("web.max-requests", "Most scrapes to answer at the same time; more get 503. 0 is no limit.").
		Default("512").IntVar(&o.maxRequests)
	cmd.Flag("probe.max-per-target", "Most probes of one target at the same time; more get 503. 0 is no limit.").
		Default("16").IntVar(&o.maxPerTarget)
	cmd.Flag("probe.memory-budget", "Memory that all probes together may take; 40 % of the container's limit, or 2GiB, by default.").
		PlaceHolder("SIZE").BytesVar(&o.memory)
	cmd.Flag("web.enable-lifecycle", "Allow POST /-/reload.").BoolVar(&o.lifecycle)
	cmd.Flag("web.enable-debug", "Serve /debug/pprof, and show the beginning of documents in /probe?debug=true.").BoolVar(&o.debug)
	cmd.Flag("web.disable-exporter-metrics", "Leave the metrics about the exporter itself out of /metrics.").BoolVar(&o.exporterMetrics)
}

func policyFlags(cmd *kingpin.CmdClause, allow, deny *[]string) {
	cmd.Flag("probe.allow-targets", "Ask only targets that match: a URL pattern, a host pattern, an address or a CIDR; repeatable.").
		PlaceHolder("PATTERN").StringsVar(allow)
	cmd.Flag("probe.deny-targets", "Never ask targets that match; repeatable, and wins over what is allowed.").
		PlaceHolder("PATTERN").StringsVar(deny)
}

// policy makes one of the flags --probe.allow-targets and --probe.deny-targets.
func policy(allow, deny []string) (p fetch.Policy, err error) {
	if p.Allow, err = fetch.ParseAllowList(allow); err != nil {
		return p, fmt.Errorf("--probe.allow-targets: %w", err)
	}
	if p.Deny, err = fetch.ParseAllowList(deny); err != nil {
		return p, fmt.Errorf("--probe.deny-targets: %w", err)
	}
	return p, nil
}

// check finds flags that cannot be meant.
func (o *serveOptions) check(ctx context.Context) error {
	for _, address := range *o.listen.WebListenAddresses {
		if err := checkAddress(ctx, "web.listen-address", address); err != nil {
			return err
		}
	}
	switch {
	case !strings.HasPrefix(o.telemetryPath, "/") || strings.ContainsAny(o.telemetryPath, "{} ?#") || slices.Contains([]string{"/probe", "/config"}, o.telemetryPath) || strings.HasPrefix(o.telemetryPath, "/-/") || strings.HasPrefix(o.telemetryPath, "/debug/"):
		return fmt.Errorf("--web.telemetry-path is %q, expected a path such as /metrics that is not another of the exporter's", o.telemetryPath)
	case o.externalURL != nil && (o.externalURL.Host == "" || o.externalURL.Scheme != "http" && o.externalURL.Scheme != "https"):
		return fmt.Errorf("--web.external-url is %q, expected a URL such as https://monitoring.example/status", options.Printable(o.externalURL.String()))
	case o.timeoutOffset < 0:
		return fmt.Errorf("--timeout-offset is %v, expected at least 0s", o.timeoutOffset)
	case o.memory < 0:
		return fmt.Errorf("--probe.memory-budget is %v, expected more than 0B", o.memory)
	case o.maxRequests < 0:
		return fmt.Errorf("--web.max-requests is %d, expected at least 0, which is no limit", o.maxRequests)
	case o.maxPerTarget < 0:
		return fmt.Errorf("--probe.max-per-target is %d, expected at least 0, which is no limit", o.maxPerTarget)
	}
	return nil
}

// listenOnPort makes the port of the environment the address to listen on.
func (o *serveOptions) listenOnPort(env *environment) error {
	text, given := env.port("EXPORTER_PORT")
	if !given || o.listenSet {
		return nil
	}
	text = strings.TrimPrefix(text, ":")
	if port, err := strconv.Atoi(text); err != nil || port < 0 || port > 65535 {
		return fmt.Errorf("the environment variable EXPORTER_PORT is %q, expected a port", options.Printable(text))
	}
	*o.listen.WebListenAddresses = []string{":" + text}
	return nil
}

// serve runs the exporter until ctx ends.
func serve(ctx context.Context, p *program, o *serveOptions) error {
	if err := o.check(ctx); err != nil {
		return err
	}
	logger := p.logger()
	env := &environment{p.getenv, logger}
	if _, given := env.lookup("POLLING_INTERVAL_SECONDS"); given {
		logger.Info("POLLING_INTERVAL_SECONDS has nothing to do: every scrape reads the target afresh")
	}
	if err := o.listenOnPort(env); err != nil {
		return err
	}
	e, err := newExporter(p, o, env, logger)
	if err != nil {
		return err
	}
	defer e.pool.Close()
	handler, err := web.NewHandler(e.webOptions(o))
	if err != nil {
		return err
	}
	logger.Info("starting", "version", version.Info(), "modules", len(e.pool.Config().Names()), "default_target", e.defaultTarget())
	go e.reloadOnHangup(ctx)
	go giveBack()
	return listen(ctx, handler, o.listen, logger)
}

// An exporter is what a reload needs.
type exporter struct {
	input   config.Input
	pool    *collector.Pool
	metrics *web.Metrics
	logger  *slog.Logger

	reloading sync.Mutex
}

func newExporter(p *program, o *serveOptions, env *environment, logger *slog.Logger) (*exporter, error) {
	e := &exporter{metrics: web.NewMetrics(), logger: logger}
	e.input = config.Input{Files: o.configFiles, Getenv: p.getenv}
	e.input.Default, e.input.Override = o.target.defaultTarget(env)
	cfg, err := config.Load(e.input)
	if err != nil {
		return nil, configError(err)
	}
	if o.target.url != "" {
		if m, err := cfg.Module(o.target.module); err == nil && !m.NeedsTarget() {
			return nil, fmt.Errorf("--target.url names a target, but the module %s takes none", m.Name)
		}
	}
	e.warn(cfg)
	e.metrics.Reloaded(nil, time.Now())
	limitMemory(logger)
	settings := collector.Settings{DefaultModule: o.target.module, UserAgent: userAgent(), Budget: budget(int64(o.memory))}
	if settings.Policy, err = policy(o.allow, o.deny); err != nil {
		return nil, err
	}
	e.pool = collector.NewPool(cfg, settings)
	return e, nil
}

func userAgent() string { return "status_exporter/" + version.Version }

// configError says what the lines of err are about.
func configError(err error) error { return fmt.Errorf("the configuration is wrong:\n%w", err) }

func (e *exporter) warn(cfg *config.Config) {
	for _, warning := range cfg.Warnings {
		e.logger.Warn("configuration", "at", warning.Position.String(), "warning", warning.Message)
	}
}

func (e *exporter) defaultTarget() string {
	lease := e.pool.Lease()
	defer lease.Release()
	probe, err := lease.Default()
	switch {
	case errors.Is(err, collector.ErrNoDefault):
		return "none"
	case err != nil:
		return err.Error()
	case probe.Target == "":
		return "module " + probe.Module.Name
	default:
		return probe.Shown()
	}
}

func (e *exporter) webOptions(o *serveOptions) web.Options {
	options := web.Options{
		Pool: e.pool, Logger: e.logger, Metrics: e.metrics, Version: version.Info(),
		TelemetryPath: o.telemetryPath,
		ExternalURL:   o.externalURL,
		RoutePrefix:   o.routePrefix,
		TimeoutOffset: o.timeoutOffset, DefaultTimeout: defaultTimeout,
		MaxRequests: o.maxRequests, MaxPerTarget: o.maxPerTarget,
		EnableDebug: o.debug, ExporterMetrics: !o.exporterMetrics,
	}
	if options.RoutePrefix == "" && o.externalURL != nil {
		options.RoutePrefix = o.externalURL.Path
	}
	if o.lifecycle {
		options.Reload = e.reload
	}
	return options
}

// defaultTimeout is that of a probe that names none.
const defaultTimeout = 10 * time.Second

// reload reads the configuration again. A bad one leaves the old one in force.
func (e *exporter) reload() error {
	e.reloading.Lock()
	defer e.reloading.Unlock()
	cfg, err := config.Load(e.input)
	e.metrics.Reloaded(err, time.Now())
	if err != nil {
		e.logger.Error("the configuration was not reloaded, the old one stays in force", "error", err)
		return err
	}
	e.warn(cfg)
	e.pool.Replace(cfg)
	giveBack()
	e.logger.Info("the configuration was reloaded", "modules", len(cfg.Names()), "default_target", e.defaultTarget())
	return nil
}

// reloadOnHangup reloads on SIGHUP until ctx ends.
func (e *exporter) reloadOnHangup(ctx context.Context) {
	hangup := make(chan os.Signal, 1)
	signal.Notify(hangup, syscall.SIGHUP)
	defer signal.Stop(hangup)
	for {
		select {
		case <-hangup:
			_ = e.reload() // it is logged, and there is nobody else to tell
		case <-ctx.Done():
			return
		}
	}
}
