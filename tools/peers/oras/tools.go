//go:build tools

// Package peers pins oras.
package peers

import _ "oras.land/oras/cmd/oras"
