    /// Sorts a gRPC status into its kind.
    pub fn from_status(rpc: &'static str, object: String, status: &tonic::Status) -> Self {
        let message = status.message().to_owned();
        match status.code() {
            tonic::Code::Unavailable | tonic::Code::Cancelled | tonic::Code::Aborted => Self::Unavailable { rpc, object, message },
            code => Self::Status { rpc, object, code, message },
        }
    }
