#!/usr/bin/env bash
# Starts two clusters whose pods use the same addresses, runs a Deployment in each, and shows it.
#
# Each command is printed as a person would type it, then run. It may be run again while the clusters run.

set -euo pipefail

cd "$(dirname "${BASH_SOURCE[0]}")/../.."
export PATH="$PWD/target/bin:$PATH"
manifest=integration/quickstart/hello.yaml

# shown COMMAND [ARGUMENT...]
shown() {
    echo
    echo "\$ $*"
    "$@"
}

# enter CLUSTER: what kubectl talks to from here on.
enter() {
    echo
    echo "\$ export KUBECONFIG=\$(testbed kubeconfig $1 --path)"
    KUBECONFIG=$(testbed kubeconfig "$1" --path)
    export KUBECONFIG
}

if ! [ -x target/bin/testbed ]; then
    echo "error: target/bin/testbed is missing; \`make quickstart\` builds it first" >&2
    exit 1
fi

echo "\$ export PATH=\$PWD/target/bin:\$PATH"
shown testbed up rome milan

for cluster in rome milan; do
    enter "$cluster"
    shown kubectl apply -f "$manifest"
    shown kubectl rollout status deployment/hello --timeout=120s
    shown kubectl get pods -o wide
    shown kubectl exec deployment/hello -- curl -s localhost:8080
done

cat <<'END'

rome and milan run, each with a pod of its own, and the pods of both use addresses of 10.200.0.0/16.
Try them:
  export PATH=$PWD/target/bin:$PATH KUBECONFIG=$(target/bin/testbed kubeconfig rome --path)
  testbed status
  kubectl get all -A
End them:
  make down
END
