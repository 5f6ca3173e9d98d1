    /// Takes note of what came of the work at `stage`, and says what comes after it. Mirrors `podWorkerLoop`'s end and
    /// `completeWork`.
    pub fn completed(
        &mut self,
        stage: Stage,
        outcome: Outcome,
        pauses: &Pauses,
        now: Timestamp,
        random: &Random,
    ) -> After {
        if stage != self.stage {
            // While it worked, the pod began to end: what came of it does not matter any more.
            return After::Now;
        }
        match (outcome, stage) {
            (Outcome::Cancelled, _) => After::Now,
            (_, Stage::Terminating) if self.pod.is_none() => self.finish(),
            (Outcome::Failed(retry), _) => After::In(pause_before(retry, pauses, now, random)),
            (Outcome::Done, Stage::Syncing) => After::In(random.jitter(pauses.resync, 0.5)),
            (Outcome::PodIsOver, Stage::Syncing) => {
                self.stage = Stage::Terminating;
                self.shorten_grace(None);
                After::Now
            }
            (_, Stage::Terminating) => {
                self.stage = Stage::Terminated;
                After::Now
            }
            (_, Stage::Terminated | Stage::Finished) => self.finish(),
        }
    }

    fn finish(&mut self) -> After {
        self.stage = Stage::Finished;
        if self.wanted_again.is_some() {
            After::Now
        } else if self.removed {
            After::Forget
        } else {
            After::Rest
        }
    }
