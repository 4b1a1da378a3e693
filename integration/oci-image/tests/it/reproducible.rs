//! The same input gives the same archive, and an archive is written whole or not at all.

use std::fs::{self, File, Permissions};
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::Path;
use std::time::{Duration, SystemTime};

use liqo_oci_image::{Error, Image};

use crate::unpacked::Unpacked;

/// A directory with the same content each time, but with other time stamps and another order of creation.
fn tree(at: &Path, names: &[&str], modified: SystemTime) {
    fs::create_dir_all(at.join("sub")).unwrap();
    for name in names {
        let file = File::create(at.join(name)).unwrap();
        fs::write(at.join(name), name).unwrap();
        file.set_permissions(Permissions::from_mode(0o640)).unwrap();
        file.set_modified(modified).unwrap();
    }
    fs::set_permissions(at.join("sub"), Permissions::from_mode(0o750)).unwrap();
    symlink("sub/b", at.join("link")).unwrap();
}

fn image_of(tree: &Path) -> Image {
    let mut image = Image::new("testbed.local/tree:1").unwrap();
    image.add_directory(tree, "/tree").unwrap().env("A", "b").unwrap();
    image
}

#[test]
fn time_stamps_and_order_on_disk_do_not_matter() {
    let directory = tempfile::tempdir().unwrap();
    let (one, two) = (directory.path().join("one"), directory.path().join("two"));
    tree(&one, &["a", "sub/b", "c"], SystemTime::UNIX_EPOCH + Duration::from_secs(1));
    tree(&two, &["c", "sub/b", "a"], SystemTime::now());
    fs::set_permissions(&one, Permissions::from_mode(0o755)).unwrap();
    fs::set_permissions(&two, Permissions::from_mode(0o755)).unwrap();
    let (one, two) = (Unpacked::of(&image_of(&one)), Unpacked::of(&image_of(&two)));
    assert_eq!(one.digest, two.digest);
    assert_eq!(one.bytes, two.bytes);
    let expected = [
        "d 755 0:0 tree/",
        "- 640 0:0 tree/a",
        "- 640 0:0 tree/c",
        "l 777 0:0 tree/link -> sub/b",
        "d 750 0:0 tree/sub/",
        "- 640 0:0 tree/sub/b",
    ];
    assert_eq!(one.listing(), expected);
}

#[test]
fn content_settings_and_modes_change_the_digest() {
    let image = |content: &str, mode, user| {
        let mut image = Image::new("testbed.local/a:1").unwrap();
        image.add_bytes(content, "/a", mode).unwrap().user(user).unwrap();
        Unpacked::of(&image).digest
    };
    let digest = image("a", 0o644, "1");
    assert_eq!(digest, image("a", 0o644, "1"));
    for other in [image("b", 0o644, "1"), image("a", 0o600, "1"), image("a", 0o644, "2")] {
        assert_ne!(digest, other);
    }
}

#[test]
fn a_failed_write_leaves_the_old_archive_and_nothing_else() {
    let directory = tempfile::tempdir().unwrap();
    let (source, target) = (directory.path().join("source"), directory.path().join("image.tar"));
    fs::write(&source, "x").unwrap();
    let mut image = Image::new("testbed.local/a:1").unwrap();
    image.add_file(&source, "/a", 0o644).unwrap();
    image.write(&target).unwrap();
    assert_eq!(fs::metadata(&target).unwrap().permissions().mode() & 0o444, 0o444);
    let before = fs::read(&target).unwrap();
    fs::remove_file(&source).unwrap();
    assert!(matches!(image.write(&target).unwrap_err(), Error::Read { path, .. } if path == source));
    assert_eq!(fs::read(&target).unwrap(), before);
    assert_eq!(fs::read_dir(directory.path()).unwrap().count(), 1);
}

#[test]
fn a_directory_that_is_not_there_is_named() {
    let image = Image::new("testbed.local/a:1").unwrap();
    let error = image.write("/nonexistent/directory/image.tar").unwrap_err();
    assert!(error.to_string().contains("/nonexistent/directory/image.tar"), "{error}");
}
