//! Paths inside an image.

use std::path::{Component, Path, PathBuf};

use crate::error::Reason;

/// Checks a path inside an image and gives it without repeated or trailing slashes and `.` parts.
pub(crate) fn parse(path: &Path) -> Result<PathBuf, Reason> {
    if !path.is_absolute() {
        return Err("expected an absolute path inside the image");
    }
    if path.as_os_str().as_encoded_bytes().contains(&0) {
        return Err("a path cannot hold a NUL byte");
    }
    let mut clean = PathBuf::from("/");
    for component in path.components() {
        match component {
            Component::RootDir | Component::CurDir | Component::Prefix(_) => {}
            Component::ParentDir => return Err("a path inside the image cannot hold `..`"),
            Component::Normal(name) => clean.push(name),
        }
    }
    Ok(clean)
}

/// As [`parse`], for what cannot be the root directory itself.
pub(crate) fn parse_below_root(path: &Path) -> Result<PathBuf, Reason> {
    let clean = parse(path)?;
    if clean.parent().is_none() {
        return Err("the root directory is always there and cannot be replaced");
    }
    Ok(clean)
}

/// The path with `..` and `.` parts taken away by their letters alone, without regard to symlinks.
pub(crate) fn normalize(path: &Path) -> PathBuf {
    let mut clean = PathBuf::from("/");
    for component in path.components() {
        match component {
            Component::Normal(name) => clean.push(name),
            Component::ParentDir => {
                clean.pop();
            }
            Component::RootDir | Component::CurDir | Component::Prefix(_) => {}
        }
    }
    clean
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slashes_and_dots_are_cleaned() {
        assert_eq!(parse(Path::new("/a//b/./c/")).unwrap(), Path::new("/a/b/c"));
        assert_eq!(parse(Path::new("//")).unwrap(), Path::new("/"));
        assert_eq!(normalize(Path::new("/opt/x/bin/../lib")), Path::new("/opt/x/lib"));
        assert_eq!(normalize(Path::new("/../..")), Path::new("/"));
    }

    #[test]
    fn paths_that_leave_the_image_are_refused() {
        for bad in ["", "a/b", "../a", "/a/../b", "/a\0b"] {
            assert!(parse(Path::new(bad)).is_err(), "{bad:?}");
        }
        assert!(parse_below_root(Path::new("/.")).is_err());
    }
}
