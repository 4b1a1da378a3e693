//! Adapters put together: the ports of one, carried out with another. Binaries parse flags and start what is here.
//!
//! | part | port of | carried out with |
//! |---|---|---|
//! | [`enrolment`] | `identity`: what a provider needs of its cluster; `kube-io`: how an identity is asked for | the API server |

pub mod enrolment;
