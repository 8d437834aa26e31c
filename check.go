package main

import (
	"context"
	"fmt"
	"strings"

	"github.com/alecthomas/kingpin/v2"

	"status_exporter/config"
)

func checkCommand(app *kingpin.Application) command {
	var files, configured []string
	cmd := app.Command("check", "Is the configuration right? Prints every mistake and exits with 1 if not.")
	cmd.Arg("FILE", "Configuration files or globs; those of --config.file by default.").StringsVar(&files)
	cmd.Flag("config.file", "Configuration file, or a glob of such; repeatable.").PlaceHolder("FILE").StringsVar(&configured)
	return func(_ context.Context, p *program) error {
		if len(files) == 0 {
			files = configured
		}
		return check(p, files)
	}
}

// check reads the configuration and prints what is wrong with it.
func check(p *program, files []string) error {
	cfg, err := config.Load(config.Input{Files: files, Getenv: p.getenv})
	if err != nil {
		fmt.Fprintln(p.stderr, err)
		return errFailed
	}
	for _, warning := range cfg.Warnings {
		fmt.Fprintf(p.stderr, "warning: %v\n", warning)
	}
	what := "the built-in modules"
	if len(cfg.Files) > 0 {
		what = strings.Join(cfg.Files, ", ")
	}
	fmt.Fprintf(p.stdout, "%s: right, %d modules\n", what, len(cfg.Names()))
	return nil
}
