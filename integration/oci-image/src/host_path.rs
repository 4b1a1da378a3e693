//! How a path of this machine is reached: the symlinks on the way, and the file at the end.

use std::collections::VecDeque;
use std::fs;
use std::io;
use std::path::{Component, Path, PathBuf};

use crate::error::{Error, Result};

/// The kernel's own limit on symlinks in one look-up.
const MOST_LINKS: usize = 40;

/// The way to a file.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Way {
    /// Each symlink that was followed, with the target that is written in it.
    pub(crate) links: Vec<(PathBuf, PathBuf)>,
    /// The path with no symlink in it.
    pub(crate) real: PathBuf,
}

/// Follows an absolute path part by part. With these symlinks and the real file in an image, the path works there as
/// it works here, whether or not `/lib` is a symlink to `usr/lib`.
pub(crate) fn follow(path: &Path) -> Result<Way> {
    let read = |source| Error::Read { path: path.to_owned(), source };
    let mut ahead: VecDeque<PathBuf> = parts(path);
    let mut way = Way { links: Vec::new(), real: PathBuf::from("/") };
    while let Some(part) = ahead.pop_front() {
        if part == Path::new("..") {
            way.real.pop();
            continue;
        }
        let next = way.real.join(part);
        if !fs::symlink_metadata(&next).map_err(read)?.is_symlink() {
            way.real = next;
            continue;
        }
        if way.links.len() == MOST_LINKS {
            return Err(read(io::Error::other("its symlinks lead in a circle")));
        }
        let target = fs::read_link(&next).map_err(read)?;
        if target.is_absolute() {
            way.real = PathBuf::from("/");
        }
        let mut onward = parts(&target);
        onward.append(&mut ahead);
        ahead = onward;
        way.links.push((next, target));
    }
    Ok(way)
}

fn parts(path: &Path) -> VecDeque<PathBuf> {
    path.components()
        .filter(|part| matches!(part, Component::Normal(_) | Component::ParentDir))
        .map(|part| PathBuf::from(part.as_os_str()))
        .collect()
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;

    use super::*;

    #[test]
    fn links_are_recorded_in_the_order_in_which_they_are_followed() {
        let directory = tempfile::tempdir().unwrap();
        let root = directory.path().canonicalize().unwrap();
        fs::create_dir_all(root.join("usr/lib")).unwrap();
        fs::write(root.join("usr/lib/libx.so.1.2"), b"").unwrap();
        symlink("usr/lib", root.join("lib")).unwrap();
        symlink(root.join("lib/libx.so.1.2"), root.join("usr/lib/libx.so.1")).unwrap();
        let way = follow(&root.join("lib/../lib/libx.so.1")).unwrap();
        assert_eq!(way.real, root.join("usr/lib/libx.so.1.2"));
        let places: Vec<_> = way.links.into_iter().map(|(place, _)| place).collect();
        assert_eq!(places, [root.join("lib"), root.join("usr/lib/libx.so.1"), root.join("lib")]);
    }

    #[test]
    fn circles_and_missing_files_are_errors() {
        let directory = tempfile::tempdir().unwrap();
        symlink("circle", directory.path().join("circle")).unwrap();
        assert!(follow(&directory.path().join("circle")).is_err());
        assert!(follow(&directory.path().join("absent")).is_err());
    }
}
