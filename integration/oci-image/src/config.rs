//! The JSON documents of an image: configuration, manifest, index.
//!
//! Every map is sorted and no field depends on the time, so equal images have equal documents.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::archive::Blob;
use crate::digest::Digest;
use crate::reference::Reference;
use crate::settings::Settings;

/// The file that says that an archive is an OCI layout, and which version of it.
pub(crate) const LAYOUT: &str = r#"{"imageLayoutVersion":"1.0.0"}"#;

const EPOCH: &str = "1970-01-01T00:00:00Z";
const INDEX: &str = "application/vnd.oci.image.index.v1+json";
const MANIFEST: &str = "application/vnd.oci.image.manifest.v1+json";
const CONFIG: &str = "application/vnd.oci.image.config.v1+json";
const LAYER: &str = "application/vnd.oci.image.layer.v1.tar";

/// The transport protocol of an exposed port.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Protocol {
    /// A TCP port.
    Tcp,
    /// A UDP port.
    Udp,
}

#[derive(Serialize)]
struct Configuration<'a> {
    created: &'static str,
    architecture: &'a str,
    os: &'static str,
    config: Process<'a>,
    rootfs: RootFs,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Process<'a> {
    user: &'a str,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    exposed_ports: BTreeMap<String, Empty>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    env: Vec<String>,
    #[serde(skip_serializing_if = "<[String]>::is_empty")]
    entrypoint: &'a [String],
    #[serde(skip_serializing_if = "<[String]>::is_empty")]
    cmd: &'a [String],
    working_dir: &'a str,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    labels: &'a BTreeMap<String, String>,
}

#[derive(Serialize)]
struct Empty {}

#[derive(Serialize)]
struct RootFs {
    r#type: &'static str,
    diff_ids: [Digest; 1],
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Manifest {
    schema_version: u8,
    media_type: &'static str,
    config: Descriptor,
    layers: [Descriptor; 1],
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Index<'a> {
    schema_version: u8,
    media_type: &'static str,
    manifests: [Named<'a>; 1],
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Descriptor {
    media_type: &'static str,
    digest: Digest,
    size: u64,
}

#[derive(Serialize)]
struct Named<'a> {
    #[serde(flatten)]
    descriptor: Descriptor,
    platform: Platform<'a>,
    annotations: BTreeMap<&'static str, &'a str>,
}

#[derive(Serialize)]
struct Platform<'a> {
    architecture: &'a str,
    os: &'static str,
}

fn describe(media_type: &'static str, blob: &Blob) -> Descriptor {
    Descriptor { media_type, digest: blob.digest, size: blob.size }
}

/// The configuration blob of an image with this one layer.
pub(crate) fn configuration(settings: &Settings, layer: &Blob) -> serde_json::Result<Vec<u8>> {
    let port = |(port, protocol): &(u16, Protocol)| match protocol {
        Protocol::Tcp => (format!("{port}/tcp"), Empty {}),
        Protocol::Udp => (format!("{port}/udp"), Empty {}),
    };
    serde_json::to_vec(&Configuration {
        created: EPOCH,
        architecture: &settings.architecture,
        os: "linux",
        config: Process {
            user: &settings.user,
            exposed_ports: settings.ports.iter().map(port).collect(),
            env: settings.env.iter().map(|(name, value)| format!("{name}={value}")).collect(),
            entrypoint: &settings.entrypoint,
            cmd: &settings.command,
            working_dir: &settings.working_dir,
            labels: &settings.labels,
        },
        // The layer is not compressed, so its digest is that of its content too.
        rootfs: RootFs { r#type: "layers", diff_ids: [layer.digest] },
    })
}

/// The manifest blob: one configuration, one layer.
pub(crate) fn manifest(config: &Blob, layer: &Blob) -> serde_json::Result<Vec<u8>> {
    serde_json::to_vec(&Manifest {
        schema_version: 2,
        media_type: MANIFEST,
        config: describe(CONFIG, config),
        layers: [describe(LAYER, layer)],
    })
}

/// The index, which gives the manifest its name.
pub(crate) fn index(name: &Reference, architecture: &str, manifest: &Blob) -> serde_json::Result<Vec<u8>> {
    let annotations = BTreeMap::from([
        ("io.containerd.image.name", name.as_str()),
        ("org.opencontainers.image.ref.name", name.tag()),
    ]);
    let named = Named {
        descriptor: describe(MANIFEST, manifest),
        platform: Platform { architecture, os: "linux" },
        annotations,
    };
    serde_json::to_vec(&Index { schema_version: 2, media_type: INDEX, manifests: [named] })
}
