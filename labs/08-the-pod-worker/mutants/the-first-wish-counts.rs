    /// Takes note of something that was heard. Mirrors `UpdatePod`.
    pub fn observe(&mut self, update: Update) -> Reaction {
        match update {
            Update::Configured(pod) => self.configured(pod),
            // Until now only the runtime had it: for its worker it is new.
            Update::Changed(pod) if self.pod.is_none() => self.configured(pod),
            Update::Changed(pod) => self.changed(pod),
            Update::LookAgain if self.stage == Stage::Finished => Reaction::None,
            Update::LookAgain => Reaction::Work,
            Update::Removed => {
                self.removed = true;
                self.wanted_again = None;
                self.end(None)
            }
            Update::Kill { grace } => self.end(grace),
            Update::Orphaned if self.stage == Stage::Finished => {
                // Something of it came up after the end: a sandbox whose making was cut short, for instance.
                (self.stage, self.grace) = (Stage::Terminating, Some(1));
                Reaction::Work
            }
            Update::Orphaned => Reaction::None,
        }
    }

    fn configured(&mut self, pod: Arc<Pod>) -> Reaction {
        self.removed = false;
        if self.stage == Stage::Syncing {
            return self.changed(pod);
        }
        // It has to finish first. An orphan becomes an ordinary pod that way, too.
        self.wanted_again.get_or_insert(pod);
        if self.stage == Stage::Finished { Reaction::Work } else { Reaction::None }
    }

    fn changed(&mut self, pod: Arc<Pod>) -> Reaction {
        if self.wanted_again.is_some() {
            return Reaction::None;
        }
        if self.stage == Stage::Finished {
            return Reaction::None;
        }
        let deleted = pod.metadata.deletion_timestamp.is_some();
        self.pod = Some(pod);
        if self.stage == Stage::Syncing && !deleted { Reaction::Work } else { self.end(None) }
    }

    /// Begins to end the pod, or ends it sooner than it was going to.
    fn end(&mut self, grace: Option<i64>) -> Reaction {
        match self.stage {
            Stage::Syncing => {
                self.stage = Stage::Terminating;
                self.shorten_grace(grace);
                Reaction::CancelAndWork
            }
            Stage::Terminating => {
                if self.shorten_grace(grace) {
                    Reaction::CancelAndWork
                } else {
                    Reaction::None
                }
            }
            Stage::Terminated | Stage::Finished => Reaction::None,
        }
    }

    /// The smallest of what the deletion and the caller ask for, else what the spec says; never below one second.
    /// Whether it became shorter than it was. Mirrors `calculateEffectiveGracePeriod`.
    fn shorten_grace(&mut self, asked: Option<i64>) -> bool {
        let deletion = self.pod.as_ref().and_then(|p| p.metadata.deletion_grace_period_seconds);
        let shortest = [self.grace, deletion, asked].into_iter().flatten().min();
        let spec = || self.pod.as_ref()?.spec.as_ref()?.termination_grace_period_seconds;
        let grace = shortest.or_else(spec).unwrap_or(1).max(1);
        let before = self.grace.replace(grace);
        before.is_some_and(|before| grace < before)
    }
