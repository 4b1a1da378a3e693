//! Compiles the `.proto` files: messages, clients, servers, and the descriptors that server reflection shows.

use std::error::Error;
use std::path::PathBuf;

const FILES: &[&str] = &["liqo/debug/v1/debug.proto", "liqo/projection/v1/projection.proto"];
/// Served by programs of users and never by ours, so no server shows it.
const RESOURCE_MONITOR: &[&str] = &["resource_monitor/resource_reader.proto"];

fn main() -> Result<(), Box<dyn Error>> {
    // In pure Rust: a machine that builds this needs no protoc. Source information becomes the documentation of the code.
    let descriptors = generate(FILES)?;
    let out = PathBuf::from(std::env::var("OUT_DIR")?);
    std::fs::write(out.join("descriptors.bin"), descriptors)?;
    generate(RESOURCE_MONITOR)?;
    println!("cargo:rerun-if-changed=resource_monitor/resource.proto");
    Ok(())
}

/// Writes the code of these files. Gives their descriptors, encoded.
fn generate(files: &[&str]) -> Result<Vec<u8>, Box<dyn Error>> {
    let mut compiler = protox::Compiler::new(["."])?;
    let descriptors =
        compiler.include_source_info(true).include_imports(true).open_files(files)?.file_descriptor_set();
    // Maps in order of their keys, so that two answers with the same content are the same text.
    tonic_prost_build::configure().btree_map(".").compile_fds(descriptors)?;
    for file in files {
        println!("cargo:rerun-if-changed={file}");
    }
    Ok(compiler.encode_file_descriptor_set())
}
