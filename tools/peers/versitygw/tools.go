//go:build tools

// Package peers pins the Versity S3 gateway.
package peers

import _ "github.com/versity/versitygw/cmd/versitygw"
