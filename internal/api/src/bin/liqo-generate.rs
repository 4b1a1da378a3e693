//! Writes the custom resource definitions: `liqo-generate DIRECTORY`. `make generate` runs it on `deploy/crds`.
//!
//! The directory then holds these definitions and no other: a `.yaml` file that is none of them is removed.

use std::error::Error;
use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::{env, fs};

fn main() -> ExitCode {
    let mut arguments = env::args_os().skip(1);
    let (Some(directory), None) = (arguments.next(), arguments.next()) else {
        eprintln!("usage: liqo-generate DIRECTORY");
        return ExitCode::from(2);
    };
    match write(&PathBuf::from(directory)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("liqo-generate: {error}");
            ExitCode::FAILURE
        }
    }
}

fn write(directory: &Path) -> Result<(), Box<dyn Error>> {
    let at = |path: &Path, error| format!("{}: {error}", path.display());
    let files = liqo_api::crd::files()?;
    fs::create_dir_all(directory).map_err(|error| at(directory, error))?;
    for entry in fs::read_dir(directory).map_err(|error| at(directory, error))? {
        let path = entry.map_err(|error| at(directory, error))?.path();
        let known = path.file_name().and_then(OsStr::to_str).is_some_and(|name| files.contains_key(name));
        if !known && path.extension().is_some_and(|extension| extension == "yaml") {
            fs::remove_file(&path).map_err(|error| at(&path, error))?;
        }
    }
    for (name, text) in files {
        let path = directory.join(name);
        fs::write(&path, text).map_err(|error| at(&path, error))?;
    }
    Ok(())
}
