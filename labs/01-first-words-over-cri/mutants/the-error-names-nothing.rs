    /// Waits for an answer as long as this call may take, and says what failed about what.
    async fn bounded<R: Call>(
        &self,
        request: R,
        send: impl AsyncFnOnce(R) -> Result<tonic::Response<R::Response>, tonic::Status>,
    ) -> Result<R::Response, RuntimeError> {
        let object = String::new();
        let answer = match request.deadline(self.timeout) {
            None => send(request).await,
            Some(limit) => match tokio::time::timeout(limit, send(request)).await {
                Ok(answer) => answer,
                Err(_) => return Err(RuntimeError::DeadlineExceeded { rpc: R::RPC, object, waited: limit }),
            },
        };
        answer
            .map(tonic::Response::into_inner)
            .map_err(|status| RuntimeError::from_status(R::RPC, object, &status))
    }
