//! Parts of what is known of the virtual node, for those who need no more.

use liqo_model::NamespaceName;
use tokio::sync::watch;
use tokio::task::yield_now;

use crate::virtual_node::{Known, part};

#[tokio::test]
async fn only_changes_of_the_part_are_told() {
    let known = watch::Sender::new(Known::default());
    let mut reachable = part(known.subscribe(), |known| known.reachable);
    assert!(!*reachable.borrow_and_update());
    known.send_modify(|known| {
        known.namespaces.insert(NamespaceName::new("shop"), NamespaceName::new("shop-rome"));
    });
    for _ in 0..10 {
        yield_now().await;
    }
    assert!(!reachable.has_changed().unwrap());
    known.send_modify(|known| known.reachable = true);
    reachable.changed().await.unwrap();
    assert!(*reachable.borrow_and_update());
    // What is known no more stays as it was: the kubelet API answers a little longer than the engine.
    drop(known);
    assert!(reachable.changed().await.is_err());
    assert!(*reachable.borrow());
}
