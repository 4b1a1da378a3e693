//! The webhooks as a whole: verdicts about whole objects, and the way to them over TLS.

mod certificates;
mod cluster;
mod foreign_clusters;
mod offloadings;
mod patience;
mod pods;
mod shadow_pods;
mod transport;
