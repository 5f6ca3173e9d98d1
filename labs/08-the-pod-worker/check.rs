//! What lab 08 asks of a pod's worker: its life step by step.

use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use clock::Random;
use jiff::Timestamp;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;
use lab_check::{Check, Error};
use pod_model::{Pod, PodRef};
use pod_workers::{After, Outcome, Pauses, Retry, Stage, Update, Worker};
use proptest::prelude::*;
use serde::{Deserialize, Serialize};

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Input {
    #[serde(default)]
    pod: Brief,
    /// Only the runtime knows the pod.
    #[serde(default)]
    orphan: bool,
    /// `begin`, `hear: …`, `end: …`.
    steps: Vec<String>,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct Brief {
    /// `terminationGracePeriodSeconds`.
    grace: Option<i64>,
    /// It is being deleted, with `deletionGracePeriodSeconds`.
    deleted_within: Option<i64>,
}

/// One step, what the worker answered, and the stage that it is in then.
#[derive(Debug, Serialize)]
struct Answered {
    step: String,
    answer: String,
    stage: String,
}

fn main() -> ExitCode {
    let workers = "pkg/kubelet/pod_workers.go";
    Check::new()
        .cases(|input: Input| -> Result<Vec<Answered>, Error> { live(&input).map_err(Error::new) })
        .property(
            "never-backwards",
            "a pod goes to an earlier stage only by starting over after it has finished",
            &format!("{workers}#UpdatePod"),
            any_steps(),
            |steps| never_backwards(&steps),
        )
        .property(
            "a-grace-period-never-grows",
            "from the moment when a pod begins to end, whatever is heard, its grace period only shrinks, to one second at least",
            &format!("{workers}#calculateEffectiveGracePeriod"),
            any_steps(),
            |steps| grace_never_grows(&steps),
        )
        .property(
            "a-removed-pod-is-forgotten-in-the-end",
            "whatever happened before, a pod that is removed and whose work goes well is forgotten",
            &format!("{workers}#completeTerminated"),
            any_steps(),
            |steps| is_forgotten_in_the_end(&steps),
        )
        .property(
            "a-configured-pod-has-a-source",
            "whatever was heard before, a pod that is configured has a source",
            &format!("{workers}#SyncKnownPods"),
            any_steps(),
            |steps| has_a_source(&steps),
        )
        .property(
            "regular-looks-are-spread-out",
            "the minute between two looks is lengthened by a random part of up to half of it, so that not all pods come at once",
            &format!("{workers}#completeWork"),
            any::<u64>(),
            |seed| are_spread_out(seed),
        )
        .run()
}

// === Reading a case ===

fn pod(brief: &Brief) -> Arc<Pod> {
    let mut pod = Pod::default();
    let meta = &mut pod.metadata;
    (meta.namespace, meta.name, meta.uid) = (Some("default".into()), Some("web".into()), Some("u1".into()));
    if let Some(seconds) = brief.deleted_within {
        meta.deletion_timestamp = Some(Time(Timestamp::UNIX_EPOCH));
        meta.deletion_grace_period_seconds = Some(seconds);
    }
    pod.spec.get_or_insert_default().termination_grace_period_seconds = brief.grace;
    Arc::new(pod)
}

fn live(input: &Input) -> Result<Vec<Answered>, String> {
    let first = pod(&input.pod);
    let mut worker = if input.orphan { Worker::orphan(PodRef::of(&first)) } else { Worker::new(first) };
    let mut under_way = None;
    let mut answers = Vec::new();
    for step in &input.steps {
        let answer = if step == "begin" {
            match worker.next_work() {
                None => "nothing to do".to_owned(),
                Some(work) => {
                    under_way = Some(work.stage);
                    let pod = if work.pod.is_some() { "" } else { ", without a pod" };
                    let grace = match work.stage {
                        Stage::Terminating => format!(" within {} s", work.grace),
                        Stage::Syncing | Stage::Terminated | Stage::Finished => String::new(),
                    };
                    format!("work at {:?}{grace}{pod}", work.stage)
                }
            }
        } else if let Some(phrase) = step.strip_prefix("hear: ") {
            format!("{:?}", worker.observe(update(phrase, &input.pod)?))
        } else if let Some(phrase) = step.strip_prefix("end: ") {
            let stage = under_way.take().ok_or("a case ends work that it did not begin")?;
            let outcome = outcome(phrase)?;
            let after = worker.completed(
                stage,
                outcome.clone(),
                &Pauses::default(),
                Timestamp::UNIX_EPOCH,
                &Random::seeded(8),
            );
            shown(after, &outcome)
        } else {
            return Err(format!("not a step: {step}"));
        };
        answers.push(Answered { step: step.clone(), answer, stage: format!("{:?}", worker.stage()) });
    }
    Ok(answers)
}

fn seconds(phrase: &str) -> Result<i64, String> {
    let number = phrase.strip_suffix(" s").ok_or_else(|| format!("not seconds: {phrase}"))?;
    number.parse().map_err(|error| format!("{phrase}: {error}"))
}

fn update(phrase: &str, first: &Brief) -> Result<Update, String> {
    let kill = |grace| Update::Kill { grace };
    Ok(match phrase {
        "look again" => Update::LookAgain,
        "removed" => Update::Removed,
        "orphaned" => Update::Orphaned,
        "kill" => kill(None),
        _ => {
            if let Some(grace) = phrase.strip_prefix("kill within ") {
                kill(Some(seconds(grace)?))
            } else if let Some(how) = phrase.strip_prefix("configured") {
                Update::Configured(described(how, first)?)
            } else if let Some(how) = phrase.strip_prefix("changed") {
                Update::Changed(described(how, first)?)
            } else {
                return Err(format!("not an update: {phrase}"));
            }
        }
    })
}

/// The pod of the case, or what a source says that is different about it.
fn described(how: &str, first: &Brief) -> Result<Arc<Pod>, String> {
    let brief = if let Some(grace) = how.strip_prefix(", with grace ") {
        Brief { grace: Some(seconds(grace)?), ..first.clone() }
    } else if let Some(grace) = how.strip_prefix(", deleted within ") {
        Brief { deleted_within: Some(seconds(grace)?), ..first.clone() }
    } else if how.is_empty() {
        first.clone()
    } else {
        return Err(format!("not a description of a pod: `{how}`"));
    };
    Ok(pod(&brief))
}

/// The clock stands at second 0.
fn outcome(phrase: &str) -> Result<Outcome, String> {
    Ok(match phrase {
        "done" => Outcome::Done,
        "pod is over" => Outcome::PodIsOver,
        "cancelled" => Outcome::Cancelled,
        "failed" => Outcome::Failed(Retry::Later),
        "network not ready" => Outcome::Failed(Retry::NetworkNotReady),
        "runtime is away" => Outcome::Failed(Retry::WhenRuntimeIsBack),
        _ => {
            let end =
                phrase.strip_prefix("back-off until ").ok_or_else(|| format!("no outcome: {phrase}"))?;
            let end = Timestamp::from_second(seconds(end)?).map_err(|error| error.to_string())?;
            Outcome::Failed(Retry::At(end))
        }
    })
}

/// Jittered pauses as the range that they lie in.
fn shown(after: After, outcome: &Outcome) -> String {
    let After::In(pause) = after else { return format!("{after:?}") };
    let exact = || format!("in {} s", pause.as_secs_f64());
    let base = match outcome {
        Outcome::Done => Pauses::default().resync,
        Outcome::Failed(Retry::Later) => Pauses::default().error,
        Outcome::Failed(Retry::NetworkNotReady) => Pauses::default().network,
        Outcome::Failed(Retry::At(_) | Retry::WhenRuntimeIsBack)
        | Outcome::PodIsOver
        | Outcome::Cancelled => {
            return exact();
        }
    };
    let longest = base + base / 2;
    if (base..=longest).contains(&pause) {
        format!("in {} to {} s", base.as_secs_f64(), longest.as_secs_f64())
    } else {
        exact()
    }
}

// === Properties ===

/// In the words of the cases; `work: …` is work that is begun and ends like that.
fn any_steps() -> impl Strategy<Value = Vec<String>> {
    let heard = prop_oneof![
        Just("hear: configured".to_owned()),
        (0..40i64).prop_map(|grace| format!("hear: configured, deleted within {grace} s")),
        Just("hear: changed".to_owned()),
        (0..40i64).prop_map(|grace| format!("hear: changed, deleted within {grace} s")),
        Just("hear: look again".to_owned()),
        Just("hear: removed".to_owned()),
        Just("hear: kill".to_owned()),
        (0..40i64).prop_map(|grace| format!("hear: kill within {grace} s")),
        Just("hear: orphaned".to_owned()),
    ];
    let done = prop_oneof![
        4 => Just("work: done".to_owned()),
        1 => Just("work: pod is over".to_owned()),
        1 => Just("work: cancelled".to_owned()),
        1 => Just("work: failed".to_owned()),
    ];
    proptest::collection::vec(prop_oneof![heard, done], 0..24)
}

const PLAIN: Brief = Brief { grace: Some(30), deleted_within: None };

fn take(worker: &mut Worker, step: &str) -> Result<(), String> {
    if let Some(phrase) = step.strip_prefix("hear: ") {
        worker.observe(update(phrase, &PLAIN)?);
    } else {
        work(worker, outcome(step.strip_prefix("work: ").unwrap_or(step))?);
    }
    Ok(())
}

/// Does the work that there is; at which stage it was, and what comes after it.
fn work(worker: &mut Worker, outcome: Outcome) -> Option<(Stage, After)> {
    let stage = worker.next_work()?.stage;
    let (pauses, random) = (Pauses::default(), Random::seeded(1));
    Some((stage, worker.completed(stage, outcome, &pauses, Timestamp::UNIX_EPOCH, &random)))
}

fn never_backwards(steps: &[String]) -> Result<(), String> {
    let mut worker = Worker::new(pod(&PLAIN));
    for step in steps {
        let before = worker.stage();
        take(&mut worker, step)?;
        if worker.stage() < before && before != Stage::Finished {
            return Err(format!("`{step}` led from {before:?} back to {:?}", worker.stage()));
        }
    }
    Ok(())
}

fn grace_never_grows(steps: &[String]) -> Result<(), String> {
    let mut worker = Worker::new(pod(&PLAIN));
    let mut last = None;
    for step in steps {
        take(&mut worker, step)?;
        if worker.stage() != Stage::Terminating {
            last = None;
            continue;
        }
        // A copy is asked, so that asking changes nothing.
        let grace = worker.clone().next_work().map_or(0, |work| work.grace);
        if grace < 1 || last.is_some_and(|last| grace > last) {
            return Err(format!("after `{step}` the pod has {grace} s to end; before, it had {last:?}"));
        }
        last = Some(grace);
    }
    Ok(())
}

fn is_forgotten_in_the_end(steps: &[String]) -> Result<(), String> {
    let mut worker = Worker::new(pod(&PLAIN));
    for step in steps {
        take(&mut worker, step)?;
    }
    take(&mut worker, "hear: removed")?;
    if !worker.is_removed() {
        return Err("the worker does not know that its pod was removed".to_owned());
    }
    for _ in 0..3 {
        // One that had finished before is forgotten by those who run it: nothing is left to do for it.
        let Some((stage, after)) = work(&mut worker, Outcome::Done) else { return Ok(()) };
        match after {
            After::Forget => return Ok(()),
            After::Now => {}
            After::In(_) | After::Rest => {
                return Err(format!("after its work at {stage:?}, the pod is left: {after:?}"));
            }
        }
    }
    Err(format!("the pod is not forgotten; it is at {:?}", worker.stage()))
}

fn has_a_source(steps: &[String]) -> Result<(), String> {
    for mut worker in [Worker::new(pod(&PLAIN)), Worker::orphan(PodRef::of(&pod(&PLAIN)))] {
        for step in steps {
            take(&mut worker, step)?;
        }
        take(&mut worker, "hear: configured")?;
        if worker.is_removed() {
            return Err(format!(
                "the pod was configured, and counts as removed; it is at {:?}",
                worker.stage()
            ));
        }
    }
    Ok(())
}

fn are_spread_out(seed: u64) -> Result<(), String> {
    let mut pauses = Vec::new();
    let random = Random::seeded(seed);
    for _ in 0..8 {
        let mut worker = Worker::new(pod(&PLAIN));
        let work = worker.next_work().ok_or("a new worker has nothing to do")?;
        let after =
            worker.completed(work.stage, Outcome::Done, &Pauses::default(), Timestamp::UNIX_EPOCH, &random);
        let After::In(pause) = after else { return Err(format!("after a sync that went well: {after:?}")) };
        if !(Duration::from_secs(60)..=Duration::from_secs(90)).contains(&pause) {
            return Err(format!("the next look comes in {pause:?}"));
        }
        pauses.push(pause);
    }
    if pauses.iter().all(|pause| *pause == pauses[0]) {
        return Err(format!("eight pods are looked at again at the same time, in {:?}", pauses[0]));
    }
    Ok(())
}
