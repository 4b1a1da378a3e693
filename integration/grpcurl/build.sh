#!/usr/bin/env bash
# Builds the gRPC console that this module pins, once for each set of inputs, and prints its path.

set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
caches=${XDG_CACHE_HOME:-${HOME:+$HOME/.cache}}
cache=${LIQO_TESTBED_CACHE:-${caches:-/var/cache}/liqo-testbed}
key=$(cat "$here/go.mod" "$here/go.sum" | sha256sum | cut -c1-16)
program=$cache/grpcurl-$key/grpcurl

if [ ! -x "$program" ]; then
    mkdir -p "$(dirname "$program")"
    # Another test may build at the same time: the last rename wins, and both files are good.
    go build -C "$here" -trimpath -buildvcs=false -ldflags '-s -w' -o "$program.$$" github.com/fullstorydev/grpcurl/cmd/grpcurl
    mv "$program.$$" "$program"
fi
echo "$program"
