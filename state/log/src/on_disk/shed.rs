//! Makes the store let go of pages that it holds in memory.
//!
//! The store's cache is 256 lists of pages. Each notes uses and acts on them by the 64, and never lets go of the page
//! that was used last. With pages of 31 KiB a value that is hundreds of MiB, whatever the size of the cache is said to
//! be. So there is a tree of tiny pages, at least one for each list: using each of them often enough makes every list act,
//! and what it holds in the end is tiny.

use sled::{Db, IVec, Tree};

use crate::Failure;

const NAME: &str = "shed";
/// Lists of the cache, and some more: pages of the tree's upper levels take numbers in between.
const PAGES: u64 = 256 + 24;
/// Keys of a page, as the store splits it when keys are put in in order.
const KEYS: u64 = 9;
/// Uses until a list acts on all that came before them.
const USES: u32 = 66;
/// Bytes given to the store or read from it, after which it is made to let go. Using all pages takes ten milliseconds,
/// writing so much takes ten times as long.
const AFTER_BYTES: u64 = 16 * 1024 * 1024;
/// What may stay when something is over.
const LARGE_BYTES: u64 = 512 * 1024;

/// The tiny pages, and how much the store may hold.
#[derive(Debug)]
pub(super) struct Shed {
    tree: Option<Tree>,
    bytes: u64,
}

impl Shed {
    /// Nothing is held yet.
    pub(super) fn new() -> Self {
        Self { tree: None, bytes: 0 }
    }

    /// Notes bytes that the store may hold now, and makes it let go when they are many.
    pub(super) fn hold(&mut self, db: &Db, bytes: usize) -> Result<(), Failure> {
        self.bytes += u64::try_from(bytes).unwrap_or(u64::MAX);
        if self.bytes < AFTER_BYTES { Ok(()) } else { self.let_go(db) }
    }

    /// Something large is over, for instance a replay: what it left behind would be held for long. Figures of the caller,
    /// because not everything that is read is noted.
    pub(super) fn over(&mut self, db: &Db, bytes: u64) -> Result<(), Failure> {
        if self.bytes.max(bytes) < LARGE_BYTES { Ok(()) } else { self.let_go(db) }
    }

    fn let_go(&mut self, db: &Db) -> Result<(), Failure> {
        self.bytes = 0;
        let tree = match self.tree.take() {
            Some(tree) => tree,
            None => pages(db)?,
        };
        for page in 0..PAGES {
            for _ in 0..USES {
                tree.get((page * KEYS).to_be_bytes())?;
            }
        }
        self.tree = Some(tree);
        Ok(())
    }
}

/// The tree, made when it is not there. A crash while it was made leaves fewer pages, which is made good for here.
fn pages(db: &Db) -> Result<Tree, Failure> {
    let tree = db.open_tree(NAME)?;
    let last = (PAGES * KEYS).to_be_bytes();
    if !tree.contains_key(last)? {
        for key in 0..=PAGES * KEYS {
            tree.insert(key.to_be_bytes(), IVec::default())?;
        }
    }
    Ok(tree)
}
