//! The repository as plain values: files with their text, crates with their dependencies.

/// Everything that the rules look at.
#[derive(Clone, Debug, Default)]
pub struct Picture {
    /// Files that git tracks or would track, sorted by path.
    pub files: Vec<File>,
    /// Crates of the workspace.
    pub members: Vec<Member>,
}

/// One file of the repository.
#[derive(Clone, Debug)]
pub struct File {
    /// Path from the root of the repository, with `/` between its parts.
    pub path: String,
    /// Its text; none when it is binary or a symbolic link.
    pub text: Option<String>,
}

/// One crate of the workspace.
#[derive(Clone, Debug)]
pub struct Member {
    /// Name of the package.
    pub name: String,
    /// Directory of its manifest, from the root of the repository.
    pub dir: String,
    /// Direct dependencies of all kinds.
    pub dependencies: Vec<Dependency>,
    /// Libraries, binaries, tests, benches, examples and build scripts.
    pub targets: Vec<Target>,
}

/// One direct dependency of a crate.
#[derive(Clone, Debug)]
pub struct Dependency {
    /// Name of the package that is depended on, whatever it is renamed to.
    pub name: String,
    /// Only tests, benches and examples see it.
    pub dev: bool,
}

/// One thing that cargo compiles.
#[derive(Clone, Debug)]
pub struct Target {
    /// Its root source file, from the root of the repository.
    pub path: String,
    /// It is a test or a bench.
    pub test: bool,
}

impl File {
    /// The name ends in `.rs`.
    pub fn is_rust(&self) -> bool {
        self.path.ends_with(".rs")
    }

    /// Its place alone says that it holds tests or benches.
    pub fn is_in_tests(&self) -> bool {
        self.path.split('/').any(|part| part == "tests" || part == "benches")
    }

    /// Generated code, which only `proto/` may hold, and which says so in one of its first lines.
    pub fn is_generated(&self) -> bool {
        let head = |text: &String| text.lines().take(3).any(|line| line.contains("@generated"));
        self.path.starts_with("proto/") && self.text.as_ref().is_some_and(head)
    }
}

impl Picture {
    /// Every text file as `(path, text)`.
    pub fn texts(&self) -> impl Iterator<Item = (&str, &str)> {
        self.files.iter().filter_map(|file| Some((file.path.as_str(), file.text.as_deref()?)))
    }

    /// Every Rust file that a person wrote, with its text.
    pub fn rust(&self) -> impl Iterator<Item = (&File, &str)> {
        let written = self.files.iter().filter(|file| file.is_rust() && !file.is_generated());
        written.filter_map(|file| Some((file, file.text.as_deref()?)))
    }

    /// The text of the file at a path.
    pub fn text(&self, path: &str) -> Option<&str> {
        self.files.iter().find(|file| file.path == path)?.text.as_deref()
    }

    /// A file has this path.
    pub fn has_file(&self, path: &str) -> bool {
        self.files.iter().any(|file| file.path == path)
    }

    /// A file lies below this path; the root of the repository is the empty path.
    pub fn has_directory(&self, path: &str) -> bool {
        let below = |file: &File| file.path.strip_prefix(path).is_some_and(|rest| rest.starts_with('/'));
        path.is_empty() || self.files.iter().any(below)
    }

    /// Text and line numbers of a crate's manifest.
    pub(crate) fn manifest(&self, member: &Member) -> Option<(String, &str)> {
        let path = format!("{}/Cargo.toml", member.dir);
        let text = self.text(&path)?;
        Some((path, text))
    }
}

/// Number of the first line that `matches`, or one.
pub(crate) fn line_where(text: &str, matches: impl Fn(&str) -> bool) -> usize {
    text.lines().position(matches).map_or(1, |index| index + 1)
}

#[cfg(test)]
impl Picture {
    /// A picture of text files alone.
    pub(crate) fn of(files: &[(&str, &str)]) -> Self {
        let file = |(path, text): &(&str, &str)| File { path: (*path).into(), text: Some((*text).into()) };
        Self { files: files.iter().map(file).collect(), members: Vec::new() }
    }

    /// The same picture with one more crate, whose only target is `src/lib.rs`.
    pub(crate) fn with_member(mut self, dir: &str, dependencies: &[&str]) -> Self {
        let dependency = |name: &&str| Dependency { name: (*name).into(), dev: false };
        self.members.push(Member {
            name: format!("liqo-{}", dir.rsplit('/').next().unwrap()),
            dir: dir.into(),
            dependencies: dependencies.iter().map(dependency).collect(),
            targets: vec![Target { path: format!("{dir}/src/lib.rs"), test: false }],
        });
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn directories_are_known_by_the_files_below_them() {
        let picture = Picture::of(&[("state/model/src/lib.rs", "")]);
        assert!(picture.has_directory("state/model") && picture.has_directory(""));
        assert!(!picture.has_directory("state/mod") && !picture.has_directory("state/model/src/lib.rs"));
    }

    #[test]
    fn only_proto_holds_generated_code() {
        let marked = "// This file is @generated.\n";
        let picture = Picture::of(&[("proto/src/v1.rs", marked), ("state/model/src/v1.rs", marked)]);
        let written: Vec<_> = picture.rust().map(|(file, _)| file.path.as_str()).collect();
        assert_eq!(written, ["state/model/src/v1.rs"]);
    }
}
