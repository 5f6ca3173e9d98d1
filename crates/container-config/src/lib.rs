//! Pure: a pod spec becomes CRI messages
