//! What the control plane wants, as an agent was last told, and a file that remembers it.

use std::fs::{self, File};
use std::io::{self, Write as _};
use std::path::PathBuf;
use std::sync::Arc;

use liqo_projections::view::View;
use serde::{Deserialize, Serialize};

/// Bytes of the longest file that is read: some thousand peers and nodes, ten times what the stream carries.
const MOST_BYTES: u64 = 64 << 20;

/// A point in the life of the control plane: positions grow.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Position {
    /// The leader's epoch.
    pub epoch: u64,
    /// The last event, in the log of that leader, that is part of the view.
    pub seq: u64,
}

/// What an agent was told. Whoever fills it refuses what is older.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Desired {
    /// The position of the view; nothing before the first one.
    pub at: Option<Position>,
    /// Entries by key, each as JSON.
    pub view: Arc<View<Arc<str>>>,
    /// Whether a leader confirms it right now. What an agent does never depends on this.
    pub current: bool,
}

/// A file with the last view that was accepted, so that an agent can start while the control plane is away. It holds no
/// secrets, since views hold none.
#[derive(Clone, Debug)]
pub struct StateFile {
    path: PathBuf,
}

#[derive(Serialize, Deserialize)]
struct Stored {
    at: Position,
    view: View<String>,
}

impl StateFile {
    /// The file at `path`, whose folder exists.
    pub fn at(path: PathBuf) -> Self {
        Self { path }
    }

    /// What was remembered, as not confirmed. Nothing when there is no file, or one that cannot be read: the control plane
    /// knows better in any case.
    pub fn load(&self) -> Option<Desired> {
        match self.read() {
            Ok(stored) => Some(Desired {
                at: Some(stored.at),
                view: Arc::new(stored.view.into_iter().map(|(key, json)| (key, Arc::from(json))).collect()),
                current: false,
            }),
            Err(error) if error.kind() == io::ErrorKind::NotFound => None,
            Err(error) => {
                tracing::warn!(path = %self.path.display(), %error, "the remembered view cannot be read; waiting for a new one");
                None
            }
        }
    }

    /// Remembers a view in place of the one before; a crash leaves either.
    ///
    /// # Errors
    ///
    /// What the system says.
    pub fn store(&self, desired: &Desired) -> io::Result<()> {
        let Some(at) = desired.at else { return Ok(()) };
        let view = desired.view.iter().map(|(key, json)| (key.clone(), json.to_string())).collect();
        let text = serde_json::to_vec(&Stored { at, view })?;
        let new = self.path.with_extension("new");
        let mut file = File::create(&new)?;
        file.write_all(&text)?;
        file.sync_data()?;
        fs::rename(&new, &self.path)
    }

    fn read(&self) -> io::Result<Stored> {
        if fs::metadata(&self.path)?.len() > MOST_BYTES {
            return Err(io::Error::from(io::ErrorKind::FileTooLarge));
        }
        Ok(serde_json::from_slice(&fs::read(&self.path)?)?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn desired() -> Desired {
        Desired {
            at: Some(Position { epoch: 3, seq: 14 }),
            view: Arc::new([("gateway".to_owned(), Arc::from("{}"))].into()),
            current: true,
        }
    }

    #[test]
    fn what_was_stored_is_loaded_and_not_confirmed() {
        let folder = tempfile::tempdir().unwrap();
        let file = StateFile::at(folder.path().join("view.json"));
        assert_eq!(file.load(), None);
        file.store(&desired()).unwrap();
        assert_eq!(file.load(), Some(Desired { current: false, ..desired() }));
        let later = Desired { at: Some(Position { epoch: 3, seq: 15 }), view: Arc::default(), current: true };
        file.store(&later).unwrap();
        assert_eq!(file.load(), Some(Desired { current: false, ..later }));
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    }

    #[test]
    fn a_broken_file_is_as_good_as_none_and_is_replaced() {
        let folder = tempfile::tempdir().unwrap();
        let file = StateFile::at(folder.path().join("view.json"));
        for broken in ["", "{", "{\"at\": 7}"] {
            fs::write(folder.path().join("view.json"), broken).unwrap();
            assert_eq!(file.load(), None, "{broken:?}");
        }
        file.store(&desired()).unwrap();
        assert!(file.load().is_some());
    }
}
