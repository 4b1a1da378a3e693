//! The image of the process that holds a pod's namespaces open.

use std::path::Path;

use liqo_oci_image::Image;

use super::error::Result;

/// The name under which container runtimes are told to find the pause image.
pub(crate) const PAUSE_IMAGE: &str = "testbed.local/pause:1";

/// The image of a pod's first process: one program, run as a user that owns nothing.
///
/// # Errors
///
/// [`Error::Image`](super::Error::Image) if the program is not there or no ELF file.
pub(crate) fn pause_image(pause_binary: &Path) -> Result<Image> {
    let mut image = Image::new(PAUSE_IMAGE)?;
    image.add_program(pause_binary, "/pause")?.user("65535:65535")?.entrypoint(["/pause"]);
    Ok(image)
}

#[cfg(test)]
mod tests {
    use super::super::Error;
    use super::*;

    #[test]
    fn it_takes_a_program_and_names_one_that_is_not_there() {
        // Any static or dynamic program will do.
        assert_eq!(pause_image(&std::env::current_exe().unwrap()).unwrap().name(), PAUSE_IMAGE);
        let error = pause_image(Path::new("/nonexistent/pause")).unwrap_err();
        assert!(matches!(error, Error::Image(liqo_oci_image::Error::Read { .. })));
        assert!(error.to_string().contains("/nonexistent/pause"));
    }
}
