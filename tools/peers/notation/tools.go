//go:build tools

// Package peers pins notation.
package peers

import _ "github.com/notaryproject/notation/cmd/notation"
