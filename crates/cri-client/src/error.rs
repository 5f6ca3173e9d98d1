//! What can go wrong between a kubelet and its runtime.

use std::time::Duration;

// ANCHOR: kinds
/// A failed call, naming the RPC and the object that it was about.
#[derive(Clone, Debug, thiserror::Error)]
pub enum RuntimeError {
    /// Nobody answers on the socket: the runtime is down, restarting, or the path is wrong.
    #[error("{rpc}{object}: the runtime does not answer: {message}")]
    Unavailable {
        /// The RPC, by its name in the interface.
        rpc: &'static str,
        /// What it was about, such as ` of container 3f2a`; empty when it is about the whole runtime.
        object: String,
        /// The transport's own words.
        message: String,
    },
    /// The runtime took longer than the kubelet waits.
    #[error("{rpc}{object}: no answer within {waited:?}")]
    DeadlineExceeded {
        /// The RPC, by its name in the interface.
        rpc: &'static str,
        /// What it was about.
        object: String,
        /// How long the client waited.
        waited: Duration,
    },
    /// The runtime answered, and the answer is an error.
    #[error("{rpc}{object}: {message} ({code:?})")]
    Status {
        /// The RPC, by its name in the interface.
        rpc: &'static str,
        /// What it was about.
        object: String,
        /// The gRPC code: `NotFound`, `AlreadyExists`, `Unimplemented`, `Unknown`…
        code: tonic::Code,
        /// The runtime's own words; they go into events and waiting messages.
        message: String,
    },
}
// ANCHOR_END: kinds

impl RuntimeError {
    // ANCHOR: lab01_error
    /// Sorts a gRPC status into its kind.
    pub fn from_status(rpc: &'static str, object: String, status: &tonic::Status) -> Self {
        let message = status.message().to_owned();
        match status.code() {
            tonic::Code::Unavailable => Self::Unavailable { rpc, object, message },
            code => Self::Status { rpc, object, code, message },
        }
    }
    // ANCHOR_END: lab01_error

    /// The object does not exist in the runtime (any more).
    pub fn is_not_found(&self) -> bool {
        matches!(self, Self::Status { code: tonic::Code::NotFound, .. })
    }

    /// The runtime does not have this call at all, like containerd 1.6 and `GetContainerEvents`.
    pub fn is_unimplemented(&self) -> bool {
        matches!(self, Self::Status { code: tonic::Code::Unimplemented, .. })
    }

    /// The runtime is not there at the moment; the call may be repeated once it is back.
    pub fn is_unavailable(&self) -> bool {
        matches!(self, Self::Unavailable { .. })
    }

    /// Which RPC failed.
    pub fn rpc(&self) -> &'static str {
        match self {
            Self::Unavailable { rpc, .. } | Self::DeadlineExceeded { rpc, .. } | Self::Status { rpc, .. } => {
                rpc
            }
        }
    }

    /// The error's own words without RPC and object, as the kubelet puts them into events.
    pub fn message(&self) -> String {
        match self {
            Self::Unavailable { message, .. } | Self::Status { message, .. } => message.clone(),
            Self::DeadlineExceeded { .. } => "context deadline exceeded".to_owned(),
        }
    }

    /// The error as a gRPC status, for a server that passes it on.
    pub fn to_status(&self) -> tonic::Status {
        match self {
            Self::Unavailable { message, .. } => tonic::Status::unavailable(message),
            Self::DeadlineExceeded { .. } => tonic::Status::deadline_exceeded(self.to_string()),
            Self::Status { code, message, .. } => tonic::Status::new(*code, message),
        }
    }
}
