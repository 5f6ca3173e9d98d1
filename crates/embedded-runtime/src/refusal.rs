//! Why a call is refused, in the words and with the codes of containerd, which kubelets and people search for.

use cri_client::{Call, Code, RuntimeError};

use crate::Error;

#[derive(Debug, thiserror::Error)]
pub(crate) enum Refusal {
    #[error("an error occurred when try to find {kind} {id:?}: not found")]
    NotFound { kind: &'static str, id: String },
    #[error("failed to reserve {kind} name {name:?}: name {name:?} is reserved for {holder:?}")]
    NameTaken { kind: &'static str, name: String, holder: String },
    #[error("failed to pull and unpack image {0:?}: failed to resolve reference {0:?}: {0}: not found")]
    NoSuchImage(String),
    #[error("failed to exec in container: timeout {0}s exceeded: context deadline exceeded")]
    ExecTimedOut(i64),
    /// The request makes no sense.
    #[error("{0}")]
    Invalid(String),
    /// The state of things does not allow it, or it went wrong.
    #[error("{0}")]
    Failed(String),
    #[error(transparent)]
    State(#[from] Error),
}

impl Refusal {
    fn code(&self) -> Code {
        match self {
            Self::NotFound { .. } | Self::NoSuchImage(_) => Code::NotFound,
            Self::ExecTimedOut(_) => Code::DeadlineExceeded,
            Self::Invalid(_) => Code::InvalidArgument,
            Self::NameTaken { .. } | Self::Failed(_) => Code::Unknown,
            Self::State(_) => Code::Internal,
        }
    }

    /// The refusal as the answer to a request about `object`.
    pub fn answers<R: Call>(self, object: String) -> RuntimeError {
        RuntimeError::Status { rpc: R::RPC, object, code: self.code(), message: self.to_string() }
    }
}
