//! What can go wrong while the testbed's images are built.

use std::io;

/// The result of building an image.
pub(crate) type Result<T, E = Error> = std::result::Result<T, E>;

/// What can go wrong while the testbed's images are built.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A file cannot be taken into an image.
    #[error(transparent)]
    Image(#[from] liqo_oci_image::Error),
    /// A Debian package that an image is made from is not installed.
    #[error(
        "package `{package}` is not installed, which the toolbox image is made from: apt-get install {package}"
    )]
    MissingPackage {
        /// The package's name.
        package: &'static str,
    },
    /// A Debian package is installed, but a file of it is elsewhere or gone.
    #[error(
        "package `{package}` holds no file that ends with `{file}`: apt-get install --reinstall {package}"
    )]
    MissingFile {
        /// The package's name.
        package: &'static str,
        /// The end of the file's path.
        file: &'static str,
    },
    /// The machine's busybox was built without a tool that tests rely on.
    #[error(
        "the busybox of package `busybox-static` lacks the applet `{applet}`: install Debian's or Ubuntu's own"
    )]
    MissingApplet {
        /// The applet's name.
        applet: &'static str,
    },
    /// A program of this machine that tells what to take cannot be run.
    #[error("cannot run `{command}`")]
    Run {
        /// The command line.
        command: String,
        /// Why.
        source: io::Error,
    },
    /// A program of this machine that tells what to take failed.
    #[error("`{command}` failed: {message}")]
    Failed {
        /// The command line.
        command: String,
        /// What it wrote to its standard error.
        message: String,
    },
}
