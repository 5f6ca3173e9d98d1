//! What a pod is on a node: identity, labels, hash, QoS, status, cache, back-off, events
