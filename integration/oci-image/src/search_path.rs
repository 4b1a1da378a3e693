//! The directories in which this machine's dynamic linker looks for libraries.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use crate::elf::Machine;

/// The directories of the machine, in the order in which they are searched.
#[derive(Debug, Clone, Default)]
pub(crate) struct SearchPath {
    /// Named in the linker's configuration. An image has no such configuration.
    pub(crate) configured: Vec<PathBuf>,
    /// Built into the dynamic linker, so they work in an image too.
    pub(crate) built_in: Vec<PathBuf>,
    /// What `$LIB` stands for in a library path of an ELF file.
    pub(crate) lib: String,
}

impl SearchPath {
    /// Reads the linker's configuration; what cannot be read adds nothing, as for the linker itself.
    pub(crate) fn of_machine(machine: Machine) -> Self {
        let mut configured = Vec::new();
        read_configuration(Path::new("/etc/ld.so.conf"), &mut configured, &mut BTreeSet::new());
        let lib = multiarch(machine).map_or_else(|| "lib".to_owned(), |name| format!("lib/{name}"));
        let directories =
            [format!("/{lib}"), format!("/usr/{lib}"), "/lib".to_owned(), "/usr/lib".to_owned()];
        Self { configured, built_in: directories.into_iter().map(PathBuf::from).collect(), lib }
    }
}

/// Debian's directory name for libraries of a kind of machine, by the number that ELF gives it.
fn multiarch(machine: Machine) -> Option<&'static str> {
    use object::elf;
    Some(match elf::Machine(machine.code) {
        elf::EM_X86_64 if machine.wide => "x86_64-linux-gnu",
        elf::EM_386 => "i386-linux-gnu",
        elf::EM_AARCH64 => "aarch64-linux-gnu",
        elf::EM_ARM => "arm-linux-gnueabihf",
        elf::EM_PPC64 => "powerpc64le-linux-gnu",
        elf::EM_S390 => "s390x-linux-gnu",
        elf::EM_RISCV if machine.wide => "riscv64-linux-gnu",
        _ => return None,
    })
}

#[derive(Debug, PartialEq, Eq)]
enum Line {
    Directory(PathBuf),
    Include(PathBuf),
}

fn parse(text: &str) -> Vec<Line> {
    let meaning = |line: &str| {
        let line = line.split('#').next().unwrap_or_default().trim();
        match line.split_once(char::is_whitespace) {
            Some(("include", pattern)) => Some(Line::Include(PathBuf::from(pattern.trim()))),
            _ if line.starts_with('/') => Some(Line::Directory(PathBuf::from(line))),
            _ => None,
        }
    };
    text.lines().filter_map(meaning).collect()
}

fn read_configuration(file: &Path, directories: &mut Vec<PathBuf>, seen: &mut BTreeSet<PathBuf>) {
    if !seen.insert(file.to_owned()) {
        return;
    }
    for line in parse(&fs::read_to_string(file).unwrap_or_default()) {
        match line {
            Line::Directory(directory) if !directories.contains(&directory) => directories.push(directory),
            Line::Directory(_) => {}
            Line::Include(pattern) => {
                let pattern = file.parent().unwrap_or(file).join(pattern);
                for included in matching(&pattern) {
                    read_configuration(&included, directories, seen);
                }
            }
        }
    }
}

/// The files that match a pattern with at most one `*`, in its last part; sorted.
fn matching(pattern: &Path) -> Vec<PathBuf> {
    let name = pattern.file_name().unwrap_or_default().to_string_lossy();
    let Some((start, end)) = name.split_once('*') else { return vec![pattern.to_owned()] };
    let listing = pattern.parent().and_then(|directory| fs::read_dir(directory).ok());
    let mut files: Vec<PathBuf> = listing
        .into_iter()
        .flatten()
        .flatten()
        .filter(|entry| {
            let name = entry.file_name();
            let name = name.to_string_lossy();
            name.len() >= start.len() + end.len() && name.starts_with(start) && name.ends_with(end)
        })
        .map(|entry| entry.path())
        .collect();
    files.sort();
    files
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_directories_or_includes() {
        let text = "# comment\n/usr/local/lib # more\n\ninclude  conf.d/*.conf\nhwcap 0 nosegneg\n";
        assert_eq!(
            parse(text),
            [Line::Directory("/usr/local/lib".into()), Line::Include("conf.d/*.conf".into())]
        );
    }

    #[test]
    fn includes_are_read_in_order_and_circles_end() {
        let directory = tempfile::tempdir().unwrap();
        let main = directory.path().join("ld.so.conf");
        let included = directory.path().join("conf.d");
        fs::create_dir(&included).unwrap();
        fs::write(&main, "include conf.d/*.conf\n/last\n").unwrap();
        fs::write(included.join("b.conf"), "/b\n/a\n").unwrap();
        fs::write(included.join("a.conf"), format!("/a\ninclude {}\n", main.display())).unwrap();
        fs::write(included.join("c.disabled"), "/c\n").unwrap();
        let mut found = Vec::new();
        read_configuration(&main, &mut found, &mut BTreeSet::new());
        assert_eq!(found, ["/a", "/b", "/last"].map(PathBuf::from));
    }
}
