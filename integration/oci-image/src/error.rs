//! What can go wrong while an image is described or written.

use std::io;
use std::path::PathBuf;

/// The result of this crate's functions.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// What is wrong inside a file.
pub(crate) type Fault = Box<dyn std::error::Error + Send + Sync>;

/// What can go wrong while an image is described or written.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A setting of the image or of an entry is not valid.
    #[error("image `{image}`: {field} `{value}` is not valid: {reason}")]
    Field {
        /// The name of the image.
        image: String,
        /// The setting, such as `name`, `user` or `destination`.
        field: &'static str,
        /// What was given.
        value: String,
        /// What is expected instead.
        reason: &'static str,
    },
    /// Two entries with different content have the same destination.
    #[error("image `{image}`: {} is added twice with different content; remove one of the two", path.display())]
    Conflict {
        /// The name of the image.
        image: String,
        /// The destination, after the symlinks of the image above it.
        path: PathBuf,
    },
    /// An entry lies below something that is a file.
    #[error("image `{image}`: {} cannot be placed below {}, which is a file", path.display(), parent.display())]
    NotADirectory {
        /// The name of the image.
        image: String,
        /// The destination of the entry.
        path: PathBuf,
        /// The file above it.
        parent: PathBuf,
    },
    /// The symlinks above an entry lead to themselves.
    #[error("image `{image}`: the symlinks above {} lead in a circle", path.display())]
    LinkLoop {
        /// The name of the image.
        image: String,
        /// The destination of the entry.
        path: PathBuf,
    },
    /// A file of the machine cannot be read.
    #[error("cannot read {}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// A file of the machine is a device, a socket or a pipe.
    #[error("{} is neither a file, a directory nor a symlink: images hold only these", path.display())]
    SpecialFile {
        /// The file.
        path: PathBuf,
    },
    /// A file grew or shrank while it was copied.
    #[error("{} changed while the image was written; write the image again", path.display())]
    Changed {
        /// The file.
        path: PathBuf,
    },
    /// A file that was given as a program is no ELF file, or a damaged one.
    #[error("{} is not an ELF program or library", path.display())]
    NotElf {
        /// The file.
        path: PathBuf,
        /// What is wrong in it.
        source: Fault,
    },
    /// A shared library or the ELF interpreter of a program is not on this machine.
    #[error(
        "{} needs {library} (asked for by {}), which is not on this machine: install the package that holds it; \
        looked in {searched}",
        binary.display(), needed_by.display()
    )]
    MissingLibrary {
        /// The program that was added.
        binary: PathBuf,
        /// The name that the dynamic linker looks for.
        library: String,
        /// The program or library whose header names it.
        needed_by: PathBuf,
        /// The directories that were searched.
        searched: String,
    },
    /// The archive cannot be written.
    #[error("cannot write the image archive {}", path.display())]
    Write {
        /// The archive.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
}

/// A rule that a value breaks, before the image and the field are known.
pub(crate) type Reason = &'static str;

/// A failure while writing: of what is read, or of the archive, whose path only the caller knows.
#[derive(Debug)]
pub(crate) enum Failure {
    Input(Error),
    Output(io::Error),
}

impl Failure {
    pub(crate) fn at(self, archive: &std::path::Path) -> Error {
        match self {
            Self::Input(error) => error,
            Self::Output(source) => Error::Write { path: archive.to_owned(), source },
        }
    }
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Self::Input(error)
    }
}

impl From<io::Error> for Failure {
    fn from(error: io::Error) -> Self {
        Self::Output(error)
    }
}
