//! One worker a pod: syncing, terminating, terminated
