//! Where the workspace is, and cargo for it.

use std::path::{Path, PathBuf};
use std::process::Command;

/// The root of the workspace: the folder above this package.
pub fn root() -> PathBuf {
    let package = Path::new(env!("CARGO_MANIFEST_DIR"));
    package.parent().unwrap_or(package).to_owned()
}

/// A cargo command in the root. The cargo that runs this xtask also runs what it starts.
pub fn cargo<const N: usize>(arguments: [&str; N]) -> Command {
    cargo_in(&root(), arguments)
}

/// The same for the workspace in another folder.
pub fn cargo_in<const N: usize>(dir: &Path, arguments: [&str; N]) -> Command {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let mut command = Command::new(cargo);
    command.current_dir(dir).args(arguments);
    command
}
