//! Programs with their libraries run in an unpacked image, with nothing else there.

use std::path::Path;
use std::process::Command;

use liqo_oci_image::{Error, Image};

use crate::unpacked::Unpacked;

#[test]
fn a_dynamic_program_runs_in_its_image() {
    if !rustix::process::geteuid().is_root() {
        eprintln!("skipped: chroot needs root");
        return;
    }
    let mut image = Image::new("testbed.local/programs:1").unwrap();
    image.add_program("/bin/ls", "/opt/tools/list").unwrap();
    image.add_program("/bin/cat", "/bin/cat").unwrap();
    let unpacked = Unpacked::of(&image);
    let root = tempfile::tempdir().unwrap();
    unpacked.unpack(root.path());
    let output = Command::new("chroot").arg(root.path()).args(["/opt/tools/list", "/opt"]).output().unwrap();
    assert!(output.status.success(), "{output:?}\n{}", unpacked.listing().join("\n"));
    assert_eq!(String::from_utf8_lossy(&output.stdout), "tools\n");
    let cat = Command::new("chroot").arg(root.path()).args(["/bin/cat", "/bin/cat"]).output().unwrap();
    assert_eq!(cat.stdout, std::fs::read("/bin/cat").unwrap());
}

#[test]
fn symlinks_on_the_way_to_a_library_are_those_of_the_machine() {
    let mut image = Image::new("testbed.local/programs:1").unwrap();
    image.add_program("/bin/ls", "/ls").unwrap();
    let listing = Unpacked::of(&image).listing();
    let merged = std::fs::read_link("/lib").is_ok_and(|target| target == Path::new("usr/lib"));
    assert_eq!(listing.contains(&"l 777 0:0 lib -> usr/lib".to_owned()), merged, "{listing:?}");
    assert!(!merged || !listing.iter().any(|line| line.contains(" lib/")), "{listing:?}");
    assert!(listing.contains(&"- 755 0:0 ls".to_owned()));
}

#[test]
fn a_static_program_comes_alone() {
    let mut image = Image::new("testbed.local/programs:1").unwrap();
    // Tests are static themselves where the workspace is built so; else there is nothing to compare.
    let this = std::env::current_exe().unwrap();
    if Command::new("ldd").arg(&this).output().is_ok_and(|output| output.status.success()) {
        eprintln!("skipped: the tests are not built static");
        return;
    }
    image.add_program(this, "/bin/test").unwrap();
    assert_eq!(Unpacked::of(&image).listing(), ["d 755 0:0 bin/", "- 755 0:0 bin/test"]);
}

#[test]
fn a_script_is_no_program() {
    let directory = tempfile::tempdir().unwrap();
    let script = directory.path().join("script");
    std::fs::write(&script, "#!/bin/sh\n").unwrap();
    let error = Image::new("testbed.local/programs:1")
        .unwrap()
        .add_program(&script, "/script")
        .map(drop)
        .unwrap_err();
    assert!(matches!(error, Error::NotElf { path, .. } if path == script));
}
