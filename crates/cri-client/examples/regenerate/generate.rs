//! From `proto/` to Rust, without protoc: protox compiles the interface, tonic-prost-build writes the code.

use std::path::{Path, PathBuf};

/// The folder of the interface files.
pub fn proto_dir() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../proto")
}

/// The committed code.
pub fn generated_dir() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("src/generated")
}

/// Writes `runtime.v1.rs` into `out`.
pub fn generate_into(out: &Path) -> anyhow::Result<()> {
    let files = protox::compile(["runtime/v1/api.proto"], [proto_dir()])?;
    tonic_prost_build::configure()
        .build_client(true)
        .build_server(true)
        // Ordered maps: what is compared or printed must not depend on a hash seed.
        .btree_map(".")
        .out_dir(out)
        .compile_fds(files)?;
    Ok(())
}
