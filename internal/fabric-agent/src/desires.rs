//! Lets the data path follow the stream of the control plane.

use liqo_datapath::{Desired, Position, StateFile};
use liqo_events::Seq;
use liqo_projection_api::client::{self, Acceptance, Connection, Followed, Mounted};
use tokio::sync::watch;

/// Follows a topic from what was remembered, until nobody wants to know any more.
pub fn follow(connection: Connection, credentials: Mounted, state: &StateFile) -> watch::Receiver<Desired> {
    let remembered = state.load().unwrap_or_default();
    let at = remembered.at.map(|at| client::Position { epoch: at.epoch, seq: Seq(at.seq) });
    let start = at.map_or_else(Acceptance::default, |at| {
        Acceptance::starting_from(at, remembered.view.as_ref().clone())
    });
    let (into, followed) = watch::channel(Followed::default());
    let (desires, desired) = watch::channel(remembered);
    tokio::spawn(client::follow(connection, credentials, start, into));
    tokio::spawn(pass_on(followed, desires));
    desired
}

async fn pass_on(mut followed: watch::Receiver<Followed>, desires: watch::Sender<Desired>) {
    while followed.changed().await.is_ok() {
        let Followed { at, view, current } = followed.borrow_and_update().clone();
        let at = at.map(|at| Position { epoch: at.epoch, seq: at.seq.0 });
        desires.send_replace(Desired { at, view, current });
    }
}
