//! The description of an image, and its way into a file.

use std::collections::BTreeMap;
use std::fs::{self, Permissions};
use std::io::{BufWriter, Seek, Write};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use crate::archive::Archive;
use crate::config::{self, Protocol};
use crate::destination;
use crate::digest::Digest;
use crate::entry::{Entry, Kind, MODE_BITS, Owner, Source};
use crate::error::{Error, Failure, Reason, Result};
use crate::reference::Reference;
use crate::settings::{self, Settings};
use crate::{layer, layout, program};

/// The mode of programs, libraries and the directories on the way to them.
const EXECUTABLE: u32 = 0o755;

/// Bytes that are gathered before they go to the file.
const BUFFER: usize = 1 << 16;

/// An image that is being described: a name, the settings of its process, and the entries of its root file system.
///
/// Files named by path are read when the image is written. Parent directories appear by themselves, owned by root
/// with mode 0755. The order in which entries are added makes no difference to the result.
#[derive(Debug, Clone)]
pub struct Image {
    name: Reference,
    settings: Settings,
    entries: BTreeMap<PathBuf, Entry>,
}

impl Image {
    /// Starts an empty image with a full name such as `testbed.local/toolbox:1`.
    ///
    /// Its process runs as user and group 65532 in `/`, on the architecture that this program was compiled for.
    ///
    /// # Errors
    ///
    /// [`Error::Field`] with the field `name` if the name lacks its registry or tag or has characters that no
    /// registry takes.
    pub fn new(name: &str) -> Result<Self> {
        let parsed = Reference::parse(name).map_err(|reason| Error::Field {
            image: name.to_owned(),
            field: "name",
            value: name.to_owned(),
            reason,
        })?;
        Ok(Self { name: parsed, settings: Settings::default(), entries: BTreeMap::new() })
    }

    /// The full name under which a container runtime stores the image.
    pub fn name(&self) -> &str {
        self.name.as_str()
    }

    /// Sets the program that is started, with its fixed arguments.
    pub fn entrypoint<S: Into<String>>(&mut self, words: impl IntoIterator<Item = S>) -> &mut Self {
        self.settings.entrypoint = words.into_iter().map(Into::into).collect();
        self
    }

    /// Sets the arguments after the entry point, or the whole command where there is no entry point.
    pub fn command<S: Into<String>>(&mut self, words: impl IntoIterator<Item = S>) -> &mut Self {
        self.settings.command = words.into_iter().map(Into::into).collect();
        self
    }

    /// Sets an environment variable.
    ///
    /// # Errors
    ///
    /// [`Error::Field`] with the field `env` if the name is empty or holds `=`, or either holds a NUL byte.
    pub fn env(&mut self, name: &str, value: &str) -> Result<&mut Self> {
        let checked = settings::env_name(name).and_then(|()| settings::no_nul(value));
        checked.map_err(|reason| self.invalid("env", &format!("{name}={value}"), reason))?;
        self.settings.env.insert(name.to_owned(), value.to_owned());
        Ok(self)
    }

    /// Sets who the process runs as: `uid` or `uid:gid`, as numbers.
    ///
    /// # Errors
    ///
    /// [`Error::Field`] with the field `user` for anything else, user names included.
    pub fn user(&mut self, user: &str) -> Result<&mut Self> {
        self.settings.user = settings::user(user).map_err(|reason| self.invalid("user", user, reason))?;
        Ok(self)
    }

    /// Sets the directory in which the process starts.
    ///
    /// # Errors
    ///
    /// [`Error::Field`] with the field `working_dir` if it is not an absolute path.
    pub fn working_dir(&mut self, path: &str) -> Result<&mut Self> {
        self.settings.working_dir =
            settings::working_dir(path).map_err(|reason| self.invalid("working_dir", path, reason))?;
        Ok(self)
    }

    /// Adds a label.
    ///
    /// # Errors
    ///
    /// [`Error::Field`] with the field `label` if the name is empty.
    pub fn label(&mut self, name: &str, value: &str) -> Result<&mut Self> {
        settings::label_name(name).map_err(|reason| self.invalid("label", name, reason))?;
        self.settings.labels.insert(name.to_owned(), value.to_owned());
        Ok(self)
    }

    /// Notes that the process listens on a port. It opens nothing: it informs whoever runs the image.
    ///
    /// # Errors
    ///
    /// [`Error::Field`] with the field `port` for port 0.
    pub fn expose(&mut self, port: u16, protocol: Protocol) -> Result<&mut Self> {
        let port = settings::port(port).map_err(|reason| self.invalid("port", &port.to_string(), reason))?;
        self.settings.ports.insert((port, protocol));
        Ok(self)
    }

    /// Sets the architecture by OCI's name, such as `arm64`, for programs that were compiled for another one.
    ///
    /// # Errors
    ///
    /// [`Error::Field`] with the field `architecture` if it is not lower-case letters and digits.
    pub fn architecture(&mut self, name: &str) -> Result<&mut Self> {
        self.settings.architecture =
            settings::architecture_name(name).map_err(|reason| self.invalid("architecture", name, reason))?;
        Ok(self)
    }

    /// Adds a file of this machine, symlinks to it followed.
    ///
    /// # Errors
    ///
    /// [`Error::Field`] for a bad destination or mode, [`Error::Read`] if there is no such file,
    /// [`Error::SpecialFile`] if it is none, [`Error::Conflict`] if the destination is taken by something else.
    pub fn add_file(
        &mut self,
        source: impl AsRef<Path>,
        destination: impl AsRef<Path>,
        mode: u32,
    ) -> Result<&mut Self> {
        let source = Source::Path(source.as_ref().to_owned());
        source.open()?;
        self.add(destination.as_ref(), Entry::file(source, mode))
    }

    /// Adds a file with this content.
    ///
    /// # Errors
    ///
    /// As [`Image::add_file`].
    pub fn add_bytes(
        &mut self,
        content: impl Into<Vec<u8>>,
        destination: impl AsRef<Path>,
        mode: u32,
    ) -> Result<&mut Self> {
        self.add(destination.as_ref(), Entry::file(Source::Bytes(content.into()), mode))
    }

    /// Adds an empty directory, or says which mode and owner one has that other entries need anyway.
    ///
    /// # Errors
    ///
    /// [`Error::Field`] for a bad destination or mode, [`Error::Conflict`] if the destination is taken by something
    /// else.
    pub fn add_empty_directory(
        &mut self,
        destination: impl AsRef<Path>,
        mode: u32,
        owner: Owner,
    ) -> Result<&mut Self> {
        self.add(destination.as_ref(), Entry { kind: Kind::Directory, mode, owner })
    }

    /// Adds a symlink with this target, as it is. The target need not be there.
    ///
    /// # Errors
    ///
    /// [`Error::Field`] for a bad destination or an empty target, [`Error::Conflict`] if the destination is taken by
    /// something else.
    pub fn add_symlink(
        &mut self,
        target: impl AsRef<Path>,
        destination: impl AsRef<Path>,
    ) -> Result<&mut Self> {
        let target = target.as_ref();
        let bytes = target.as_os_str().as_encoded_bytes();
        if bytes.is_empty() || bytes.contains(&0) {
            let reason = "the target of a symlink is not empty and holds no NUL byte";
            return Err(self.invalid("target", &target.display().to_string(), reason));
        }
        self.add(destination.as_ref(), Entry::symlink(target.to_owned()))
    }

    /// Adds a directory of this machine with all that lies in it: modes and symlinks as they are, owned by root.
    ///
    /// # Errors
    ///
    /// As [`Image::add_file`]; [`Error::SpecialFile`] also for a device, socket or pipe below the directory.
    pub fn add_directory(
        &mut self,
        source: impl AsRef<Path>,
        destination: impl AsRef<Path>,
    ) -> Result<&mut Self> {
        let destination = destination.as_ref();
        let root = destination::parse(destination)
            .map_err(|reason| self.invalid("destination", &destination.display().to_string(), reason))?;
        let mut ahead = vec![(source.as_ref().to_owned(), root)];
        while let Some((from, to)) = ahead.pop() {
            let read = |source| Error::Read { path: from.clone(), source };
            let children = fs::read_dir(&from).map_err(read)?;
            if to.parent().is_some() {
                self.add_empty_directory(&to, mode_of(&from)?, Owner::ROOT)?;
            }
            for child in children {
                let child = child.map_err(read)?;
                let (path, to) = (child.path(), to.join(child.file_name()));
                if child.file_type().map_err(read)?.is_dir() {
                    ahead.push((path, to));
                } else {
                    self.add_as_it_is(&path, &to)?;
                }
            }
        }
        Ok(self)
    }

    /// Adds a program and, if it is not static, its ELF interpreter and shared libraries, where the dynamic linker
    /// of the image looks for them. Libraries that a program opens by name while it runs are not known here.
    ///
    /// # Errors
    ///
    /// [`Error::NotElf`] for a script, [`Error::MissingLibrary`] with the library and the program, and those of
    /// [`Image::add_file`].
    pub fn add_program(
        &mut self,
        program: impl AsRef<Path>,
        destination: impl AsRef<Path>,
    ) -> Result<&mut Self> {
        let destination = self.below_root(destination.as_ref())?;
        let parts = program::collect(program.as_ref(), &destination)?;
        for (place, target) in parts.links {
            self.add_symlink(target, place)?;
        }
        for (place, file) in parts.files {
            self.add_file(file, place, EXECUTABLE)?;
        }
        Ok(self)
    }

    /// Writes the archive and gives the digest of its manifest, by which runtimes know the image.
    ///
    /// The archive is written beside `path` and renamed, so `path` is either the whole archive or untouched. Memory
    /// use does not depend on the size of the files.
    ///
    /// # Errors
    ///
    /// [`Error::Conflict`], [`Error::NotADirectory`] and [`Error::LinkLoop`] for entries that cannot be together,
    /// [`Error::Read`] and [`Error::Changed`] for files that changed meanwhile, [`Error::Write`] for the archive.
    pub fn write(&self, path: impl AsRef<Path>) -> Result<Digest> {
        let path = path.as_ref();
        let failed = |failure: Failure| failure.at(path);
        let directory =
            path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
        let file = tempfile::Builder::new()
            .prefix(".oci-image-")
            .permissions(Permissions::from_mode(0o644))
            .tempfile_in(directory)
            .map_err(|error| failed(error.into()))?;
        let digest = self.write_archive(BufWriter::with_capacity(BUFFER, file.as_file())).map_err(failed)?;
        file.persist(path).map_err(|error| failed(error.error.into()))?;
        Ok(digest)
    }

    fn write_archive<W: Write + Seek>(&self, out: W) -> Result<Digest, Failure> {
        let entries = layout::plan(self.name(), &self.entries)?;
        let json = |error: serde_json::Error| Failure::Output(error.into());
        let mut archive = Archive::new(out);
        archive.file("oci-layout", config::LAYOUT.as_bytes())?;
        let layer = archive.stream_blob(|out| layer::write(out, &entries))?;
        let config = archive.blob(&config::configuration(&self.settings, &layer).map_err(json)?)?;
        let manifest = archive.blob(&config::manifest(&config, &layer).map_err(json)?)?;
        let index = config::index(&self.name, &self.settings.architecture, &manifest).map_err(json)?;
        archive.file("index.json", &index)?;
        archive.finish()?;
        Ok(manifest.digest)
    }

    /// Adds a file or symlink of this machine as the same in the image.
    fn add_as_it_is(&mut self, path: &Path, destination: &Path) -> Result<&mut Self> {
        let read = |source| Error::Read { path: path.to_owned(), source };
        let kind = fs::symlink_metadata(path).map_err(read)?.file_type();
        if kind.is_symlink() {
            self.add_symlink(fs::read_link(path).map_err(read)?, destination)
        } else if kind.is_file() {
            self.add_file(path, destination, mode_of(path)?)
        } else {
            Err(Error::SpecialFile { path: path.to_owned() })
        }
    }

    fn add(&mut self, destination: &Path, entry: Entry) -> Result<&mut Self> {
        let path = self.below_root(destination)?;
        if entry.mode & !MODE_BITS != 0 {
            let reason = "expected permission bits from 0 to 7777";
            return Err(self.invalid("mode", &format!("{:o} of {}", entry.mode, path.display()), reason));
        }
        match self.entries.get(&path) {
            Some(earlier) if !earlier.same(&entry)? => {
                Err(Error::Conflict { image: self.name().to_owned(), path })
            }
            Some(_) => Ok(self),
            None => {
                self.entries.insert(path, entry);
                Ok(self)
            }
        }
    }

    fn below_root(&self, destination: &Path) -> Result<PathBuf> {
        destination::parse_below_root(destination)
            .map_err(|reason| self.invalid("destination", &destination.display().to_string(), reason))
    }

    fn invalid(&self, field: &'static str, value: &str, reason: Reason) -> Error {
        Error::Field { image: self.name().to_owned(), field, value: value.to_owned(), reason }
    }
}

fn mode_of(path: &Path) -> Result<u32> {
    let metadata = fs::metadata(path).map_err(|source| Error::Read { path: path.to_owned(), source })?;
    Ok(metadata.permissions().mode() & MODE_BITS)
}
