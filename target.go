package main

import (
	"log/slog"
	"net"
	"net/url"
	"strings"

	"github.com/alecthomas/kingpin/v2"

	"status_exporter/config"
	"status_exporter/config/options"
)

// targetFlags name the default target: a URL, or the parts of one. The
// environment gives their defaults.
type targetFlags struct {
	url, host, port, path, module                string
	urlSet, hostSet, portSet, pathSet, moduleSet bool
}

func (f *targetFlags) flags(cmd *kingpin.CmdClause) {
	flag := func(name, help, placeholder string, into *string, set *bool) {
		cmd.Flag(name, help).PlaceHolder(placeholder).IsSetByUser(set).StringVar(into)
	}
	flag("target.url", "URL of the status page that /metrics shows; empty for none. Environment: TARGET_URL.", "http://localhost:8000/status", &f.url, &f.urlSet)
	flag("target.host", "Host of that URL. Environment: TARGET_HOST.", "localhost", &f.host, &f.hostSet)
	flag("target.port", "Port of that URL. Environment: TARGET_PORT, or APP_PORT.", "8000", &f.port, &f.portSet)
	flag("target.path", "Path of that URL. Environment: TARGET_METRICS.", "status", &f.path, &f.pathSet)
	cmd.Flag("module", "Module of that target, and of probes that name none.").Default("app").IsSetByUser(&f.moduleSet).StringVar(&f.module)
}

// defaultTarget returns the default target, and whether the command line or the
// environment names it: then it wins over the configuration file's.
func (f *targetFlags) defaultTarget(env *environment) (d *config.Default, named bool) {
	host, hostGiven := env.lookup("TARGET_HOST")
	port, portGiven := env.port("TARGET_PORT", "APP_PORT")
	path, pathGiven := env.lookup("TARGET_METRICS")
	whole, wholeGiven := env.lookup("TARGET_URL")
	d = &config.Default{Module: f.module}
	switch {
	case f.urlSet:
		d.Target = f.url
		return d, true
	case wholeGiven && !f.hostSet && !f.portSet && !f.pathSet:
		d.Target = whole
		return d, true
	}
	d.Target = joinURL(
		first(f.hostSet, f.host, host, "localhost"),
		first(f.portSet, f.port, port, "8000"),
		first(f.pathSet, f.path, path, "status"),
	)
	return d, f.hostSet || f.portSet || f.pathSet || f.moduleSet || hostGiven || portGiven || pathGiven
}

// first returns what a flag says, else what the environment says, else the default.
func first(set bool, flag, environment, otherwise string) string {
	switch {
	case set:
		return flag
	case environment != "":
		return environment
	default:
		return otherwise
	}
}

// joinURL makes a URL of its parts; a path may hold a query.
func joinURL(host, port, path string) string {
	host = strings.Trim(host, "[]")
	return "http://" + net.JoinHostPort(host, url.PathEscape(port)) + "/" + strings.TrimPrefix(path, "/")
}

// An environment looks up the variables that give flags their defaults.
type environment struct {
	getenv func(string) (string, bool)
	logger *slog.Logger
}

// lookup returns a variable; an empty one counts as unset.
func (e *environment) lookup(name string) (string, bool) {
	value, _ := e.getenv(name)
	return value, value != ""
}

// port returns the first of the variables that is set to a port. Kubernetes
// sets NAME_PORT to a URL in every pod of a namespace with a Service of that
// name: that is not meant for us.
func (e *environment) port(names ...string) (string, bool) {
	for _, name := range names {
		value, ok := e.lookup(name)
		if strings.Contains(value, "://") {
			e.logger.Warn("ignoring an environment variable that Kubernetes sets for a Service, not a port; set enableServiceLinks: false", "variable", name, "value", options.Printable(value))
			continue
		}
		if ok {
			return value, true
		}
	}
	return "", false
}
