//! The images of Liqo's programs.
//!
//! Each holds one static program and nothing else, at `/NAME`, where `liqoctl debug` calls it. Only the agents of the
//! fabric need more: they call `nft`, with the libraries of this machine. Programs come without what only a debugger reads.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use crate::error::{Error, Result};
use crate::strip::stripped;

/// Directories of programs that administrators call, which the PATH of a user may lack.
const TOOL_DIRECTORIES: [&str; 3] = ["/usr/sbin", "/sbin", "/usr/local/sbin"];
/// Where tools are in an image, and its whole PATH.
const TOOL_PATH: &str = "/usr/sbin";

/// An image that can be made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Image {
    /// The program, after which the image is named.
    pub program: &'static str,
    /// Programs of this machine that it calls.
    tools: &'static [&'static str],
}

/// What became of an image.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// The archive was written.
    Written,
    /// The archive is newer than what it is made from.
    Current,
    /// There is no such program to make it from.
    Absent(PathBuf),
}

impl Image {
    /// All of them.
    pub const ALL: [Self; 4] = [
        Self::of("liqo-controller-manager", &[]),
        Self::of("liqo-fabric", &["nft"]),
        Self::of("liqo-virtual-kubelet", &[]),
        Self::of("liqoctl", &[]),
    ];

    const fn of(program: &'static str, tools: &'static [&'static str]) -> Self {
        Self { program, tools }
    }

    /// Whether a cluster that Liqo is installed in needs it.
    pub fn is_installed(&self) -> bool {
        self.program != "liqoctl"
    }

    /// The name by which manifests ask for it. No registry has this name, so nothing else can be pulled in its place.
    pub fn name(&self) -> String {
        format!("localhost/{}:dev", self.program)
    }

    /// The file name of its archive.
    pub fn archive(&self) -> String {
        format!("{}.tar", self.program)
    }

    /// Writes its archive into a directory, from a program in another.
    ///
    /// # Errors
    ///
    /// [`Error::MissingTool`], [`Error::Run`], [`Error::Command`], [`Error::File`] and [`Error::Image`].
    pub fn make(&self, programs: &Path, into: &Path) -> Result<Outcome> {
        let program = programs.join(self.program);
        if !program.is_file() {
            return Ok(Outcome::Absent(program));
        }
        let archive = into.join(self.archive());
        let tools = self.tools.iter().map(|tool| found(tool)).collect::<Result<Vec<_>>>()?;
        let sources = tools.iter().chain([&program]);
        if is_newer(&archive, sources) {
            return Ok(Outcome::Current);
        }
        fs::create_dir_all(into).map_err(file("create", into))?;
        let mut image = liqo_oci_image::Image::new(&self.name())?;
        let program = stripped(&program, self.program, into)?;
        image.add_program(&program, format!("/{}", self.program))?;
        for (tool, path) in self.tools.iter().zip(&tools) {
            image.add_program(path, format!("{TOOL_PATH}/{tool}"))?;
        }
        image.env("PATH", TOOL_PATH)?.entrypoint([format!("/{}", self.program)]).write(&archive)?;
        Ok(Outcome::Written)
    }
}

/// Where a program of this machine is.
pub(crate) fn found(program: &'static str) -> Result<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let directories = std::env::split_paths(&path).chain(TOOL_DIRECTORIES.map(PathBuf::from));
    let mut candidates = directories.map(|directory| directory.join(program));
    candidates.find(|candidate| candidate.is_file()).ok_or(Error::MissingTool { program })
}

/// Whether the archive was written after all of these; not when in doubt.
fn is_newer<'a>(archive: &Path, mut sources: impl Iterator<Item = &'a PathBuf>) -> bool {
    let time = |path: &Path| -> Option<SystemTime> { fs::metadata(path).ok()?.modified().ok() };
    let Some(written) = time(archive) else { return false };
    sources.all(|source| time(source).is_some_and(|changed| changed < written))
}

pub(crate) fn file(action: &'static str, path: &Path) -> impl FnOnce(std::io::Error) -> Error {
    let path = path.to_owned();
    move |source| Error::File { action, path, source }
}

#[cfg(test)]
mod tests {
    use super::*;

    const IMAGE: Image = Image::of("program", &[]);

    /// Any static program will do.
    fn programs() -> tempfile::TempDir {
        let directory = tempfile::tempdir().unwrap();
        fs::copy(std::env::current_exe().unwrap(), directory.path().join(IMAGE.program)).unwrap();
        directory
    }

    #[test]
    fn it_is_written_once_and_again_when_the_program_changes() {
        let (programs, into) = (programs(), tempfile::tempdir().unwrap());
        let into = into.path().join("images");
        assert_eq!(IMAGE.make(programs.path(), &into).unwrap(), Outcome::Written);
        assert_eq!(IMAGE.make(programs.path(), &into).unwrap(), Outcome::Current);
        let later = SystemTime::now() + std::time::Duration::from_secs(5);
        let program = fs::File::options().append(true).open(programs.path().join(IMAGE.program)).unwrap();
        program.set_modified(later).unwrap();
        assert_eq!(IMAGE.make(programs.path(), &into).unwrap(), Outcome::Written);
    }

    #[test]
    fn a_program_that_is_not_there_is_named_and_nothing_is_written() {
        let (programs, into) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let outcome = IMAGE.make(programs.path(), into.path()).unwrap();
        assert_eq!(outcome, Outcome::Absent(programs.path().join("program")));
        assert_eq!(fs::read_dir(into.path()).unwrap().count(), 0);
    }

    #[test]
    fn a_tool_that_is_not_installed_is_named() {
        let error = Image::of("program", &["no-such-tool"]).make(programs().path(), Path::new("/nowhere"));
        assert!(matches!(error, Err(Error::MissingTool { program: "no-such-tool" })));
    }
}
