//! The agent under a service manager: it says when it is ready and when it stops.

use std::os::unix::net::UnixDatagram;
use std::process::{Command, Stdio};
use std::time::Duration;

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

#[test]
fn it_says_ready_and_stopping_and_ends_on_sigterm_with_code_zero() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = |name: &str| folder.path().join(name).display().to_string();
    let socket = UnixDatagram::bind(path("notify")).expect("bound");
    socket.set_read_timeout(Some(Duration::from_secs(30))).expect("a bounded wait");
    std::fs::create_dir(path("manifests")).expect("made");
    let mut agent = Command::new(env!("CARGO_BIN_EXE_podwright"))
        .args(["--root-dir", &path("root"), "--pod-logs-dir", &path("logs/pods")])
        .args(["--pod-manifest-path", &path("manifests"), "--hostname-override", "node1"])
        .args(["--container-runtime-endpoint", "embedded", "--healthz-port", "0"])
        .env("NOTIFY_SOCKET", path("notify"))
        .stderr(Stdio::null())
        .spawn()
        .expect("started");
    let said = || {
        let mut buffer = [0; 256];
        let length = socket.recv(&mut buffer).expect("a word within the bound");
        String::from_utf8_lossy(&buffer[..length]).into_owned()
    };
    assert!(said().contains("READY=1"));
    let pid = Pid::from_raw(i32::try_from(agent.id()).expect("a pid"));
    kill(pid, Signal::SIGTERM).expect("told");
    assert!(said().contains("STOPPING=1"));
    assert!(agent.wait().expect("ended").success());
}
