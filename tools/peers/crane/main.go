// Command crane is go-containerregistry's command line, built from its library.
package main

import (
	"context"
	"os"
	"os/signal"

	"github.com/google/go-containerregistry/cmd/crane/cmd"
)

func main() {
	ctx, cancel := signal.NotifyContext(context.Background(), os.Interrupt)
	defer cancel()
	if err := cmd.New("crane", "Crane is a tool for managing container images", nil).ExecuteContext(ctx); err != nil {
		cancel()
		os.Exit(1)
	}
}
