//! Decides what a pod needs next and carries it out through the CRI
