//! The network of peerings: what two clusters tell each other, choose, and take down.

mod decisions;
mod pair;
mod side;
