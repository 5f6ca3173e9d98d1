//! Merges the sources of pods into one stream of updates
