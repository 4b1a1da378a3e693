#!/usr/bin/env bash
# Measures the control plane and the testbed on this machine, and prints a table of each.
#
#   integration/bench/run.sh [control-plane|testbed]
#
# Without a word it does both. README.md tells what is measured. No figure makes it fail. LIQO_BENCH_PROFILE=dev
# measures the build that tests use instead of an optimised one. PODS is how many pods are watched, 10 000 without it.
# TESTBED is as in testbed.sh.

set -euo pipefail

cd "$(dirname "${BASH_SOURCE[0]}")/../.."
testbed=${TESTBED:-target/bin/testbed}
profile=${LIQO_BENCH_PROFILE:-release}
lines=target/bench.jsonl
log=target/bench.log
cluster=bench-api

main() {
    case ${1:-all} in
    all)
        control_plane
        testbed_too
        ;;
    control-plane) control_plane ;;
    testbed) exec integration/bench/testbed.sh ;;
    *) fail "\"$1\" is neither control-plane nor testbed" ;;
    esac
}

say() { echo "bench: $*" >&2; }

fail() {
    echo "error: bench: $*" >&2
    exit 1
}

control_plane() {
    mkdir -p "$(dirname "$lines")"
    : >"$lines"
    say "compiling ($profile)"
    cargo build --quiet --profile "$profile" -p liqo-bench
    cargo build --quiet --profile "$profile" -p liqo-log --example append_bench
    local built
    built=target/$(rustc -vV | sed -n 's/^host: //p')/${profile/#dev/debug}
    bench=$built/liqo-bench
    measure fold
    measure restart
    measure flood
    measure disk
    measure peers
    with_server
    echo "control plane, $profile build, processors: $(nproc), $(uname -sm), load $(cut -d ' ' -f 1 /proc/loadavg)"
    echo
    "$bench" table <"$lines"
    echo
    echo "the log alone (state/log/examples/append_bench.rs):"
    "$built/examples/append_bench" --seconds 16
}

# measure COMMAND...: its figures come after those before.
measure() {
    "$bench" "$@" | tee -a "$lines" >/dev/null
}

# An API server of our own, without nodes, for what needs one.
with_server() {
    if ! may_make_nodes; then
        echo "SKIPPED: bench: what needs an API server: run as root, with CAP_SYS_ADMIN"
        return
    fi
    command -v "$testbed" >/dev/null || fail "$testbed is missing; \`make bench\` builds it first"
    trap leave EXIT
    trap 'exit 130' INT
    trap 'exit 143' TERM
    # One of an earlier run has its objects.
    "$testbed" down "$cluster" >"$log" 2>&1 || true
    say "starting an API server"
    logged "$testbed" up "$cluster" --control-plane-only || fail "\`$testbed up $cluster\` failed, as it says above"
    local kubeconfig kubectl
    kubeconfig=$("$testbed" kubeconfig "$cluster" --path)
    kubectl=$("$testbed" kubernetes)/kubectl
    kube() { logged "$kubectl" --kubeconfig "$kubeconfig" "$@" || fail "\`kubectl $*\` failed, as it says above"; }
    kube apply --server-side -f deploy/crds
    kube wait --for=condition=Established crd --all --timeout=60s
    kube create namespace liqo
    measure api --kubeconfig "$kubeconfig" --pods "${PODS:-10000}"
    leave_cluster
}

may_make_nodes() {
    local effective
    effective=$(sed -n 's/^CapEff:\t*//p' /proc/self/status)
    # Bit 21 is CAP_SYS_ADMIN.
    [ "$(id -u)" = 0 ] && (((0x$effective >> 21) & 1))
}

# logged COMMAND...: it is silent unless it fails.
logged() {
    "$@" >"$log" 2>&1 || {
        cat "$log" >&2
        return 1
    }
}

# Whatever happened, the cluster does not stay.
leave() {
    local status=$?
    leave_cluster || status=1
    exit "$status"
}

leave_cluster() {
    trap - EXIT INT TERM
    logged "$testbed" down "$cluster" || {
        echo "error: bench: $cluster could not be ended; \`$testbed down $cluster\` tries again" >&2
        return 1
    }
}

# Clusters of someone else would be measured with those of the testbed's figures.
testbed_too() {
    echo
    if ! may_make_nodes; then
        echo "SKIPPED: bench: the testbed: run as root, with CAP_SYS_ADMIN"
    elif "$testbed" --output json status | grep -q '"clusters": \[\]'; then
        ROUNDS=${ROUNDS:-1} integration/bench/testbed.sh
    else
        echo "SKIPPED: bench: the testbed: clusters are up; end them with \`make down\`"
    fi
}

main "$@"
