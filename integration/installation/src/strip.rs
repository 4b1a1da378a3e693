//! Programs as images hold them: without what only a debugger reads.
//!
//! The build that tests use has the source line of every instruction in its programs, which is most of their size. In an
//! image that is copied to every node it is dead weight. The names of functions stay, so a back trace still tells where.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use liqo_oci_image::Digest;

use crate::error::{Error, Result};
use crate::image::{file, found};

/// The program that does it, of binutils, which come with every compiler.
const STRIP: &str = "strip";
/// Where stripped programs are kept, below the directory of the archives.
const KEPT: &str = "stripped";

/// The program as its image holds it. It is kept by the digest of what it was made of, so that what was only linked anew
/// is not stripped again; those of earlier builds go.
pub(crate) fn stripped(program: &Path, name: &str, into: &Path) -> Result<PathBuf> {
    let directory = into.join(KEPT);
    let kept = directory.join(format!("{name}-{}", Digest::of_file(program)?.hex()));
    if kept.is_file() {
        return Ok(kept);
    }
    fs::create_dir_all(&directory).map_err(file("create", &directory))?;
    // Several may do this at a time; each writes its own file, and the last one counts.
    let made = directory.join(format!(".{name}-{}", std::process::id()));
    let mut command = Command::new(found(STRIP)?);
    command.arg("--strip-debug").arg("-o").arg(&made).arg(program);
    let output = command.output().map_err(|source| Error::Run { program: STRIP.into(), source })?;
    if !output.status.success() {
        let said = String::from_utf8_lossy(&output.stderr).trim().to_owned();
        return Err(Error::Command { command: format!("{STRIP} --strip-debug {}", program.display()), said });
    }
    fs::rename(&made, &kept).map_err(file("rename", &made))?;
    forget_earlier(&directory, name, &kept)?;
    Ok(kept)
}

fn forget_earlier(directory: &Path, name: &str, kept: &Path) -> Result<()> {
    let is_hex = |rest: &str| rest.len() == 64 && rest.bytes().all(|byte| byte.is_ascii_hexdigit());
    for entry in fs::read_dir(directory).map_err(file("read", directory))? {
        let entry = entry.map_err(file("read", directory))?;
        let of_program = entry
            .file_name()
            .to_str()
            .and_then(|other| other.strip_prefix(name)?.strip_prefix('-'))
            .is_some_and(is_hex);
        if of_program && entry.path() != kept {
            // Another process may have been faster.
            let _ = fs::remove_file(entry.path());
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Tells the stripped program that it is one.
    const STRIPPED: &str = "LIQO_TEST_IS_STRIPPED";

    fn names(directory: &Path) -> Vec<String> {
        let entries = fs::read_dir(directory).unwrap();
        let mut names: Vec<_> =
            entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    }

    #[test]
    fn a_back_trace_still_names_functions() {
        if std::env::var_os(STRIPPED).is_some() {
            println!("{}", std::backtrace::Backtrace::force_capture());
            return;
        }
        let (this, into) = (std::env::current_exe().unwrap(), tempfile::tempdir().unwrap());
        let program = stripped(&this, "tests", into.path()).unwrap();
        let size = |path: &Path| fs::metadata(path).unwrap().len();
        assert!(size(&program) < size(&this) * 3 / 4, "{} of {}", size(&program), size(&this));
        let name = "strip::tests::a_back_trace_still_names_functions";
        let output =
            Command::new(&program).args(["--exact", name, "--nocapture"]).env(STRIPPED, "").output().unwrap();
        let printed = String::from_utf8_lossy(&output.stdout);
        assert!(
            output.status.success() && printed.contains(&format!("liqo_installation::{name}")),
            "{printed}"
        );
    }

    #[test]
    fn it_is_made_once_for_each_content_and_earlier_ones_go() {
        let (programs, into) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let program = programs.path().join("program");
        fs::copy("/bin/true", &program).unwrap();
        let first = stripped(&program, "program", into.path()).unwrap();
        fs::write(&first, "kept").unwrap();
        let other = stripped(Path::new("/bin/true"), "program-more", into.path()).unwrap();
        assert_eq!(stripped(&program, "program", into.path()).unwrap(), first);
        assert_eq!(fs::read(&first).unwrap(), b"kept");
        fs::copy("/bin/false", &program).unwrap();
        let second = stripped(&program, "program", into.path()).unwrap();
        let file_name = |path: &Path| path.file_name().unwrap().to_str().unwrap().to_owned();
        assert_eq!(names(&into.path().join(KEPT)), {
            let mut names = vec![file_name(&second), file_name(&other)];
            names.sort();
            names
        });
    }

    #[test]
    fn what_is_no_program_is_refused_and_nothing_is_left() {
        let into = tempfile::tempdir().unwrap();
        let script = into.path().join("script");
        fs::write(&script, "#!/bin/sh\n").unwrap();
        let error = stripped(&script, "script", into.path());
        assert!(matches!(&error, Err(Error::Command { .. })), "{error:?}");
        assert_eq!(names(&into.path().join(KEPT)), [""; 0]);
    }
}
