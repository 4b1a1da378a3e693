//! Takes the picture: the only part of this crate that reads files and runs programs.

use std::collections::BTreeSet;
use std::io;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::picture::{File, Picture};

/// Why the picture could not be taken.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A file or directory that was listed could not be read.
    #[error("cannot read {}: check its permissions", path.display())]
    Read {
        /// What was being read.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// `cargo metadata` failed, most often because a manifest is malformed.
    #[error("cargo metadata failed: mend the manifest that it names")]
    Metadata(#[source] Box<cargo_metadata::Error>),
}

/// Root of the repository that this crate was built in.
pub fn root() -> PathBuf {
    let own = Path::new(env!("CARGO_MANIFEST_DIR"));
    own.ancestors().nth(2).unwrap_or(own).to_path_buf()
}

/// Reads the repository at `root`, without the network.
///
/// # Errors
/// When a listed file cannot be read or the workspace's manifests cannot be understood.
pub fn read(root: &Path) -> Result<Picture, Error> {
    let paths = match listed_by_git(root) {
        Some(paths) => paths,
        None => walk(root)?,
    };
    let files =
        paths.into_iter().filter_map(|path| file(root, path).transpose()).collect::<Result<_, _>>()?;
    Ok(Picture { files, members: crate::cargo::members(root)? })
}

/// What git tracks or would track; nothing when there is no git or `root` is not the top of a checkout.
fn listed_by_git(root: &Path) -> Option<BTreeSet<String>> {
    if !root.join(".git").exists() {
        return None;
    }
    let listing = ["ls-files", "-z", "--cached", "--others", "--exclude-standard"];
    let output = Command::new("git").arg("-C").arg(root).args(listing).output().ok()?;
    let names = output.status.success().then_some(output.stdout)?;
    let names = names.split(|byte| *byte == 0).filter(|name| !name.is_empty());
    Some(names.map(|name| String::from_utf8_lossy(name).into_owned()).collect())
}

/// Every file below `root` but what is built and git's own.
fn walk(root: &Path) -> Result<BTreeSet<String>, Error> {
    let mut found = BTreeSet::new();
    let mut directories = vec![root.to_path_buf()];
    while let Some(directory) = directories.pop() {
        let failed = |source| Error::Read { path: directory.clone(), source };
        for entry in std::fs::read_dir(&directory).map_err(failed)? {
            let entry = entry.map_err(failed)?;
            let skipped = entry.file_name() == ".git" || entry.file_name() == "target";
            let path = entry.path();
            if entry.file_type().map_err(failed)?.is_dir() {
                directories.extend((!skipped).then_some(path));
            } else if let (false, Ok(path)) = (skipped, path.strip_prefix(root)) {
                found.insert(path.to_string_lossy().into_owned());
            }
        }
    }
    Ok(found)
}

/// One file, or nothing when it is tracked but was removed from the working tree.
fn file(root: &Path, path: String) -> Result<Option<File>, Error> {
    let full = root.join(&path);
    let failed = |source| Error::Read { path: full.clone(), source };
    match std::fs::symlink_metadata(&full) {
        Ok(kind) if kind.is_file() => {
            let bytes = std::fs::read(&full).map_err(failed)?;
            Ok(Some(File { path, text: String::from_utf8(bytes).ok().filter(|text| !text.contains('\0')) }))
        }
        Ok(_) => Ok(Some(File { path, text: None })),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(failed(error)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn write(root: &Path, path: &str, bytes: &[u8]) {
        let path = root.join(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, bytes).unwrap();
    }

    fn small_tree() -> tempfile::TempDir {
        let tree = tempfile::tempdir().unwrap();
        write(tree.path(), ".gitignore", b"/target/\n/cache/\n");
        write(tree.path(), "state/model/a.rs", b"//! A.\n");
        write(tree.path(), "target/debug/b.rs", b"");
        write(tree.path(), "cache/c.rs", b"");
        tree
    }

    #[test]
    fn without_git_everything_but_target_is_listed() {
        let tree = small_tree();
        write(tree.path(), ".git/HEAD", b"");
        let found: Vec<_> = walk(tree.path()).unwrap().into_iter().collect();
        assert_eq!(found, [".gitignore", "cache/c.rs", "state/model/a.rs"]);
    }

    #[test]
    fn git_leaves_out_what_it_ignores() {
        let tree = small_tree();
        let git = |arguments: &[&str]| Command::new("git").current_dir(&tree).args(arguments).output();
        if !git(&["init", "--quiet"]).is_ok_and(|output| output.status.success()) {
            eprintln!("skipped: git is not installed");
            return;
        }
        let found: Vec<_> = listed_by_git(tree.path()).unwrap().into_iter().collect();
        assert_eq!(found, [".gitignore", "state/model/a.rs"]);
    }

    #[test]
    fn binary_and_missing_files_are_no_text() {
        let tree = tempfile::tempdir().unwrap();
        write(tree.path(), "binary", b"\xff\x00");
        write(tree.path(), "text", b"word\n");
        let text = |name: &str| file(tree.path(), name.into()).unwrap().map(|file| file.text);
        assert_eq!(text("binary"), Some(None));
        assert_eq!(text("text"), Some(Some("word\n".into())));
        assert_eq!(text("missing"), None);
    }
}
