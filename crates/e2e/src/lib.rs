//! The assembled agent against real runtimes: a private containerd, and the embedded one
