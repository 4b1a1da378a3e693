//! The order in which entries are added makes no difference.

use liqo_oci_image::{Error, Image, Owner, Result};
use proptest::prelude::{Just, Strategy, any, prop_oneof};
use proptest::sample::subsequence;
use proptest::{prop_assert_eq, proptest};

#[derive(Debug, Clone)]
enum Addition {
    Bytes(&'static str, u8),
    Directory(&'static str, u32),
    Symlink(&'static str, &'static str),
}

impl Addition {
    fn apply(&self, image: &mut Image) -> Result<()> {
        match self {
            Self::Bytes(path, content) => image.add_bytes(vec![*content], path, 0o644),
            Self::Directory(path, mode) => image.add_empty_directory(path, *mode, Owner::ROOT),
            Self::Symlink(path, target) => image.add_symlink(target, path),
        }
        .map(drop)
    }
}

fn path() -> impl Strategy<Value = &'static str> {
    prop_oneof![
        Just("/lib"),
        Just("/usr/lib"),
        Just("/lib/x"),
        Just("/usr/lib/x"),
        Just("/lib/x/y"),
        Just("/lib64/x"),
        Just("/lib-a"),
        Just("/z"),
    ]
}

fn addition() -> impl Strategy<Value = Addition> {
    prop_oneof![
        3 => (path(), 0..2u8).prop_map(|(path, content)| Addition::Bytes(path, content)),
        1 => (path(), prop_oneof![Just(0o755), Just(0o700)]).prop_map(|(path, mode)| Addition::Directory(path, mode)),
        2 => prop_oneof![
            Just(Addition::Symlink("/lib", "usr/lib")),
            Just(Addition::Symlink("/lib64", "/lib")),
            Just(Addition::Symlink("/usr/lib/x", "../../z")),
        ],
    ]
}

/// The digest, or which kind of error it is: which of two entries in each other's way is named may differ.
fn outcome(additions: &[Addition]) -> String {
    let mut image = Image::new("testbed.local/order:1").unwrap();
    let directory = tempfile::tempdir().unwrap();
    let added = additions.iter().try_for_each(|addition| addition.apply(&mut image));
    match added.and_then(|()| image.write(directory.path().join("image.tar"))) {
        Ok(digest) => digest.to_string(),
        Err(Error::Conflict { .. } | Error::NotADirectory { .. } | Error::LinkLoop { .. }) => {
            "refused".to_owned()
        }
        Err(other) => panic!("{other}"),
    }
}

proptest! {
    #[test]
    fn any_order_gives_the_same_digest_or_the_same_refusal(
        (additions, shuffled) in proptest::collection::vec(addition(), 0..7)
            .prop_flat_map(|list| (Just(list.clone()), Just(list).prop_shuffle())),
        repeated in any::<bool>(),
    ) {
        let mut shuffled = shuffled;
        if repeated {
            shuffled.extend(shuffled.clone());
        }
        prop_assert_eq!(outcome(&additions), outcome(&shuffled));
    }

    #[test]
    fn names_of_any_kind_keep_their_order(
        names in subsequence(vec!["a", "a.b", "a-", "a/b", "A", "é", "a b", "_"], 1..8).prop_shuffle(),
    ) {
        let mut sorted = names.clone();
        sorted.sort_unstable();
        let additions = |names: &[&'static str]| -> Vec<String> {
            names.iter().map(|name| format!("/{name}/file")).collect()
        };
        let digest = |paths: Vec<String>| {
            let mut image = Image::new("testbed.local/order:1").unwrap();
            for path in paths {
                image.add_bytes("x", path, 0o644).unwrap();
            }
            image.write(tempfile::tempdir().unwrap().path().join("image.tar")).unwrap()
        };
        prop_assert_eq!(digest(additions(&names)), digest(additions(&sorted)));
    }
}
