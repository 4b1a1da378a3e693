//! From the entries that were asked for to those that are written: parents added, symlinks above them followed.

use std::collections::{BTreeMap, VecDeque};
use std::ffi::OsString;
use std::path::{Component, Path, PathBuf};

use crate::entry::{Entry, Kind};
use crate::error::{Error, Result};

/// The kernel's own limit on symlinks in one look-up.
const MOST_LINKS: usize = 40;

static PARENT: Entry = Entry::PARENT;

/// Symlinks of the image by where they really are.
type Links<'a> = BTreeMap<PathBuf, &'a Path>;

/// Gives every entry the place where it really is, each directory before what lies in it.
///
/// With `/lib` a symlink to `usr/lib`, an entry `/lib/x` is placed at `/usr/lib/x`: an unpacker never has to write
/// through a symlink. The result depends on the set of entries alone, not on the order in which they came.
pub(crate) fn plan<'a>(
    image: &str,
    entries: &'a BTreeMap<PathBuf, Entry>,
) -> Result<BTreeMap<PathBuf, &'a Entry>> {
    let circle = |path: &Path| Error::LinkLoop { image: image.to_owned(), path: path.to_owned() };
    let links = place_links(entries).map_err(circle)?;
    let mut placed: BTreeMap<PathBuf, &Entry> = BTreeMap::new();
    for (path, entry) in entries {
        let real = place(&links, path).ok_or_else(|| circle(path))?;
        match placed.get(&real) {
            Some(earlier) if !earlier.same(entry)? => {
                return Err(Error::Conflict { image: image.to_owned(), path: real });
            }
            Some(_) => {}
            None => {
                placed.insert(real, entry);
            }
        }
    }
    add_parents(image, placed)
}

fn add_parents<'a>(
    image: &str,
    mut placed: BTreeMap<PathBuf, &'a Entry>,
) -> Result<BTreeMap<PathBuf, &'a Entry>> {
    for path in placed.keys().cloned().collect::<Vec<_>>() {
        for parent in path.ancestors().skip(1).filter(|parent| parent.parent().is_some()) {
            let above = placed.entry(parent.to_owned()).or_insert(&PARENT);
            if !matches!(above.kind, Kind::Directory) {
                let (path, parent) = (path.clone(), parent.to_owned());
                return Err(Error::NotADirectory { image: image.to_owned(), path, parent });
            }
        }
    }
    Ok(placed)
}

/// Finds where each symlink really is, which itself depends on the other symlinks: repeated until nothing moves.
fn place_links(entries: &BTreeMap<PathBuf, Entry>) -> Result<Links<'_>, &Path> {
    let written: BTreeMap<&Path, &Path> = entries
        .iter()
        .filter_map(|(path, entry)| match &entry.kind {
            Kind::Symlink(target) => Some((path.as_path(), target.as_path())),
            _ => None,
        })
        .collect();
    let mut links: Links = written.iter().map(|(path, target)| (path.to_path_buf(), *target)).collect();
    for _ in 0..MOST_LINKS {
        let mut moved = Links::new();
        for (&path, &target) in &written {
            moved.insert(place(&links, path).ok_or(path)?, target);
        }
        if moved == links {
            break;
        }
        links = moved;
    }
    Ok(links)
}

/// Follows the symlinks above `path`, not `path` itself; `None` if they lead in a circle.
fn place(links: &Links, path: &Path) -> Option<PathBuf> {
    let name = path.file_name()?;
    let mut ahead = parts(path.parent()?);
    let mut real = PathBuf::from("/");
    let mut followed = 0;
    while let Some(part) = ahead.pop_front() {
        if part == ".." {
            real.pop();
            continue;
        }
        real.push(part);
        let Some(target) = links.get(&real) else { continue };
        followed += 1;
        if followed > MOST_LINKS {
            return None;
        }
        real.pop();
        if target.is_absolute() {
            real = PathBuf::from("/");
        }
        let mut next = parts(target);
        next.append(&mut ahead);
        ahead = next;
    }
    real.push(name);
    Some(real)
}

fn parts(path: &Path) -> VecDeque<OsString> {
    path.components()
        .filter(|part| matches!(part, Component::Normal(_) | Component::ParentDir))
        .map(|part| part.as_os_str().to_owned())
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::entry::Source;

    fn entries(list: &[(&str, Entry)]) -> BTreeMap<PathBuf, Entry> {
        list.iter().map(|(path, entry)| (PathBuf::from(path), entry.clone())).collect()
    }

    fn file(text: &str) -> Entry {
        Entry::file(Source::Bytes(text.into()), 0o644)
    }

    fn paths(entries: &BTreeMap<PathBuf, Entry>) -> Vec<String> {
        plan("i", entries).unwrap().keys().map(|path| path.display().to_string()).collect()
    }

    #[test]
    fn parents_come_first() {
        assert_eq!(
            paths(&entries(&[("/a/b/c", file("x")), ("/a.d", file("y"))])),
            ["/a", "/a/b", "/a/b/c", "/a.d"]
        );
    }

    #[test]
    fn entries_move_behind_the_symlinks_above_them() {
        let found = paths(&entries(&[
            ("/lib", Entry::symlink("usr/lib".into())),
            ("/usr/lib", Entry::symlink("/opt/./lib".into())),
            ("/lib/deep", Entry::symlink("../deep".into())),
            ("/lib/deep/x", file("x")),
        ]));
        assert_eq!(
            found,
            ["/lib", "/opt", "/opt/deep", "/opt/deep/x", "/opt/lib", "/opt/lib/deep", "/usr", "/usr/lib"]
        );
    }

    #[test]
    fn the_same_place_by_two_ways_is_one_entry_or_a_conflict() {
        let link = ("/lib", Entry::symlink("usr/lib".into()));
        let same = entries(&[link.clone(), ("/lib/x", file("x")), ("/usr/lib/x", file("x"))]);
        assert_eq!(paths(&same), ["/lib", "/usr", "/usr/lib", "/usr/lib/x"]);
        let different = entries(&[link, ("/lib/x", file("x")), ("/usr/lib/x", file("y"))]);
        let error = plan("i", &different).unwrap_err();
        assert!(matches!(error, Error::Conflict { path, .. } if path == Path::new("/usr/lib/x")));
    }

    #[test]
    fn circles_and_files_above_entries_are_refused() {
        let circle = entries(&[
            ("/a", Entry::symlink("b".into())),
            ("/b", Entry::symlink("/a".into())),
            ("/a/x", file("x")),
        ]);
        assert!(
            matches!(plan("i", &circle).unwrap_err(), Error::LinkLoop { path, .. } if path == Path::new("/a/x"))
        );
        let below_file = entries(&[("/a", file("x")), ("/a/b/c", file("y"))]);
        assert!(
            matches!(plan("i", &below_file).unwrap_err(), Error::NotADirectory { parent, .. } if parent == Path::new("/a"))
        );
    }
}
