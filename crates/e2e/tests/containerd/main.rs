//! The assembled agent on real containerd, runc and CNI: what a node may expect of its kubelet.
//!
//! Needs root and the packages that `cargo xtask doctor` lists. Each test has a containerd, a network namespace and a
//! cgroup root of its own; they run one after the other all the same, since they measure time.

mod drift;
mod kill_rounds;
mod lifecycle;
mod node;
mod outage;
mod recordings;
