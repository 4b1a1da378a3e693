#!/usr/bin/env bash
# Runs the test tiers and then ends every cluster, whatever became of the tests, Ctrl-C included.
#
#   integration/run-tiers.sh test|soak
#
# The exit code is the runner's, and so is the last line of the output.

set -euo pipefail

cd "$(dirname "${BASH_SOURCE[0]}")/.."

# Ctrl-C reaches the runner by itself, which then shows its table and ends; SIGTERM may have been meant for this
# shell alone. Either way the shell stays until the runner has ended.
target/bin/runner "$1" &
runner=$!
trap : INT
trap 'kill -TERM $runner 2>/dev/null || true' TERM
status=0
wait $runner || status=$?
while kill -0 $runner 2>/dev/null; do
    status=0
    wait $runner || status=$?
done

# What the components said is gone with their clusters, and a failure is seldom understood without it.
if [ "$status" != 0 ]; then
    rm -rf target/logs
    for logs in "${LIQO_TESTBED_ROOT:-/var/lib/liqo-testbed}"/clusters/*/nodes/*/logs; do
        [ -d "$logs" ] || continue
        node=$(basename "$(dirname "$logs")")
        mkdir -p "target/logs/$node"
        cp "$logs"/*.log "target/logs/$node/"
    done
    echo "the logs of all components are in target/logs" >&2
fi

log=target/down.log
if ! target/bin/testbed down >"$log" 2>&1; then
    cat "$log" >&2
    echo "error: the clusters could not be ended; \`make down\` tries again" >&2
    [ "$status" != 0 ] || status=1
fi
exit "$status"
