//! What holds for any pod and any state of the runtime, and that carrying the actions out comes to an end.

use std::collections::{BTreeMap, BTreeSet};

use ::status::pod_phase;
use cri_client::v1::{NamespaceMode, PodSandboxState};
use pod_model::identity::is_restartable_init;
use proptest::prelude::*;
use proptest::sample::select;

use super::*;
use crate::notation::{pod, sandbox, status, words};

const INITS: [&str; 8] = ["", "i", "s*", "i j", "s* i", "i s*", "s* i t*", "i/OnFailure s* j/Never+42"];
const REGULARS: [&str; 5] = ["a", "a b", "a/Never b", "a/OnFailure b/Always", "a/Never+42 b"];
const NAMES: [&str; 7] = ["i", "j", "s", "t", "a", "b", "stranger"];
const STATES: [&str; 9] = ["run", "run", "run~", "new", "unk", "0", "1", "42", "oom"];

fn any_pod() -> impl Strategy<Value = String> {
    let head = select(&["Always", "OnFailure", "Never", "Never host", "Always deleted", "Never deleted"][..]);
    (head, select(&INITS[..]), select(&REGULARS[..])).prop_map(|(head, i, r)| format!("{head}: {i} | {r}"))
}

fn any_runtime() -> impl Strategy<Value = String> {
    let sandboxes = proptest::collection::vec(select(&["", "", "", "-", "?", "h"][..]), 0..3);
    let container = (select(&NAMES[..]), select(&STATES[..]));
    (sandboxes, proptest::collection::vec(container, 0..10)).prop_map(|(sandboxes, containers)| {
        let newest_first = sandboxes.iter().enumerate().rev();
        let sandboxes: Vec<_> = newest_first.map(|(attempt, state)| format!("{attempt}{state}")).collect();
        let containers: Vec<_> = containers.iter().map(|(name, state)| format!("{name}:{state}")).collect();
        format!("{} | {}", sandboxes.join(" "), containers.join(" "))
    })
}

fn names_to_start<'a>(pod: &'a Pod, actions: &PodActions) -> Vec<&'a str> {
    let init = actions.init_containers_to_start.iter().map(|i| &init_containers(pod)[*i]);
    let regular = actions.containers_to_start.iter().map(|i| &spec(pod).containers[*i]);
    init.chain(regular).map(|c| c.name.as_str()).collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn actions_name_what_exists_and_never_contradict_each_other(spec in any_pod(), runtime in any_runtime()) {
        let pod = pod(&spec);
        let status = status(&pod, &runtime);
        let actions = compute_pod_actions(&pod, &status);

        // Indexing would panic here.
        let starts = names_to_start(&pod, &actions);
        prop_assert_eq!(starts.iter().collect::<BTreeSet<_>>().len(), starts.len(), "starts one twice: {:?}", actions);
        let ends: BTreeSet<&str> = actions.containers_to_kill.iter().map(|kill| kill.id.as_str()).collect();
        prop_assert_eq!(ends.len(), actions.containers_to_kill.len(), "ends one twice: {:?}", actions);
        for kill in &actions.containers_to_kill {
            let known = status.running().find(|c| c.id == kill.id);
            prop_assert!(known.is_some_and(|c| c.name == kill.name), "ends what does not live: {:?}", actions);
        }

        prop_assert!(!actions.kill_pod || ends.is_empty(), "{:?}", actions);
        prop_assert!(actions.kill_pod || !actions.create_sandbox, "a new sandbox beside a living pod: {:?}", actions);
        prop_assert!(actions.create_sandbox || !actions.kill_pod || starts.is_empty(), "starts in a dead pod: {:?}", actions);
        prop_assert!(actions.kill_pod || actions.sandbox_id.is_some(), "starts nowhere: {:?}", actions);

        // Whatever starts does not run by then, and nothing runs twice afterwards.
        for name in starts {
            let lives = status.containers.iter().any(|c| {
                c.name == name && c.state == ContainerState::Running && !actions.kill_pod && !ends.contains(c.id.as_str())
            });
            prop_assert!(!lives, "{} would run twice: {:?}", name, actions);
        }
        let mut left = BTreeSet::new();
        for c in status.containers.iter().filter(|c| c.state == ContainerState::Running) {
            let stays = !actions.kill_pod && !ends.contains(c.id.as_str());
            prop_assert!(!stays || left.insert(&c.name), "{} runs twice: {:?}", c.name, actions);
        }
    }
}

/// A runtime that does what it is told.
struct Model {
    pod: Pod,
    status: PodStatus,
    made: BTreeMap<String, u32>,
}

impl Model {
    fn new(spec: &str) -> Self {
        let pod = pod(spec);
        Self { status: status(&pod, ""), pod, made: BTreeMap::new() }
    }

    fn end(&mut self, code: i32, which: impl Fn(&ContainerStatus) -> bool) {
        let alive =
            |c: &ContainerStatus| matches!(c.state, ContainerState::Running | ContainerState::Unknown);
        for container in self.status.containers.iter_mut().filter(|c| alive(c) && which(c)) {
            (container.state, container.exit_code) = (ContainerState::Exited, code);
        }
    }

    fn stop_sandboxes(&mut self) {
        self.end(137, |_| true);
        self.status.sandboxes.iter_mut().for_each(|s| s.set_state(PodSandboxState::SandboxNotready));
    }

    /// Makes a running container; `None` when one of that name runs already or there is nothing to run it in.
    fn start(&mut self, name: &str) -> Option<()> {
        let home = self.status.sandboxes.first().filter(|s| s.state() == PodSandboxState::SandboxReady)?;
        let runs = |c: &ContainerStatus| c.name == name && c.state == ContainerState::Running;
        if self.status.containers.iter().any(runs) {
            return None;
        }
        let count = self.made.entry(name.to_owned()).or_default();
        let mut made = status(&self.pod, &format!("| {name}:run")).containers.remove(0);
        (made.id, made.sandbox_id) = (format!("{name}.{count}"), home.id.clone());
        *count += 1;
        self.status.containers.insert(0, made);
        Some(())
    }

    /// Carries the actions out; whether there was anything to do. `None` when something was wrong with them.
    fn step(&mut self) -> Option<bool> {
        if pod_phase(&self.pod, &self.status).is_terminal() {
            // The sync above this crate ends such a pod and comes here no more.
            let was_alive = self.status.is_alive();
            self.stop_sandboxes();
            return Some(was_alive);
        }
        let actions = compute_pod_actions(&self.pod, &self.status);
        if actions.is_empty() {
            return Some(false);
        }
        let was_alive = self.status.is_alive();
        if actions.kill_pod {
            self.stop_sandboxes();
        }
        for kill in &actions.containers_to_kill {
            self.end(137, |c| c.id == kill.id);
        }
        if actions.create_sandbox {
            let inits = init_containers(&self.pod);
            self.status.containers.retain(|c| inits.iter().all(|init| init.name != c.name));
            let made =
                sandbox(actions.attempt, PodSandboxState::SandboxReady, NamespaceMode::Pod, "10.0.0.9");
            if self.status.sandboxes.iter().any(|s| s.id == made.id) {
                return None;
            }
            self.status.sandboxes.insert(0, made);
        }
        let starts: Vec<String> =
            names_to_start(&self.pod, &actions).into_iter().map(str::to_owned).collect();
        for name in &starts {
            self.start(name)?;
        }
        Some(was_alive || actions.create_sandbox || !starts.is_empty())
    }

    fn runs_nothing_twice(&self) -> bool {
        let mut names = BTreeSet::new();
        let mut running = self.status.containers.iter().filter(|c| c.state == ContainerState::Running);
        running.all(|c| names.insert(&c.name))
    }

    /// What a node does to a pod.
    fn suffer(&mut self, event: (u8, usize, i32)) {
        let (kind, which, code) = event;
        let id = |c: &ContainerStatus| c.id.clone();
        let running: Vec<String> =
            self.status.containers.iter().filter(|c| c.state == ContainerState::Running).map(id).collect();
        let chosen = running.get(which % running.len().max(1)).cloned().unwrap_or_default();
        match kind {
            0..5 => self.end(code, |c| c.id == chosen),
            5 => self.stop_sandboxes(),
            6 => self.status.sandboxes.clear(),
            7 => {
                // An agent that was killed had started it, and nobody knew.
                if let Some(place) = self.status.containers.iter().position(|c| c.id == chosen) {
                    let older = self.status.containers[place].clone();
                    let older = ContainerStatus {
                        id: format!("{}-{}", older.id, self.status.containers.len()),
                        ..older
                    };
                    self.status.containers.insert(place + 1, older);
                }
            }
            _ => {
                for c in self.status.containers.iter_mut().filter(|c| c.id == chosen) {
                    c.state = ContainerState::Unknown;
                }
            }
        }
        if self.status.sandboxes.is_empty() {
            // Containers go with their sandboxes.
            self.status.containers.clear();
        }
    }

    /// Init containers do their work; sidecars are none of those.
    fn finish_init_containers(&mut self) -> bool {
        let works = |c: &&Container| !is_restartable_init(c);
        let names: BTreeSet<String> =
            init_containers(&self.pod).iter().filter(works).map(|c| c.name.clone()).collect();
        let before = self.status.clone();
        self.end(0, |c| c.state == ContainerState::Running && names.contains(&c.name));
        before != self.status
    }

    /// All that should run does, or the pod is over.
    fn is_settled(&self) -> bool {
        if pod_phase(&self.pod, &self.status).is_terminal() {
            return !self.status.is_alive();
        }
        if !restarts_on_failure(&self.pod) && !self.status.is_alive() {
            // It lost its sandbox before all of its containers had their one run. The kubelet leaves it at that.
            return true;
        }
        let container_runs = |c: &Container| {
            self.status.container(&c.name).is_some_and(|k| k.state == ContainerState::Running)
        };
        let done = |c: &Container| !should_start(&self.pod, c, &self.status);
        let regular = spec(&self.pod).containers.iter().all(|c| container_runs(c) || done(c));
        let sidecars =
            init_containers(&self.pod).iter().filter(|c| is_restartable_init(c)).all(container_runs);
        regular && sidecars
    }
}

fn any_trouble() -> impl Strategy<Value = Vec<(u8, usize, i32)>> {
    proptest::collection::vec((0..9u8, 0..8usize, select(&[0, 1, 42, 137][..])), 0..12)
}

fn living_pod() -> impl Strategy<Value = String> {
    let policy = select(&["Always", "OnFailure", "Never"][..]);
    (policy, select(&INITS[..]), select(&REGULARS[..])).prop_map(|(p, i, r)| format!("{p}: {i} | {r}"))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(500))]

    #[test]
    fn whatever_happens_a_pod_settles_once_it_is_left_alone(spec in living_pod(), trouble in any_trouble()) {
        let mut model = Model::new(&spec);
        for event in trouble {
            prop_assert!(model.step().is_some(), "{} cannot be carried out: {:?}", spec, model.status);
            prop_assert!(model.runs_nothing_twice(), "{}: {:?}", spec, model.status);
            model.suffer(event);
        }
        // A sandbox, every container once, and one step for each init container that ends.
        for _ in 0..12 {
            let acted = model.step();
            prop_assert!(acted.is_some(), "{} cannot be carried out: {:?}", spec, model.status);
            let worked = model.finish_init_containers();
            if acted == Some(false) && !worked {
                prop_assert!(model.is_settled(), "{} stands still: {:?}", spec, model.status);
                return Ok(());
            }
        }
        let next = words(&model.pod, &compute_pod_actions(&model.pod, &model.status));
        prop_assert!(false, "{} never settles; next: {}; {:?}", spec, next, model.status);
    }
}
