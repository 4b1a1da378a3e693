//! An archive that was read back: its documents, and its layer.

use std::collections::BTreeMap;
use std::fs;
use std::io::Read;
use std::path::Path;

use liqo_oci_image::{Digest, Image};
use serde_json::Value;
use sha2::{Digest as _, Sha256};

pub(crate) struct Unpacked {
    pub(crate) digest: Digest,
    pub(crate) bytes: Vec<u8>,
    files: BTreeMap<String, Vec<u8>>,
}

impl Unpacked {
    pub(crate) fn of(image: &Image) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("image.tar");
        let digest = image.write(&path).unwrap();
        let bytes = fs::read(path).unwrap();
        let mut files = BTreeMap::new();
        for entry in tar::Archive::new(bytes.as_slice()).entries().unwrap() {
            let mut entry = entry.unwrap();
            let mut content = Vec::new();
            entry.read_to_end(&mut content).unwrap();
            files.insert(entry.path().unwrap().display().to_string(), content);
        }
        Self { digest, bytes, files }
    }

    pub(crate) fn names(&self) -> Vec<&str> {
        self.files.keys().map(String::as_str).collect()
    }

    pub(crate) fn json(&self, name: &str) -> Value {
        serde_json::from_slice(&self.files[name]).unwrap()
    }

    /// The blob of a descriptor, after a check of its size and digest.
    pub(crate) fn blob(&self, descriptor: &Value) -> &[u8] {
        let digest = descriptor["digest"].as_str().unwrap().strip_prefix("sha256:").unwrap();
        let blob = &self.files[&format!("blobs/sha256/{digest}")];
        let actual: String = Sha256::digest(blob).iter().map(|byte| format!("{byte:02x}")).collect();
        assert_eq!(digest, actual);
        assert_eq!(descriptor["size"].as_u64().unwrap(), blob.len() as u64);
        blob
    }

    pub(crate) fn index(&self) -> Value {
        self.json("index.json")
    }

    pub(crate) fn manifest(&self) -> Value {
        serde_json::from_slice(self.blob(&self.index()["manifests"][0])).unwrap()
    }

    pub(crate) fn config(&self) -> Value {
        serde_json::from_slice(self.blob(&self.manifest()["config"])).unwrap()
    }

    pub(crate) fn layer(&self) -> Vec<u8> {
        self.blob(&self.manifest()["layers"][0]).to_vec()
    }

    /// Each entry of the layer as `type mode uid:gid path [-> target]`.
    pub(crate) fn listing(&self) -> Vec<String> {
        let layer = self.layer();
        let mut archive = tar::Archive::new(layer.as_slice());
        let line = |entry: tar::Entry<&[u8]>| {
            let header = entry.header();
            let kind = if header.entry_type().is_dir() { 'd' } else { '-' };
            let target = entry.link_name().unwrap().map(|target| format!(" -> {}", target.display()));
            format!(
                "{} {:o} {}:{} {}{}",
                if target.is_some() { 'l' } else { kind },
                header.mode().unwrap(),
                header.uid().unwrap(),
                header.gid().unwrap(),
                entry.path().unwrap().display(),
                target.unwrap_or_default()
            )
        };
        archive.entries().unwrap().map(|entry| line(entry.unwrap())).collect()
    }

    /// Unpacks the root file system.
    pub(crate) fn unpack(&self, to: &Path) {
        tar::Archive::new(self.layer().as_slice()).unpack(to).unwrap();
    }
}
