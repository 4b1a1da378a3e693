//! Our own programs that a node runs: the testbed itself and the pause process of sandboxes.

use std::path::{Path, PathBuf};

use crate::error::{Error, Result};

/// The binaries, which the workspace builds into one directory.
#[derive(Clone, Debug)]
pub(crate) struct Programs {
    pub testbed: PathBuf,
    pub pause: PathBuf,
}

impl Programs {
    /// Finds them from `LIQO_TESTBED`, else beside this program; a test runs from a directory below theirs.
    ///
    /// # Errors
    /// [`Error::Machine`] when they were not built.
    pub(crate) fn locate() -> Result<Self> {
        let own = std::env::current_exe().map_err(Error::file("find", "/proc/self/exe"))?;
        let named = std::env::var_os("LIQO_TESTBED").map(PathBuf::from);
        let beside = own.ancestors().skip(1).take(2).map(|directory| directory.join("testbed"));
        let testbed = named
            .into_iter()
            .chain(beside)
            .find_map(|path| path.canonicalize().ok())
            .ok_or_else(|| missing("testbed", &own))?;
        let pause = testbed.with_file_name("liqo-pause");
        if !pause.exists() {
            return Err(missing("liqo-pause", &testbed));
        }
        Ok(Self { testbed, pause })
    }
}

fn missing(program: &str, beside: &Path) -> Error {
    Error::Machine {
        problem: format!("the program {program} is not beside {}", beside.display()),
        fix: "run `make build`".into(),
    }
}
