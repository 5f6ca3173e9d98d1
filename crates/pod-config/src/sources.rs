//! Which sources have spoken.
//!
//! A container that no pod asks for is killed. But right after a start nobody has asked for anything yet, so nothing may
//! be killed before every source has said what it wants.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::Source;

/// Whether every source has delivered, and the kubelet has taken in what it delivered. Clones agree.
///
/// Mirrors `config/sources.go: SourcesReady` with `config.go: SeenAllSources`.
#[derive(Clone, Debug, Default)]
pub struct SourcesReady(Arc<Mutex<Seen>>);

#[derive(Debug, Default)]
struct Seen {
    expected: BTreeSet<Source>,
    delivered: BTreeSet<Source>,
    taken_in: BTreeSet<Source>,
}

impl SourcesReady {
    /// The kubelet has handled an update of `source`. Mirrors `sources.go: AddSource`.
    pub fn add_source(&self, source: Source) {
        self.seen().taken_in.insert(source);
    }

    // ANCHOR: all_ready
    /// Every expected source has delivered a set, and the kubelet has handled it: from now on, what nobody configured
    /// may be killed. Mirrors `sources.go: AllReady`.
    pub fn all_ready(&self) -> bool {
        let seen = self.seen();
        seen.expected.is_subset(&seen.delivered) && seen.expected.is_subset(&seen.taken_in)
    }
    // ANCHOR_END: all_ready

    /// Every expected source has delivered a set, and is among `taken_in`. Mirrors `config.go: SeenAllSources`.
    pub fn seen_all(&self, taken_in: &BTreeSet<Source>) -> bool {
        let seen = self.seen();
        seen.expected.is_subset(&seen.delivered) && seen.expected.is_subset(taken_in)
    }

    pub(crate) fn expect(&self, source: Source) {
        self.seen().expected.insert(source);
    }

    pub(crate) fn delivered(&self, source: Source) {
        self.seen().delivered.insert(source);
    }

    fn seen(&self) -> MutexGuard<'_, Seen> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
