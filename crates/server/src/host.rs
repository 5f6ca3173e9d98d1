//! What the server asks of the kubelet that it belongs to.

/// The kubelet as its HTTP server sees it. The `kubelet` crate implements it; it lies on a higher floor than this one.
///
/// Mirrors `pkg/kubelet/server/server.go: HostInterface`, as far as there are endpoints.
pub trait Host: Send + Sync + 'static {
    /// Whether the sync loop still turns. The error says in a few words what is wrong; it is shown only where the
    /// check is asked for by name.
    ///
    /// Mirrors `kubelet.go: SyncLoopHealthCheck`: the loop is late when its last turn began longer ago than twice the
    /// resync interval, and at least five minutes.
    ///
    /// # Errors
    /// The reason, lower case.
    fn sync_loop_healthy(&self) -> Result<(), String>;
}
