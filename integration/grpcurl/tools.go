//go:build tools

// Package tools names the program that this module pins: a gRPC console that is not ours, for tests that call our
// services as an operator would.
package tools

import _ "github.com/fullstorydev/grpcurl/cmd/grpcurl"
