#!/usr/bin/env bash
# Starts two clusters whose pods use the same addresses, installs Liqo in both, lets rome use milan, runs a Deployment of
# rome there, and asks it from a pod that stayed.
#
# Each command is printed as a person would type it, then run. It may be run again while the clusters run.

set -euo pipefail

cd "$(dirname "${BASH_SOURCE[0]}")/../.."
export PATH="$PWD/target/bin:$PATH"

images=(liqo-controller-manager liqo-fabric liqo-virtual-kubelet)
workloads=(deployment/liqo-controller-manager deployment/liqo-gateway daemonset/liqo-route)
# What every cluster of the testbed has unless told otherwise.
pod_cidr=10.200.0.0/16
service_cidr=10.80.0.0/16
phases=()
began=0

# shown COMMAND [ARGUMENT...]
shown() {
    echo
    echo "\$ $*"
    "$@"
}

# enter CLUSTER: what kubectl and liqoctl talk to from here on.
enter() {
    echo
    echo "\$ export KUBECONFIG=\$(testbed kubeconfig $1 --path)"
    KUBECONFIG=$(testbed kubeconfig "$1" --path)
    export KUBECONFIG
}

# done_with PHASE: notes how long it took.
done_with() {
    phases+=("$(printf '%-36s %4d s' "$1" $((SECONDS - began)))")
    echo
    echo "# $1: $((SECONDS - began)) s"
    began=$SECONDS
}

# install CLUSTER
install() {
    local image workload
    for image in "${images[@]}"; do
        shown testbed load "$1" "target/images/$image.tar"
    done
    enter "$1"
    if kubectl get namespace liqo >/dev/null 2>&1; then
        # The images have the names of those that run, and may be newer.
        shown kubectl delete pods --all-namespaces --selector app.kubernetes.io/part-of=liqo
    else
        shown kubectl create namespace liqo
        shown kubectl create configmap liqo-config --namespace liqo \
            --from-literal "LIQO_CLUSTER_NAME=$1" \
            --from-literal "LIQO_POD_CIDR=$pod_cidr" --from-literal "LIQO_SERVICE_CIDR=$service_cidr"
    fi
    shown kubectl apply --server-side -f deploy/crds -f deploy/rbac -f deploy/manifests
    for workload in "${workloads[@]}"; do
        shown kubectl rollout status "$workload" --namespace liqo --timeout=120s
    done
}

# ask URL: from the pod in rome, and only milan may answer.
ask() {
    local answer command
    command=(kubectl exec --namespace demo client -- curl -s --max-time 5 --retry 10 --retry-all-errors "$1")
    echo
    echo "\$ ${command[*]}"
    answer=$("${command[@]}")
    echo "$answer"
    if ! grep -q '"node":"milan-' <<<"$answer"; then
        echo "error: this is no answer of a pod in milan" >&2
        return 1
    fi
}

for program in testbed liqoctl kubectl; do
    if ! [ -x target/bin/$program ]; then
        echo "error: target/bin/$program is missing; \`make quickstart\` builds it first" >&2
        exit 1
    fi
done

echo "\$ export PATH=\$PWD/target/bin:\$PATH"
shown testbed up rome milan
done_with "two clusters"

install rome
install milan
done_with "Liqo in both"

enter milan
echo
echo "\$ liqoctl generate peer-command --only-command"
peer=$(liqoctl generate peer-command --only-command)
echo "$peer"
enter rome
# The command as it was printed; none of its words has a space in it.
# shellcheck disable=SC2086
shown $peer
shown kubectl get nodes
done_with "rome uses milan"

kubectl get namespace demo >/dev/null 2>&1 || shown kubectl create namespace demo
shown liqoctl offload namespace demo
shown kubectl apply -f integration/quickstart/hello.yaml
shown kubectl rollout status deployment/hello --namespace demo --timeout=120s
shown kubectl wait pod/client --namespace demo --for=condition=Ready --timeout=60s
shown kubectl get pods --namespace demo -o wide
done_with "a Deployment of rome in milan"

pod=$(kubectl get pods --namespace demo --selector app=hello -o 'jsonpath={.items[0].metadata.name}')
address=$(kubectl get pod "$pod" --namespace demo -o 'jsonpath={.status.podIP}')
ask "http://$address:8080/"
ask http://hello/
done_with "from pod to pod, and by the Service"

shown liqoctl status
shown liqoctl status peer
tenant=$(kubectl get foreigncluster milan -o 'jsonpath={.status.tenantNamespace.local}')
shown liqoctl debug why "pod/demo/$pod" --namespace "$tenant" --component virtual-kubelet
done_with "what Liqo says about it"

echo
printf '%s\n' "${phases[@]}"
printf '%-36s %4d s\n' "in all" $SECONDS
cat <<'END'

The pods of both clusters use addresses of 10.200.0.0/16, and hello runs in milan as a pod of rome. Try them:
  export PATH=$PWD/target/bin:$PATH KUBECONFIG=$(target/bin/testbed kubeconfig rome --path)
  kubectl get pods --namespace demo -o wide
  liqoctl status peer milan
End them:
  make down
END
