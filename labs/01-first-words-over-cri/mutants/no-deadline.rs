    /// Waits for an answer as long as this call may take, and says what failed about what.
    async fn bounded<R: Call>(
        &self,
        request: R,
        send: impl AsyncFnOnce(R) -> Result<tonic::Response<R::Response>, tonic::Status>,
    ) -> Result<R::Response, RuntimeError> {
        let object = request.object();
        let answer = send(request).await;
        answer
            .map(tonic::Response::into_inner)
            .map_err(|status| RuntimeError::from_status(R::RPC, object, &status))
    }
