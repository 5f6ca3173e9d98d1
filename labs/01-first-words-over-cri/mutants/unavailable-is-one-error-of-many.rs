    /// Sorts a gRPC status into its kind.
    pub fn from_status(rpc: &'static str, object: String, status: &tonic::Status) -> Self {
        Self::Status { rpc, object, code: status.code(), message: status.message().to_owned() }
    }
