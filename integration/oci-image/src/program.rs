//! A program with everything that the dynamic linker needs to start it.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::path::{Path, PathBuf};

use crate::destination::normalize;
use crate::elf::{self, Machine, Needs};
use crate::error::{Error, Result};
use crate::host_path;
use crate::search_path::SearchPath;

/// What a program adds to an image.
#[derive(Debug, Default)]
pub(crate) struct Parts {
    /// Files by their place in the image, with their path on this machine.
    pub(crate) files: BTreeMap<PathBuf, PathBuf>,
    /// Symlinks by their place in the image, with their target.
    pub(crate) links: BTreeMap<PathBuf, PathBuf>,
}

/// A directory as this machine and the image name it; they differ only below a program that is placed elsewhere.
#[derive(Debug, Clone)]
struct Directory {
    here: PathBuf,
    image: PathBuf,
}

/// A program or library whose own needs are still to be met.
struct Loaded {
    /// Its own file, and where the image has it.
    file: Directory,
    needs: Needs,
    /// The `DT_RPATH` directories of the files that led to it.
    inherited: Vec<Directory>,
}

struct Collector<'a> {
    program: &'a Path,
    machine: Machine,
    search: SearchPath,
    seen: BTreeSet<String>,
    parts: Parts,
    queue: VecDeque<Loaded>,
}

/// Collects a program, its interpreter and its libraries, those of the libraries included, breadth first as the
/// dynamic linker loads them.
///
/// # Errors
///
/// Names the library and the program if a library is not on this machine.
pub(crate) fn collect(program: &Path, destination: &Path) -> Result<Parts> {
    let needs = elf::read(program)?;
    let search = SearchPath::of_machine(needs.machine);
    collect_with(program, destination, needs, search)
}

fn collect_with(program: &Path, destination: &Path, needs: Needs, search: SearchPath) -> Result<Parts> {
    let here = program.canonicalize().map_err(|source| Error::Read { path: program.to_owned(), source })?;
    let file = Directory { here: here.clone(), image: destination.to_owned() };
    let mut collector = Collector {
        program,
        machine: needs.machine,
        search,
        seen: BTreeSet::new(),
        parts: Parts::default(),
        queue: VecDeque::new(),
    };
    collector.parts.files.insert(destination.to_owned(), here);
    if let Some(interpreter) = &needs.interpreter {
        if !interpreter.is_file() {
            let directory = interpreter.parent().unwrap_or(interpreter).to_owned();
            let searched = [Directory { here: directory.clone(), image: directory }];
            return Err(collector.missing(&interpreter.display().to_string(), program, &searched));
        }
        collector.mirror(interpreter)?;
    }
    collector.queue.push_back(Loaded { file, needs, inherited: Vec::new() });
    while let Some(loaded) = collector.queue.pop_front() {
        collector.load_needs(&loaded)?;
    }
    Ok(collector.parts)
}

impl Collector<'_> {
    fn load_needs(&mut self, loaded: &Loaded) -> Result<()> {
        let mut rpath = Vec::new();
        let mut directories = self.expand(&loaded.needs.runpath, &loaded.file);
        if directories.is_empty() {
            rpath = self.expand(&loaded.needs.rpath, &loaded.file);
            rpath.extend(loaded.inherited.iter().cloned());
            directories.clone_from(&rpath);
        }
        let machine_wide = self.search.configured.iter().chain(&self.search.built_in);
        directories.extend(machine_wide.map(|path| Directory { here: path.clone(), image: path.clone() }));
        for library in &loaded.needs.libraries {
            if !self.seen.insert(library.clone()) {
                continue;
            }
            let (file, needs) = self
                .find(library, &directories)
                .ok_or_else(|| self.missing(library, &loaded.file.here, &directories))?;
            self.place(library, &file)?;
            self.queue.push_back(Loaded { file, needs, inherited: rpath.clone() });
        }
        Ok(())
    }

    /// The directories of a library path, with the linker's variables filled in.
    fn expand(&self, path: &[String], file: &Directory) -> Vec<Directory> {
        let expanded = |directory: &str, file: &Path| {
            let origin = file.parent().unwrap_or(file).display().to_string();
            let text = directory
                .replace("${ORIGIN}", &origin)
                .replace("$ORIGIN", &origin)
                .replace("${LIB}", &self.search.lib)
                .replace("$LIB", &self.search.lib);
            normalize(Path::new(&text))
        };
        path.iter()
            .map(|directory| Directory {
                here: expanded(directory, &file.here),
                image: expanded(directory, &file.image),
            })
            .collect()
    }

    /// The first file of that name that is for the same kind of machine.
    fn find(&self, library: &str, directories: &[Directory]) -> Option<(Directory, Needs)> {
        let candidates: Vec<Directory> = if library.contains('/') {
            vec![Directory { here: PathBuf::from(library), image: PathBuf::from(library) }]
        } else {
            let join = |d: &Directory| Directory { here: d.here.join(library), image: d.image.join(library) };
            directories.iter().map(join).collect()
        };
        candidates.into_iter().find_map(|file| {
            let needs = elf::read(&file.here).ok()?;
            (needs.machine == self.machine).then_some((file, needs))
        })
    }

    fn place(&mut self, library: &str, file: &Directory) -> Result<()> {
        if file.here != file.image {
            let real = host_path::follow(&file.here)?.real;
            self.parts.files.insert(file.image.clone(), real);
            return Ok(());
        }
        self.mirror(&file.here)?;
        // An image has no linker configuration, so what is found by it alone gets a symlink where it is not needed.
        let directory = file.here.parent().unwrap_or(&file.here);
        if self.search.configured.iter().any(|configured| configured == directory)
            && !self.search.built_in.iter().any(|built_in| built_in == directory)
            && let Some(built_in) = self.search.built_in.first().cloned()
        {
            self.mirror_directory(&built_in)?;
            self.parts.links.insert(built_in.join(library), file.here.clone());
        }
        Ok(())
    }

    /// Adds the file behind a path of this machine and the symlinks on the way to it.
    fn mirror(&mut self, path: &Path) -> Result<()> {
        let way = host_path::follow(path)?;
        self.parts.links.extend(way.links);
        self.parts.files.insert(way.real.clone(), way.real);
        Ok(())
    }

    /// Adds the symlinks on the way to a directory of this machine, if it is there.
    fn mirror_directory(&mut self, path: &Path) -> Result<()> {
        if path.exists() {
            self.parts.links.extend(host_path::follow(path)?.links);
        }
        Ok(())
    }

    fn missing(&self, library: &str, needed_by: &Path, directories: &[Directory]) -> Error {
        let list: Vec<_> = directories.iter().map(|directory| directory.here.display().to_string()).collect();
        Error::MissingLibrary {
            binary: self.program.to_owned(),
            library: library.to_owned(),
            needed_by: needed_by.to_owned(),
            searched: list.join(", "),
        }
    }
}

#[cfg(test)]
#[path = "program_tests.rs"]
mod tests;
