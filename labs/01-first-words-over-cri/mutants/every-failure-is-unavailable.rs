    /// Sorts a gRPC status into its kind.
    pub fn from_status(rpc: &'static str, object: String, status: &tonic::Status) -> Self {
        Self::Unavailable { rpc, object, message: status.message().to_owned() }
    }
