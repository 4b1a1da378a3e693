//! Every flag of Liqo 0.8.3 is there, has its default, and does what it says or says why not.

use std::time::Duration;

use clap::{CommandFactory as _, Parser as _};
use liqo_assembly::VirtualKubelet;
use liqo_model::Kind;

use crate::Flags;

/// Source: network-and-virtual-kubelet of Liqo 0.8.3, §B.1.2.
const OF_0_8_3: &[(&str, &str)] = &[
    ("home-kubeconfig", ""),
    ("nodename", "virtual-kubelet"),
    ("tenant-namespace", "default"),
    ("resync-period", "10h"),
    ("home-cluster-id", ""),
    ("home-cluster-name", ""),
    ("foreign-cluster-id", ""),
    ("foreign-cluster-name", ""),
    ("ipam-server", ""),
    ("disable-ip-reflection", "false"),
    ("node-ip", ""),
    ("certificate-type", "kubelet"),
    ("listen-port", "10250"),
    ("enable-profiling", "false"),
    ("pod-reflection-workers", "10"),
    ("service-reflection-workers", "3"),
    ("endpointslice-reflection-workers", "10"),
    ("ingress-reflection-workers", "3"),
    ("configmap-reflection-workers", "3"),
    ("secret-reflection-workers", "3"),
    ("service-account-reflection-workers", "3"),
    ("persistentvolumeclaim-reflection-workers", "3"),
    ("node-lease-duration", "40s"),
    ("node-ping-interval", "10s"),
    ("node-ping-timeout", "1s"),
    ("node-check-network", "true"),
    ("node-extra-annotations", ""),
    ("node-extra-labels", ""),
    ("enable-apiserver-support", "false"),
    ("enable-storage", "false"),
    ("virtual-storage-class-name", "liqo"),
    ("remote-real-storage-class-name", ""),
    ("metrics-enabled", "false"),
    ("metrics-address", ":8080"),
    ("home-api-server-host", ""),
    ("home-api-server-port", ""),
    ("client-qps", "100"),
    ("client-max-burst", "100"),
    ("klog.v", "0"),
    ("klog.vmodule", ""),
    ("klog.logtostderr", "true"),
];

/// What the controller manager gives every virtual kubelet.
const GIVEN: [&str; 7] = [
    "liqo-virtual-kubelet",
    "--foreign-cluster-id=milan-id",
    "--foreign-cluster-name=milan",
    "--home-cluster-id=rome-id",
    "--home-cluster-name=rome",
    "--node-ip=10.200.0.7",
    "--nodename=liqo-milan",
];

fn flags(more: &[&str]) -> Flags {
    Flags::try_parse_from(GIVEN.iter().chain(more)).unwrap_or_else(|error| panic!("{more:?}: {error}"))
}

fn kubelet(more: &[&str]) -> VirtualKubelet {
    flags(more).virtual_kubelet().unwrap()
}

#[test]
fn every_flag_of_0_8_3_is_there_with_its_default() {
    let command = Flags::command();
    for (name, default) in OF_0_8_3 {
        let argument = command.get_arguments().find(|argument| argument.get_long() == Some(name));
        let argument = argument.unwrap_or_else(|| panic!("--{name} is missing"));
        let values: Vec<_> =
            argument.get_default_values().iter().map(|value| value.to_string_lossy()).collect();
        assert_eq!(values.concat(), *default, "--{name}");
    }
}

#[test]
fn flags_without_a_value_are_as_go_has_them() {
    for flag in ["--disable-ip-reflection", "--metrics-enabled", "--node-check-network"] {
        flags(&[flag]);
        flags(&[&format!("{flag}=true")]);
        flags(&[&format!("{flag}=false")]);
    }
    assert!(kubelet(&["--metrics-enabled"]).with_metrics);
    assert!(!kubelet(&[]).with_metrics);
    assert!(!kubelet(&["--disable-ip-reflection"]).with_addresses);
}

#[test]
fn what_the_flags_say_is_done() {
    let usual = kubelet(&[]);
    assert_eq!(usual.metrics_address.to_string(), "0.0.0.0:8080");
    assert_eq!(usual.lease, Duration::from_secs(40));
    assert!(usual.settings.check_network && !usual.settings.ignore_api_server);
    assert_eq!((usual.settings.port, usual.settings.not_reflected), (10250, vec![]));

    let asked = kubelet(&[
        "--metrics-address=127.0.0.1:5872",
        "--node-lease-duration=1m30s",
        "--node-ping-interval=0",
        "--node-check-network=false",
        "--listen-port=10255",
        "--node-extra-labels=region=eu,tier=gold",
        "--node-extra-annotations=owner=me",
        "--secret-reflection-workers=0",
        "--pod-reflection-workers=0",
        "--client-qps=7.5",
        "--client-max-burst=9",
    ]);
    assert_eq!(asked.metrics_address.to_string(), "127.0.0.1:5872");
    assert_eq!(asked.lease, Duration::from_secs(90));
    assert!(!asked.settings.check_network && asked.settings.ignore_api_server);
    assert_eq!(asked.settings.port, 10255);
    let labels: Vec<_> = asked.settings.labels.iter().map(|(key, value)| format!("{key}={value}")).collect();
    assert_eq!(labels, ["region=eu", "tier=gold"]);
    assert_eq!(asked.settings.annotations["owner"], "me");
    assert_eq!(asked.settings.not_reflected, [Kind::Pod, Kind::Secret]);
    assert_eq!(
        (asked.limits.per_second.to_string(), asked.limits.burst.to_string()),
        ("7.5".into(), "9".into())
    );
}

#[test]
fn what_is_not_built_yet_is_refused_by_name() {
    for flag in [
        "--enable-apiserver-support",
        "--home-api-server-host=example.com",
        "--home-api-server-port=6443",
        "--enable-storage=true",
        "--virtual-storage-class-name=other",
        "--remote-real-storage-class-name=fast",
        "--enable-profiling",
        "--certificate-type=aws",
    ] {
        let name = flag.split('=').next().unwrap();
        let error = flags(&[flag]).virtual_kubelet().unwrap_err();
        assert!(error.starts_with(name) && error.contains("not built yet"), "{flag}: {error}");
    }
}

#[test]
fn what_changes_nothing_is_said() {
    assert_eq!(flags(&[]).without_effect(), [""; 0]);
    let given = [
        "--resync-period=1h",
        "--ipam-server=liqo-network-manager:6000",
        "--node-ping-timeout=2s",
        "--klog.log_dir=/tmp",
    ];
    let said = flags(&given).without_effect();
    assert_eq!(said.len(), given.len());
    for (flag, said) in given.iter().zip(said) {
        assert!(said.starts_with(flag.split('=').next().unwrap()), "{flag}: {said}");
    }
}

#[test]
fn verbosity_adds_to_what_is_logged() {
    let usual = flags(&[]).log_filter;
    assert_eq!(flags(&["--klog.v=2"]).filter(), usual);
    assert!(flags(&["--klog.v=4"]).filter().starts_with(&format!("{usual},debug")));
    assert!(flags(&["--klog.v=9"]).filter().starts_with(&format!("{usual},trace")));
}

#[test]
fn bad_values_are_refused_with_their_flag() {
    for flag in [
        "--node-lease-duration=40",
        "--node-ping-interval=-5s",
        "--metrics-address=8080",
        "--node-extra-labels=region",
        "--client-qps=0",
        "--client-max-burst=0",
        "--listen-port=70000",
        "--node-ip=milan",
    ] {
        let error = Flags::try_parse_from(GIVEN.iter().chain([&flag])).unwrap_err().to_string();
        assert!(error.contains(flag.split('=').next().unwrap()), "{flag}: {error}");
    }
    let error = flags(&["--node-lease-duration=500ms"]).virtual_kubelet().unwrap_err();
    assert!(error.contains("--node-lease-duration"), "{error}");
}
