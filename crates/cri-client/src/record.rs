//! A runtime with somebody writing along: every call is passed on, and noted with its answer.
//!
//! Put between an agent and a real runtime, it gives the same kind of list as the fake keeps of itself, so that both can
//! be held against recordings of the real kubelet.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use tokio::time::Instant;

use crate::call::{image_service_calls, runtime_service_calls};
use crate::{Call, EventStream, ImageService, RuntimeError, RuntimeService, v1};

/// One call that a runtime got.
#[derive(Clone, Debug)]
pub struct RecordedCall {
    /// Since the recording began.
    pub at: Duration,
    /// The RPC's name.
    pub rpc: &'static str,
    /// The request, as it stands on the wire.
    pub request: Vec<u8>,
    /// The answer, as it stands on the wire; empty until there is one.
    pub response: Vec<u8>,
    /// The error that it was answered with.
    pub error: Option<String>,
}

/// Passes every call on to another runtime, and notes it.
#[derive(Debug)]
pub struct Recorder<T> {
    inner: T,
    began: Instant,
    calls: Mutex<Vec<RecordedCall>>,
}

impl<T> Recorder<T> {
    /// Notes what is asked of `inner` from now on.
    pub fn new(inner: T) -> Self {
        Self { inner, began: Instant::now(), calls: Mutex::default() }
    }

    /// Every call so far, in order of arrival.
    pub fn calls(&self) -> Vec<RecordedCall> {
        self.lock().clone()
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Vec<RecordedCall>> {
        self.calls.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn note<R: Call>(
        &self,
        request: R,
        pass_on: impl AsyncFnOnce(R) -> Result<R::Response, RuntimeError>,
    ) -> Result<R::Response, RuntimeError> {
        let place = {
            let mut calls = self.lock();
            let (at, rpc, request) = (self.began.elapsed(), R::RPC, request.encode_to_vec());
            calls.push(RecordedCall { at, rpc, request, response: Vec::new(), error: None });
            calls.len() - 1
        };
        let answer = pass_on(request).await;
        if let Some(call) = self.lock().get_mut(place) {
            match &answer {
                Ok(response) => call.response = prost::Message::encode_to_vec(response),
                Err(error) => call.error = Some(error.message()),
            }
        }
        answer
    }
}

macro_rules! record_runtime_service {
    ($($(#[$doc:meta])* $method:ident: $rpc:ident($request:ident) -> $response:ident {
        object: $object:expr, deadline: $deadline:expr,
    })*) => {
        #[async_trait]
        impl<T: RuntimeService> RuntimeService for Recorder<T> {
            $(
                async fn $method(&self, request: v1::$request) -> Result<v1::$response, RuntimeError> {
                    self.note(request, async |r| self.inner.$method(r).await).await
                }
            )*

            async fn get_container_events(&self) -> Result<EventStream, RuntimeError> {
                self.inner.get_container_events().await
            }
        }
    };
}
runtime_service_calls!(record_runtime_service);

macro_rules! record_image_service {
    ($($(#[$doc:meta])* $method:ident: $rpc:ident($request:ident) -> $response:ident {
        object: $object:expr, deadline: $deadline:expr,
    })*) => {
        #[async_trait]
        impl<T: ImageService> ImageService for Recorder<T> {
            $(
                async fn $method(&self, request: v1::$request) -> Result<v1::$response, RuntimeError> {
                    self.note(request, async |r| self.inner.$method(r).await).await
                }
            )*
        }
    };
}
image_service_calls!(record_image_service);
