package main

import (
	"context"
	"fmt"
	"net/url"
	"time"

	"github.com/alecthomas/kingpin/v2"

	"status_exporter/collector"
	"status_exporter/config"
)

// probeOptions are the flags of the command probe.
type probeOptions struct {
	target, module, auth string
	moduleSet            bool
	vars                 map[string]string
	timeout              time.Duration
	configFiles          []string
	allow, deny          []string
}

func probeCommand(app *kingpin.Application) command {
	o := &probeOptions{vars: make(map[string]string)}
	cmd := app.Command("probe", "Make one probe and print it: what was asked, what each rule found, the metrics. Exits with 1 if it failed.")
	cmd.Arg("URL", "The target, or the name of one of the configuration's targets; nothing for a module that takes none.").StringVar(&o.target)
	cmd.Flag("module", "The module. Without one, and where the page is not that of module app, one is guessed.").
		Default("app").IsSetByUser(&o.moduleSet).StringVar(&o.module)
	cmd.Flag("auth", "Which of the configuration's auths to use.").StringVar(&o.auth)
	cmd.Flag("var", "Sets a var that the module allows a request to set: NAME=VALUE; repeatable.").PlaceHolder("NAME=VALUE").StringMapVar(&o.vars)
	cmd.Flag("timeout", "When to give up.").Default(defaultTimeout.String()).DurationVar(&o.timeout)
	cmd.Flag("config.file", "Configuration file, or a glob of such; repeatable.").PlaceHolder("FILE").StringsVar(&o.configFiles)
	policyFlags(cmd, &o.allow, &o.deny)
	return func(ctx context.Context, p *program) error { return probe(ctx, p, o) }
}

// probe makes one probe and prints its report.
func probe(ctx context.Context, p *program, o *probeOptions) error {
	p.logger() // for what net/http tells
	if o.timeout <= 0 {
		return fmt.Errorf("--timeout is %v, expected more than 0s", o.timeout)
	}
	// As the default target, what the caller names may be sent the module's secrets.
	def := &config.Default{Target: o.target, Auth: o.auth}
	if o.moduleSet {
		def.Module = o.module
	}
	cfg, err := config.Load(config.Input{Files: o.configFiles, Getenv: p.getenv, Default: def, Override: true})
	if err != nil {
		return configError(err)
	}
	module, auth, named := o.module, o.auth, cfg.Targets[o.target]
	if def := cfg.Default; def != nil { // with what a named target says
		module, auth = def.Module, def.Auth
	}
	guessed := !o.moduleSet && (named == nil || named.Module == "")
	if m, err := cfg.Module(module); err == nil && m.NeedsTarget() && o.target == "" {
		return fmt.Errorf("module %s needs a target, for example: status_exporter probe http://localhost:8000/status", m.Name)
	}
	if _, err := cfg.Auth(o.auth); err != nil {
		return fmt.Errorf("--auth: %w", err)
	}
	settings := collector.Settings{DefaultModule: o.module, UserAgent: userAgent()}
	if settings.Policy, err = policy(o.allow, o.deny); err != nil {
		return err
	}
	pool := collector.NewPool(cfg, settings)
	defer pool.Close()
	lease := pool.Lease()
	defer lease.Release()
	params := make(url.Values, len(o.vars))
	for name, value := range o.vars {
		params.Set(name, value)
	}
	request := collector.Request{
		Target: o.target, Module: module, Auth: auth, Params: params, Explain: true, Excerpt: excerptBytes,
	}
	if guessed {
		request.Excerpt = guessBytes
	}
	one, err := lease.Probe(request)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, o.timeout)
	defer cancel()
	result := one.Run(ctx)
	whole := *result.Documents[0]
	for _, doc := range result.Documents {
		doc.Excerpt = doc.Excerpt[:min(len(doc.Excerpt), excerptBytes)]
	}
	if err := result.WriteReport(p.stdout); err != nil {
		return err
	}
	if !result.Success {
		if guessed {
			guess(ctx, p.stdout, cfg, &whole, result.Masked)
		}
		return errFailed
	}
	return nil
}

// How much of a document is printed, and how much of it a guess looks at.
const (
	excerptBytes = 1024
	guessBytes   = 4 << 20
)
