//! The kubelet's HTTP endpoints; health first
