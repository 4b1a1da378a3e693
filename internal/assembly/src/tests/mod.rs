//! The parts together, as far as that needs no API server but one of a few lines.

pub(crate) mod api;
mod ending;
mod following;
mod readiness;
mod shared_token;
mod verdicts;
