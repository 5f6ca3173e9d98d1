//! From a container's configuration to a command that this machine can run.
//!
//! An image would bring programs, an entry point and an environment. Here there is only its name: programs are those
//! of the machine, found as a runtime finds them in a container, through the container's own `PATH`.

use std::collections::BTreeMap;
use std::os::unix::fs::PermissionsExt as _;
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::record::ContainerRecord;

/// The search path when neither the container nor the runtime's own environment has one.
const DEFAULT_PATH: &str = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/// What stands at a path, as far as running it goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Found {
    Executable,
    NotExecutable,
    Nothing,
}

/// The environment of a container: a search path and the host name, then what its configuration says. Nothing else of
/// the runtime's own environment gets in.
pub(crate) fn environment(
    configured: impl IntoIterator<Item = (String, String)>,
    own_path: Option<String>,
    hostname: &str,
) -> BTreeMap<String, String> {
    let path = own_path.filter(|p| !p.is_empty()).unwrap_or_else(|| DEFAULT_PATH.to_owned());
    let mut environment =
        BTreeMap::from([("PATH".to_owned(), path), ("HOSTNAME".to_owned(), hostname.to_owned())]);
    environment.extend(configured);
    environment
}

/// Where a container runs: in `scratch` unless it names a directory. A name that the machine does not have is made
/// below `scratch`, as a runtime makes it below the container's root.
pub(crate) fn working_dir(configured: &str, scratch: &Path) -> PathBuf {
    match Path::new(configured) {
        dir if configured.is_empty() || dir == Path::new("/") => scratch.to_owned(),
        dir if dir.is_dir() => dir.to_owned(),
        dir => scratch.join(dir.strip_prefix("/").unwrap_or(dir)),
    }
}

/// A command as it runs in a container: its environment and working directory, a process group of its own, and pipes for
/// what it says. The error is in runc's words.
pub(crate) fn in_container(
    record: &ContainerRecord,
    program: &str,
    arguments: &[String],
) -> Result<Command, String> {
    let path = record.environment.get("PATH").map_or("", String::as_str);
    let mut command = Command::new(locate(program, path, &record.working_dir)?);
    command
        .arg0(program)
        .args(arguments)
        .env_clear()
        .envs(&record.environment)
        .current_dir(&record.working_dir)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .process_group(0);
    Ok(command)
}

/// The file to execute for `program`, or why there is none, in runc's words.
fn locate(program: &str, path: &str, working_dir: &Path) -> Result<PathBuf, String> {
    locate_with(program, path, working_dir, |file| match std::fs::metadata(file) {
        Ok(meta) if meta.is_file() && meta.permissions().mode() & 0o111 != 0 => Found::Executable,
        Ok(_) => Found::NotExecutable,
        Err(_) => Found::Nothing,
    })
}

fn locate_with(
    program: &str,
    path: &str,
    working_dir: &Path,
    look: impl Fn(&Path) -> Found,
) -> Result<PathBuf, String> {
    let refuse = |why: &str| Err(format!("exec: {program:?}: {why}"));
    if program.contains('/') {
        let file = working_dir.join(program);
        return match look(&file) {
            Found::Executable => Ok(file),
            Found::NotExecutable => refuse("permission denied"),
            Found::Nothing => refuse(&format!("stat {program}: no such file or directory")),
        };
    }
    path.split(':')
        // An empty entry means the working directory, as in a shell.
        .map(|dir| working_dir.join(dir).join(program))
        .find(|file| !program.is_empty() && look(file) == Found::Executable)
        .map_or_else(|| refuse("executable file not found in $PATH"), Ok)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn programs_are_found_as_in_a_container() {
        let look = |file: &Path| match file.to_str() {
            Some("/usr/bin/sh" | "/app/tool" | "/app/./tool" | "/usr/bin/tool") => Found::Executable,
            Some("/bin/sh" | "/etc/passwd") => Found::NotExecutable,
            _ => Found::Nothing,
        };
        for (program, path, expected) in [
            ("sh", "/bin:/usr/bin", Ok("/usr/bin/sh")),
            ("tool", "/usr/bin", Ok("/usr/bin/tool")),
            ("tool", ":/usr/bin", Ok("/app/tool")),
            ("./tool", "/usr/bin", Ok("/app/./tool")),
            ("/usr/bin/sh", "", Ok("/usr/bin/sh")),
            ("nosuch", "/bin:/usr/bin", Err(r#"exec: "nosuch": executable file not found in $PATH"#)),
            ("", "/bin", Err(r#"exec: "": executable file not found in $PATH"#)),
            ("/no/such", "/bin", Err(r#"exec: "/no/such": stat /no/such: no such file or directory"#)),
            ("/etc/passwd", "/bin", Err(r#"exec: "/etc/passwd": permission denied"#)),
        ] {
            let found = locate_with(program, path, Path::new("/app"), look);
            assert_eq!(found, expected.map(PathBuf::from).map_err(str::to_owned), "{program} in {path}");
        }
    }

    #[test]
    fn the_configured_environment_wins_over_the_defaults() {
        let given = |pairs: &[(&str, &str)]| {
            let configured = pairs.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned()));
            environment(configured.collect::<Vec<_>>(), Some("/own".to_owned()), "web-0")
        };
        assert_eq!(given(&[])["PATH"], "/own");
        assert_eq!(given(&[])["HOSTNAME"], "web-0");
        assert_eq!(given(&[("PATH", "/x"), ("A", "1"), ("A", "2")])["PATH"], "/x");
        assert_eq!(given(&[("A", "1"), ("A", "2")])["A"], "2");
        assert_eq!(environment([], None, "h")["PATH"], DEFAULT_PATH);
    }

    #[test]
    fn a_working_directory_that_the_machine_lacks_lies_below_the_scratch_directory() {
        let scratch = Path::new("/scratch");
        for (configured, expected) in
            [("", "/scratch"), ("/", "/scratch"), ("/proc", "/proc"), ("/no/such", "/scratch/no/such")]
        {
            assert_eq!(working_dir(configured, scratch), Path::new(expected), "{configured:?}");
        }
    }
}
