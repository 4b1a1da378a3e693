#!/usr/bin/env bash
# Installs what the project needs on a Debian or Ubuntu machine, and only what is missing.
#
#   integration/setup.sh [--check] [quickstart|test]
#
# `quickstart` (the default) is what building and running clusters takes; `test` adds what `make check` takes.
# With --check it changes nothing and tells what is missing; it exits with 1 when something is.
# It writes target/environment, a shell file with the additions to PATH that the Makefile's recipes use.

set -euo pipefail

CARGO_DENY=0.20.2

checkout=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
# As the testbed has it.
caches=${XDG_CACHE_HOME:-${HOME:+$HOME/.cache}}
cache=${LIQO_TESTBED_CACHE:-${caches:-/var/cache}/liqo-testbed}
channel=$(sed -n 's/^channel *= *"\(.*\)"/\1/p' "$checkout/rust-toolchain.toml")
go_needed=$(sed -n 's/^go \([0-9.]*\)$/\1/p' "$checkout/integration/kubernetes/go.mod")
policy=/usr/sbin/policy-rc.d
policy_mark='# Written by liqo setup: nothing that it installs is started.'
scratch=
check=false
list=quickstart
path_additions=()

# A root shell that `su` opened may lack these, and so may one that never saw rustup's line in .profile.
PATH=$PATH:/usr/local/sbin:/usr/sbin:/sbin:/usr/local/go/bin:${HOME:-}/.cargo/bin

main() {
    for argument in "$@"; do
        case $argument in
        --check) check=true ;;
        quickstart | test) list=$argument ;;
        *) fail "unknown argument $argument; it is called as: integration/setup.sh [--check] [quickstart|test]" ;;
        esac
    done
    if $check; then
        report
        return
    fi
    trap leave EXIT
    trap 'exit 130' INT
    trap 'exit 143' TERM
    [ "$(id -u)" = 0 ] || fail "root is needed to install packages and to run nodes; run it again as root, for instance with sudo"
    say "checking what this machine has for '$list'"
    set_up_packages
    set_up_go
    set_up_rust
    if [ "$list" = test ]; then
        set_up_cargo_deny
    fi
    load_modules
    write_environment
    say "ready"
}

say() { echo "setup: $*"; }

fail() {
    echo "error: setup: $*" >&2
    exit 1
}

has() { command -v "$1" >/dev/null 2>&1; }

# Puts everything back that is there for a moment only, however the script ends.
leave() {
    open_services
    if [ -n "$scratch" ]; then
        chmod -R u+w "$scratch" 2>/dev/null || true
        rm -rf "$scratch"
    fi
}

# --- Debian packages -----------------------------------------------------------------------------------------------

# What must be there, and the package that brings it. A program is looked for rather than its package, because containerd
# may well be Docker's. The packages that the toolbox image is made from are looked for by name: it takes their files.
requirements() {
    cat <<'LIST'
program containerd containerd
program containerd-shim-runc-v2 containerd
program ctr containerd
program runc runc
cni containernetworking-plugins
program nft nftables
program iptables iptables
program ip iproute2
program nsenter util-linux
program unshare util-linux
program setsid util-linux
program mount mount
program modprobe kmod
program ps procps
program sysctl procps
package busybox-static
package ca-certificates
package curl
package iperf3
package perl-base
package restic
program git git
program make make
program cc gcc
program strip binutils
libc libc6-dev
LIST
}

# Prints "thing package" for each requirement that is not met.
missing() {
    local kind first second
    requirements | while read -r kind first second; do
        case $kind in
        program) has "$first" || echo "$first $second" ;;
        cni) has_cni || echo "CNI-plugins $first" ;;
        libc) has_static_libc || echo "static-libc $first" ;;
        package) has_package "$first" || echo "$first $first" ;;
        esac
    done
}

has_package() { [[ $(dpkg-query -W -f='${Status}' "$1" 2>/dev/null) == *' installed' ]]; }

has_cni() {
    local directory
    for directory in /usr/lib/cni /opt/cni/bin; do
        if [ -x $directory/bridge ] && [ -x $directory/host-local ] && [ -x $directory/loopback ] && [ -x $directory/portmap ]; then
            return 0
        fi
    done
    return 1
}

# The compiler answers with a path when it finds the file, and with the bare name when it does not.
has_static_libc() { has cc && [[ $(cc -print-file-name=libc.a) == /* ]]; }

set_up_packages() {
    local lacking
    lacking=$(missing)
    if [ -z "$lacking" ]; then
        return
    fi
    install_packages "$(cut -d' ' -f1 <<<"$lacking" | paste -sd' ')" "$(cut -d' ' -f2 <<<"$lacking" | sort -u | paste -sd' ')"
    lacking=$(missing)
    [ -z "$lacking" ] || fail "still missing after the installation: $(with_packages <<<"$lacking" | joined)"
}

# install_packages THINGS PACKAGES, both as words in one string.
install_packages() {
    local things=$1 packages new_containerd=false
    read -ra packages <<<"$2"
    is_debian || fail "missing: $things. Only Debian and Ubuntu are set up automatically and this is $(system); install what Debian calls $2 with its own tools, then run this again"
    say "missing: $things"
    say "installing with apt-get: $2"
    if [[ " $2 " == *" containerd "* ]] && [ ! -e /lib/systemd/system/containerd.service ]; then
        new_containerd=true
    fi
    shut_services
    refresh_package_lists
    apt install "${packages[@]}" || fail "apt-get could not install: $2 (its reason is above)"
    open_services
    # Installed to be started by the testbed, one for each node; it need not run at each boot.
    if $new_containerd && has systemctl; then
        systemctl disable containerd.service >/dev/null 2>&1 || true
    fi
    hash -r
}

apt() {
    DEBIAN_FRONTEND=noninteractive NEEDRESTART_SUSPEND=1 apt-get -q -y -o DPkg::Lock::Timeout=300 \
        -o Dpkg::Options::=--force-confold "$1" --no-install-recommends "${@:2}" </dev/null
}

lists_are_fresh=false
refresh_package_lists() {
    if ! $lists_are_fresh; then
        # A source of somebody else's that fails is no reason to stop: the installation tells whether it mattered.
        apt update || say "apt-get update had errors; going on with the package lists there are"
        lists_are_fresh=true
    fi
}

# Debian starts the services it installs. None of these is wanted as a service of this machine, so while packages are
# installed a policy says no; one that the administrator wrote is put back afterwards.
shut_services() {
    if [ -e $policy ] && ! grep -qF "$policy_mark" $policy; then
        mv $policy $policy.before-liqo
    fi
    printf '#!/bin/sh\n%s\nexit 101\n' "$policy_mark" >$policy
    chmod 755 $policy
}

# Also heals what a killed run left.
open_services() {
    if [ -e $policy ] && grep -qF "$policy_mark" $policy 2>/dev/null && [ -w $policy ]; then
        rm -f $policy
    fi
    if [ -e $policy.before-liqo ] && [ ! -e $policy ]; then
        mv $policy.before-liqo $policy
    fi
}

# The value of a key of os-release.
release() { sed -n "s/^$1=//p" /etc/os-release 2>/dev/null | tr -d "\"'"; }
system() { release PRETTY_NAME | grep . || uname -s; }
is_debian() { has apt-get && [[ " $(release ID) $(release ID_LIKE) " =~ ' '(debian|ubuntu)' ' ]]; }

# "thing package" lines as "thing (package)" lines, and lines as words with commas between them.
with_packages() { awk 'NF { print $1 " (package " $2 ")" }'; }
joined() { paste -sd, | awk '{ gsub(",", ", "); print }'; }

# at_least VERSION MINIMUM
at_least() { printf '%s\n%s\n' "$2" "$1" | sort -V -C; }

# --- Go --------------------------------------------------------------------------------------------------------------

go_home() { echo "$cache/go-$go_needed"; }

# The version of the go command $1; outside of any module, and as it is rather than as what it would fetch.
go_version() { (cd / && GOTOOLCHAIN=local "$1" version 2>/dev/null) | sed -n 's/^go version go\([0-9][0-9.]*\).*/\1/p'; }

go_is_sufficient() { has "$1" && at_least "$(go_version "$1")" "$go_needed"; }

# Prints nothing when Go is there, and says what is wrong otherwise.
go_state() {
    if ! go_is_sufficient go && ! go_is_sufficient "$(go_home)/bin/go"; then
        if has go; then echo "Go $go_needed (this is $(go_version go))"; else echo "Go $go_needed"; fi
    fi
}

set_up_go() {
    if [ -n "$(go_state)" ]; then
        has go || install_packages go golang-go
        go_is_sufficient go || fetch_go
    fi
    if ! go_is_sufficient go; then
        path_additions+=("$(go_home)/bin")
    elif [ "$(command -v go)" = /usr/local/go/bin/go ]; then
        path_additions+=(/usr/local/go/bin)
    fi
}

# The Go project publishes each release as a module too, which any older go command can fetch and verify.
fetch_go() {
    local module architecture directory
    case $(uname -m) in
    x86_64) architecture=amd64 ;;
    aarch64) architecture=arm64 ;;
    *) fail "Go $go_needed or later is missing and this is $(uname -m); install it from https://go.dev/dl/, then run this again" ;;
    esac
    module=golang.org/toolchain@v0.0.1-go$go_needed.linux-$architecture
    say "Go is $(go_version go) and $go_needed is needed: fetching $module into $cache"
    mkdir -p "$cache"
    scratch=$(mktemp -d "$cache/.go.XXXXXX")
    directory=$(cd "$scratch" && GOTOOLCHAIN=local GOMODCACHE=$scratch/modules GOFLAGS=-mod=mod go mod download -json "$module" </dev/null |
        sed -n 's/^[[:space:]]*"Dir": "\(.*\)",*$/\1/p') ||
        fail "cannot fetch $module; check this machine's way to the Go module proxy (go env GOPROXY), or install Go $go_needed or later yourself"
    [ -d "$directory" ] || fail "go mod download named no directory for $module"
    unpack_go "$directory" "$scratch/go"
    at_least "$(go_version "$scratch/go/bin/go")" "$go_needed" || fail "the toolchain of $module does not run on this machine"
    rm -rf "$(go_home)"
    mv "$scratch/go" "$(go_home)"
}

# A module's archive carries no mode bits, and cannot hold a go.mod but at its top: both are made good here.
unpack_go() {
    local file
    cp -R --no-preserve=mode "$1" "$2"
    chmod 755 "$2"/bin/*
    find "$2/pkg/tool" -type f -exec chmod 755 {} +
    find "$2" -name _go.mod | while read -r file; do
        mv "$file" "${file%_go.mod}go.mod"
    done
}

# --- Rust ------------------------------------------------------------------------------------------------------------

# The compiler that the checkout gets; rustup chooses it by rust-toolchain.toml.
rust_version() { (cd "$checkout" && RUSTUP_AUTO_INSTALL=0 rustc --version 2>/dev/null) | cut -d' ' -f2; }

rust_components() {
    if [ "$list" = test ]; then echo "rustc cargo cargo-clippy rustfmt"; else echo "rustc cargo"; fi
}

# Prints nothing when Rust is there, and says what is wrong otherwise.
rust_state() {
    local version component
    if ! has rustc && ! has rustup; then
        echo "Rust $channel (rustup)"
        return
    fi
    version=$(rust_version)
    if [ -z "$version" ] || ! at_least "$version" "$channel"; then
        echo "Rust $channel${version:+ (this is $version)}"
        return
    fi
    for component in $(rust_components); do
        if ! (cd "$checkout" && RUSTUP_AUTO_INSTALL=0 "$component" --version) >/dev/null 2>&1; then
            echo "$component of Rust $channel"
        fi
    done
}

set_up_rust() {
    if [ -n "$(rust_state)" ]; then
        install_rust
    fi
    if [ "$(command -v cargo)" = "${HOME:-}/.cargo/bin/cargo" ]; then
        path_additions+=("${HOME:-}/.cargo/bin")
    fi
}

install_rust() {
    local state
    state=$(rust_state | joined)
    if ! has rustup; then
        ! has rustc || fail "missing: $state. Your Rust has no rustup that could change it; install that version the way you installed yours, or rustup from https://rustup.rs, then run this again"
        install_rustup
        state=$(rust_state | joined)
        [ -n "$state" ] || return 0
    fi
    say "missing: $state; installing it with rustup"
    # Outside the checkout, where a toolchain that is not there yet would already be asked for. All of its parts are
    # named, because releases of rustup differ in what they read from a toolchain file.
    (cd / && rustup toolchain install "$channel" --profile minimal --component clippy --component rustfmt --no-self-update </dev/null) ||
        fail "rustup could not install Rust $channel; check this machine's way to Rust's downloads, then run this again"
    state=$(rust_state | joined)
    [ -z "$state" ] || fail "still missing after the installation: $state"
}

install_rustup() {
    local advice="install it with: curl --proto '=https' --tlsv1.2 -sSf https://sh.rustup.rs | sh -s -- -y --default-toolchain none (see https://rustup.rs), then run this again"
    is_debian || fail "missing: Rust $channel; $advice"
    refresh_package_lists
    has_candidate rustup || fail "missing: Rust $channel, and $(system) has no package of rustup; $advice"
    install_packages "Rust-$channel" rustup
}

has_candidate() { [[ $(LC_ALL=C apt-cache policy "$1") =~ 'Candidate: '[^'('] ]]; }

# --- cargo-deny ------------------------------------------------------------------------------------------------------

deny_home() { echo "$cache/cargo-deny-$CARGO_DENY"; }

deny_version() { (cd / && "$1" --version 2>/dev/null) | sed -n 's/^cargo-deny \([0-9][0-9.]*\).*/\1/p'; }

deny_is_sufficient() { has "$1" && at_least "$(deny_version "$1")" "$CARGO_DENY"; }

deny_state() {
    if ! deny_is_sufficient cargo-deny && ! deny_is_sufficient "$(deny_home)/bin/cargo-deny"; then
        echo "cargo-deny $CARGO_DENY"
    fi
}

set_up_cargo_deny() {
    if [ -n "$(deny_state)" ]; then
        say "compiling cargo-deny $CARGO_DENY (once, a few minutes)"
        mkdir -p "$cache"
        # Outside the checkout, whose static build is meant for its own programs. Unoptimised: it runs for a second.
        (cd / && RUSTUP_TOOLCHAIN=$channel CARGO_TARGET_DIR=$(deny_home)/build \
            cargo install --quiet --locked --debug cargo-deny --version "$CARGO_DENY" --root "$(deny_home)" </dev/null) ||
            fail "cargo could not install cargo-deny $CARGO_DENY (its reason is above)"
        rm -rf "$(deny_home)/build"
    fi
    if ! deny_is_sufficient cargo-deny; then
        path_additions+=("$(deny_home)/bin")
    fi
}

# --- the kernel ------------------------------------------------------------------------------------------------------

# A module may as well be built in, or be loaded by the host of this container. The testbed tells what is really missing.
load_modules() {
    local module
    for module in overlay br_netfilter veth bridge nf_tables vxlan tun; do
        module_is_there "$module" || modprobe -q "$module" 2>/dev/null || true
    done
}

module_is_there() {
    case $1 in
    overlay) grep -qw overlay /proc/filesystems ;;
    br_netfilter) [ -e /proc/sys/net/bridge/bridge-nf-call-iptables ] ;;
    tun) [ -e /dev/net/tun ] ;;
    *) [ -e "/sys/module/$1" ] ;;
    esac
}

# --- what the recipes use, and the report ----------------------------------------------------------------------------

# The dollars are for the shell that reads the file.
# shellcheck disable=SC2016
write_environment() {
    local directory
    mkdir -p "$checkout/target"
    {
        echo '# Written by integration/setup.sh; the recipes of the Makefile source it.'
        for directory in "${path_additions[@]}"; do
            printf 'PATH=%q:"$PATH"\n' "$directory"
        done
        printf '%s\n' 'PATH="$PATH":/usr/local/sbin:/usr/sbin:/sbin' 'export PATH'
    } >"$checkout/target/environment.new"
    mv "$checkout/target/environment.new" "$checkout/target/environment"
}

report() {
    local lacking
    lacking=$(
        missing | with_packages
        go_state
        rust_state
        [ "$list" != test ] || deny_state
    )
    if [ -z "$lacking" ]; then
        say "nothing is missing for '$list'"
        return
    fi
    say "missing for '$list':"
    while read -r line; do
        echo "  $line"
    done <<<"$lacking"
    exit 1
}

main "$@"
