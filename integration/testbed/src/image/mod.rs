//! The images that the testbed itself brings: pause for every pod, and a toolbox for tests.
//!
//! Both are made from files of this machine and written by [`liqo_oci_image`]; building one reads files and runs
//! `dpkg-query` and `busybox`, so asynchronous callers do it on a blocking thread.
//!
//! What the tests show, from the least powerful up: file lists of Debian packages are read (pure), pause is one file
//! that runs as nobody, the toolbox is the same twice, its programs start in a `chroot` with nothing else around them,
//! and its server answers any path, any method and 50 clients at once as a user that is not root. Tests that lack
//! root or a package say so and pass.

mod error;
mod packages;
mod pause;
mod toolbox;

pub use error::Error;
pub(crate) use pause::{PAUSE_IMAGE, pause_image};
pub(crate) use toolbox::toolbox_image;
pub use toolbox::{TOOLBOX_IMAGE, TOOLBOX_PORT};
