//! The plan as tables, and whole watches against a server that answers what the test says.

mod following;
mod tables;
