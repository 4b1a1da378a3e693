//! Bad input is refused with an error that names the image, the field and the value.

use std::os::unix::net::UnixListener;
use std::path::Path;

use liqo_oci_image::{Error, Image, Owner, Protocol, Result};

fn image() -> Image {
    Image::new("testbed.local/a:1").unwrap()
}

#[track_caller]
fn assert_field<T>(result: Result<T>, expected: &str, value: &str) {
    let Err(error) = result else { panic!("{expected} `{value}` was accepted") };
    let text = error.to_string();
    assert!(text.contains(value), "{text}");
    match error {
        Error::Field { field, .. } => assert_eq!(field, expected),
        other => panic!("{other}"),
    }
}

#[test]
fn settings() {
    assert_field(Image::new("toolbox"), "name", "toolbox");
    assert_field(image().user("nobody"), "user", "nobody");
    assert_field(image().working_dir("tmp"), "working_dir", "tmp");
    assert_field(image().env("A=", "b"), "env", "A==b");
    assert_field(image().label("", "x"), "label", "");
    assert_field(image().expose(0, Protocol::Tcp), "port", "0");
    assert_field(image().architecture("x86_64"), "architecture", "x86_64");
}

#[test]
fn destinations_targets_and_modes() {
    assert_field(image().add_bytes("x", "a", 0o644), "destination", "a");
    assert_field(image().add_bytes("x", "/", 0o644), "destination", "/");
    assert_field(image().add_symlink("x", "/a/../../b"), "destination", "/a/../../b");
    assert_field(image().add_directory("/etc", "etc"), "destination", "etc");
    assert_field(image().add_program("/bin/ls", "ls"), "destination", "ls");
    assert_field(image().add_symlink("", "/a"), "target", "");
    assert_field(image().add_bytes("x", "/a", 0o100_644), "mode", "100644");
    assert_field(image().add_empty_directory("/a", 0o40755, Owner::ROOT), "mode", "40755");
}

#[test]
fn duplicates() {
    let mut image = image();
    image.add_bytes("x", "/a", 0o644).unwrap();
    image.add_bytes("x", "//a", 0o644).unwrap();
    let taken = |result: Result<&mut Image>| match result.unwrap_err() {
        Error::Conflict { path, .. } => assert_eq!(path, Path::new("/a")),
        other => panic!("{other}"),
    };
    taken(image.add_bytes("y", "/a", 0o644));
    taken(image.add_bytes("x", "/a", 0o600));
    taken(image.add_symlink("x", "/a"));
    taken(image.add_empty_directory("/a/", 0o755, Owner::ROOT));
}

#[test]
fn an_explicit_directory_decides_over_an_implied_one() {
    let mut image = image();
    image.add_bytes("x", "/a/b", 0o644).unwrap();
    image.add_empty_directory("/a", 0o700, Owner { uid: 1, gid: 2 }).unwrap();
    assert_eq!(crate::unpacked::Unpacked::of(&image).listing(), ["d 700 1:2 a/", "- 644 0:0 a/b"]);
}

#[test]
fn files_of_the_machine() {
    let directory = tempfile::tempdir().unwrap();
    let socket = directory.path().join("socket");
    let _listener = UnixListener::bind(&socket).unwrap();
    let absent = directory.path().join("absent");
    assert!(
        matches!(image().add_file(&absent, "/a", 0o644).unwrap_err(), Error::Read { path, .. } if path == absent)
    );
    assert!(
        matches!(image().add_directory(&absent, "/a").unwrap_err(), Error::Read { path, .. } if path == absent)
    );
    let special = image().add_file(directory.path(), "/a", 0o644).unwrap_err();
    assert!(matches!(special, Error::SpecialFile { path } if path == directory.path()));
    let special = image().add_directory(directory.path(), "/a").unwrap_err();
    assert!(matches!(special, Error::SpecialFile { path } if path == socket));
}
