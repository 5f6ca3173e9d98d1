//! What to do when a call fails: a learner's first `crictl` rarely finds its runtime.

use std::io::{self, ErrorKind};
use std::os::unix::net::UnixStream;
use std::path::Path;

use cri_client::RuntimeError;

/// Sockets and logs of a node are root's.
pub const BECOME_ROOT: &str = "become root, for instance with sudo";

/// The next step after an error, if there is a likely one. Dials the socket once more to learn why nobody answered.
pub fn next_step(error: &RuntimeError, socket: &Path) -> Option<String> {
    match error {
        RuntimeError::Unavailable { .. } => Some(unreachable(socket, UnixStream::connect(socket).map(drop))),
        RuntimeError::DeadlineExceeded { .. } => {
            Some("the runtime is stuck or very busy: its own log says more (`journalctl -u containerd`)".to_owned())
        }
        RuntimeError::Status { rpc: "GetContainerEvents", .. } if error.is_unimplemented() => Some(
            "this runtime sends no events (containerd does since 1.7); a kubelet then lists everything once a second, \
             and so can you: `watch crictl ps -a`"
                .to_owned(),
        ),
        RuntimeError::Status { message, .. } if error.is_unimplemented() && message.contains("unknown service") => {
            Some(
                "something answers, but without the CRI: in /etc/containerd/config.toml take \"cri\" out of \
                 disabled_plugins and restart containerd"
                    .to_owned(),
            )
        }
        RuntimeError::Status { .. } => None,
    }
}

/// The next step when nobody answers at `socket`, from what dialling it gives.
fn unreachable(socket: &Path, dialled: io::Result<()>) -> String {
    let path = socket.display();
    let Err(error) = dialled else { return format!("somebody answers at {path} by now: try again") };
    match error.kind() {
        ErrorKind::NotFound => format!(
            "there is no socket {path}: start the runtime (`systemctl start containerd`), or say where its socket is \
             with -r unix:///path/to.sock"
        ),
        ErrorKind::PermissionDenied => {
            format!("you may not open {path}: {BECOME_ROOT}")
        }
        ErrorKind::ConnectionRefused => format!(
            "nobody listens at {path}: the runtime has ended and left its socket behind; start it again \
             (`systemctl status containerd` says why it ended)"
        ),
        _ => format!("{path} cannot be dialled: {error}"),
    }
}

#[cfg(test)]
mod tests {
    use cri_client::Code;

    use super::*;

    #[test]
    fn what_dialling_gives_says_what_to_do() {
        let socket = Path::new("/run/x.sock");
        for (kind, step) in [
            (ErrorKind::NotFound, "systemctl start containerd"),
            (ErrorKind::PermissionDenied, "become root"),
            (ErrorKind::ConnectionRefused, "nobody listens at /run/x.sock"),
            (ErrorKind::Other, "cannot be dialled"),
        ] {
            let said = unreachable(socket, Err(kind.into()));
            assert!(said.contains(step) && said.contains("/run/x.sock"), "{kind:?}: {said}");
        }
        assert!(unreachable(socket, Ok(())).contains("try again"));
    }

    #[test]
    fn a_socket_that_is_not_there_is_told_from_one_where_nobody_listens() {
        let folder = tempfile::tempdir().expect("a folder");
        let socket = folder.path().join("x.sock");
        let away = RuntimeError::Unavailable {
            rpc: "Version",
            object: String::new(),
            message: "transport error".into(),
        };
        assert!(next_step(&away, &socket).expect("a step").starts_with("there is no socket"));
        drop(std::os::unix::net::UnixListener::bind(&socket).expect("bound"));
        assert!(next_step(&away, &socket).expect("a step").starts_with("nobody listens"));
    }

    #[test]
    fn a_runtime_without_the_call_is_told_from_one_without_the_interface() {
        let refused = |rpc: &'static str, code: Code, message: &str| {
            let error = RuntimeError::Status { rpc, object: String::new(), code, message: message.into() };
            next_step(&error, Path::new("/run/x.sock"))
        };
        let step =
            refused("GetContainerEvents", Code::Unimplemented, "method GetContainerEvents not implemented");
        assert!(step.expect("a step").contains("sends no events"));
        let step = refused("Version", Code::Unimplemented, "unknown service runtime.v1.RuntimeService");
        assert!(step.expect("a step").contains("disabled_plugins"));
        assert_eq!(refused("ContainerStatus", Code::NotFound, "no such container"), None);
    }
}
