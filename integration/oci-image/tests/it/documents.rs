//! The archive holds the documents of an OCI layout, as a runtime expects them.

use liqo_oci_image::{Image, Owner, Protocol};
use serde_json::json;

use crate::unpacked::Unpacked;

fn sample() -> Image {
    let mut image = Image::new("registry.example:5000/team/sample:1.2").unwrap();
    image.entrypoint(["/bin/sample"]).command(["--listen", "0.0.0.0"]);
    image.architecture("arm64").unwrap().user("10:20").unwrap().working_dir("/data/").unwrap();
    image.env("Z", "last").unwrap().env("A", "a=b").unwrap().label("x", "y").unwrap();
    image.expose(8080, Protocol::Tcp).unwrap().expose(53, Protocol::Udp).unwrap();
    image.add_bytes("program", "/bin/sample", 0o755).unwrap();
    image.add_empty_directory("/data", 0o1777, Owner { uid: 10, gid: 20 }).unwrap();
    image.add_symlink("../bin/sample", "/sbin/sample").unwrap();
    image
}

#[test]
fn the_index_names_the_manifest_for_containerd() {
    let unpacked = Unpacked::of(&sample());
    let index = unpacked.index();
    assert_eq!(unpacked.json("oci-layout"), json!({"imageLayoutVersion": "1.0.0"}));
    let expected = json!({
        "schemaVersion": 2,
        "mediaType": "application/vnd.oci.image.index.v1+json",
        "manifests": [{
            "mediaType": "application/vnd.oci.image.manifest.v1+json",
            "digest": unpacked.digest.to_string(),
            "size": index["manifests"][0]["size"],
            "platform": {"architecture": "arm64", "os": "linux"},
            "annotations": {
                "io.containerd.image.name": "registry.example:5000/team/sample:1.2",
                "org.opencontainers.image.ref.name": "1.2"
            }
        }]
    });
    assert_eq!(index, expected);
}

#[test]
fn the_manifest_describes_one_plain_layer() {
    let unpacked = Unpacked::of(&sample());
    let manifest = unpacked.manifest();
    let expected = json!({
        "schemaVersion": 2,
        "mediaType": "application/vnd.oci.image.manifest.v1+json",
        "config": {
            "mediaType": "application/vnd.oci.image.config.v1+json",
            "digest": manifest["config"]["digest"],
            "size": manifest["config"]["size"]
        },
        "layers": [{
            "mediaType": "application/vnd.oci.image.layer.v1.tar",
            "digest": manifest["layers"][0]["digest"],
            "size": unpacked.layer().len()
        }]
    });
    assert_eq!(manifest, expected);
    // Two documents, the layer, the manifest and the configuration: no blob that nothing points to.
    assert_eq!(unpacked.names().len(), 5);
}

#[test]
fn the_configuration_holds_every_setting_and_no_time() {
    let unpacked = Unpacked::of(&sample());
    let expected = json!({
        "created": "1970-01-01T00:00:00Z",
        "architecture": "arm64",
        "os": "linux",
        "config": {
            "User": "10:20",
            "ExposedPorts": {"53/udp": {}, "8080/tcp": {}},
            "Env": ["A=a=b", "Z=last"],
            "Entrypoint": ["/bin/sample"],
            "Cmd": ["--listen", "0.0.0.0"],
            "WorkingDir": "/data",
            "Labels": {"x": "y"}
        },
        "rootfs": {"type": "layers", "diff_ids": [unpacked.manifest()["layers"][0]["digest"]]}
    });
    assert_eq!(unpacked.config(), expected);
}

#[test]
fn an_image_is_non_root_and_for_this_machine_by_default() {
    let unpacked = Unpacked::of(&Image::new("testbed.local/empty:1").unwrap());
    let config = unpacked.config();
    assert_eq!(config["config"], json!({"User": "65532:65532", "WorkingDir": "/"}));
    if cfg!(target_arch = "x86_64") {
        assert_eq!(config["architecture"], "amd64");
    }
    assert_eq!(unpacked.listing(), Vec::<String>::new());
}

#[test]
fn the_layer_lists_parents_before_what_lies_in_them() {
    let expected = [
        "d 755 0:0 bin/",
        "- 755 0:0 bin/sample",
        "d 1777 10:20 data/",
        "d 755 0:0 sbin/",
        "l 777 0:0 sbin/sample -> ../bin/sample",
    ];
    assert_eq!(Unpacked::of(&sample()).listing(), expected);
}
