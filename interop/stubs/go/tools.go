//go:build tools

// Package tools keeps the server in go.mod.
package tools

import _ "google.golang.org/grpc/interop/server"
