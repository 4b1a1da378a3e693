#!/usr/bin/env bash
# Measures the testbed on this machine and prints one table: the minimum, the median and the maximum of each figure.
#
#   ROUNDS=3 integration/bench/testbed.sh
#
# It starts and ends clusters, so it refuses to run beside clusters that are up. README.md tells what is measured.
# TESTBED is the binary, when it is not target/bin/testbed: a path from the checkout's root, or a name in PATH.

set -euo pipefail

# The decimal point in $EPOCHREALTIME and in awk's output is the locale's.
export LC_ALL=C

cd "$(dirname "${BASH_SOURCE[0]}")/../.."
testbed=${TESTBED:-target/bin/testbed}
rounds=${ROUNDS:-3}
state=${LIQO_TESTBED_ROOT:-/var/lib/liqo-testbed}
log=target/bench.log
two=(rome milan)
control_planes=(a b c d)
# One line a sample: figure, unit, value, with tabs between them.
samples=

main() {
    [[ $rounds =~ ^[1-9][0-9]{0,3}$ ]] || fail "ROUNDS is \"$rounds\"; it is a number from 1 to 9999"
    command -v "$testbed" >/dev/null || fail "$testbed is missing; \`make bench\` builds it first"
    refuse_company
    mkdir -p "$(dirname "$log")"
    trap leave EXIT
    trap 'exit 130' INT
    trap 'exit 143' TERM
    # What an `up` that was killed left behind is no cluster, but it is in the way.
    logged "$testbed" down
    local kubernetes round
    kubernetes=$("$testbed" kubernetes)
    kubectl=$kubernetes/kubectl
    for ((round = 1; round <= rounds; round++)); do
        say "round $round of $rounds"
        with_nodes
        without_nodes
    done
    table
}

say() { echo "bench: $*" >&2; }

fail() {
    echo "error: bench: $*" >&2
    exit 1
}

# The clusters of someone else would be measured with ours, and ended with them.
refuse_company() {
    local status names
    status=$("$testbed" --output json status)
    if ! grep -q '"clusters": \[\]' <<<"$status"; then
        # Clusters are three levels deep, which is six spaces; nodes and components are deeper.
        names=$(sed -n 's/^ \{6\}"name": "\(.*\)".*/\1/p' <<<"$status" | paste -sd ' ')
        fail "clusters are up already${names:+ ($names)}; end them with \`make down\`"
    fi
}

# Whatever happened, no cluster stays.
leave() {
    local status=$?
    trap - EXIT INT TERM
    if ! "$testbed" down >"$log" 2>&1; then
        cat "$log" >&2
        echo "error: bench: the clusters could not be ended; \`make down\` tries again" >&2
        [ "$status" != 0 ] || status=1
    fi
    exit "$status"
}

with_nodes() {
    local disk kubeconfig up="up ${two[*]} --nodes 2"
    timed "$up" "$testbed" up "${two[@]}" --nodes 2
    at_ready "$up"
    disk=$(disk)
    sample "$up: disk" MiB "$disk"
    timed "$up, again" "$testbed" up "${two[@]}" --nodes 2
    timed "kubernetes, cached" "$testbed" kubernetes
    kubeconfig=$("$testbed" kubeconfig rome --path)
    timed "start of a pod" start_pod "$kubeconfig"
    timed "down ${two[*]}" "$testbed" down
}

without_nodes() {
    local up="up ${control_planes[*]} --control-plane-only"
    timed "$up" "$testbed" up "${control_planes[@]}" --control-plane-only
    at_ready "$up"
    logged "$testbed" down
}

# at_ready PREFIX: processor time comes first, because asking for the memory costs some.
at_ready() {
    local cpu memory
    cpu=$(cpu_seconds)
    memory=$(memory)
    sample "$1: CPU" s "$cpu"
    sample "$1: memory" MiB "$memory"
}

# timed FIGURE COMMAND...
timed() {
    local figure=$1 start end seconds
    shift
    start=$EPOCHREALTIME
    logged "$@"
    end=$EPOCHREALTIME
    seconds=$(awk -v start="$start" -v end="$end" 'BEGIN { printf "%.6f", end - start }')
    sample "$figure" s "$seconds"
}

# logged COMMAND...: it is silent unless it fails.
logged() {
    if ! "$@" >"$log" 2>&1; then
        cat "$log" >&2
        fail "\`$*\` failed, as it says above"
    fi
}

# sample FIGURE UNIT VALUE
sample() {
    samples+="$1"$'\t'"$2"$'\t'"$3"$'\n'
}

# start_pod KUBECONFIG: without a readiness probe, because its period would be measured, too.
start_pod() {
    "$kubectl" --kubeconfig "$1" apply -f - <<'END' &&
apiVersion: apps/v1
kind: Deployment
metadata:
  name: bench
spec:
  selector:
    matchLabels:
      app: bench
  template:
    metadata:
      labels:
        app: bench
    spec:
      containers:
        - name: toolbox
          image: testbed.local/toolbox:1
          imagePullPolicy: Never
END
        "$kubectl" --kubeconfig "$1" rollout status deployment/bench --timeout=120s
}

# Seconds of processor time of everything in the nodes of all clusters.
cpu_seconds() {
    local usage=(/sys/fs/cgroup/cpuacct/liqo-testbed/*/cpuacct.usage) unit=1e9
    if [ -e /sys/fs/cgroup/cgroup.controllers ]; then
        usage=(/sys/fs/cgroup/liqo-testbed/*/cpu.stat) unit=1e6
    fi
    [ -e "${usage[0]}" ] || fail "no ${usage[0]} tells the processor time of the nodes; mount the control groups"
    # Version 1 has nothing but the number, version 2 several lines.
    awk -v unit="$unit" 'NF == 1 { sum += $1 } $1 == "usage_usec" { sum += $2 } END { printf "%.6f", sum / unit }' \
        "${usage[@]}"
}

# MiB of memory of all nodes of all clusters.
memory() {
    "$testbed" --output json status | awk '
        $1 == "\"memory\":" {
            sub(/,$/, "", $2)
            if ($2 !~ /^[0-9]+$/) unknown = 1
            sum += $2
            nodes++
        }
        END {
            if (unknown || !nodes) {
                print "error: bench: `testbed status` does not tell the memory of every node" >"/dev/stderr"
                exit 1
            }
            printf "%.6f", sum / 1048576
        }'
}

# MiB of disk below the directory of all clusters. Files come and go meanwhile, and du complains of each.
disk() {
    { du -sxk -- "$state" 2>/dev/null || true; } | awk '
        { printf "%.6f", $1 / 1024 }
        END {
            if (NR != 1) {
                print "error: bench: du tells no size of the clusters'\'' directory" >"/dev/stderr"
                exit 1
            }
        }'
}

table() {
    echo "rounds: $rounds, processors: $(nproc), $(uname -sm)"
    echo
    printf '%s' "$samples" | sort -t $'\t' -k 1,1 -k 3,3g | awk -F '\t' -v order="$(figures)" '
        { unit[$1] = $2; value[$1, ++count[$1]] = $3 }
        END {
            row = "%-" widest(order) "s  %-4s  %9s  %9s  %9s\n"
            printf row, "figure", "unit", "minimum", "median", "maximum"
            for (i = 1; i <= figures; i++) {
                name = figure[i]
                n = count[name]
                median = (value[name, int((n + 1) / 2)] + value[name, int(n / 2) + 1]) / 2
                low = shown(name, value[name, 1])
                high = shown(name, value[name, n])
                printf row, name, unit[name], low, shown(name, median), high
            }
        }
        function widest(order,    width, i) {
            figures = split(order, figure, "\t")
            width = length("figure")
            for (i = 1; i <= figures; i++) if (length(figure[i]) > width) width = length(figure[i])
            return width
        }
        function shown(name, number) { return sprintf(unit[name] == "s" ? "%.3f" : "%.0f", number) }'
}

# The figures in the order in which they were first measured, with tabs between them.
figures() {
    printf '%s' "$samples" | awk -F '\t' '!seen[$1]++ { print $1 }' | paste -sd '\t'
}

main
