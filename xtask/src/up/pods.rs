//! One row for each pod, from what the runtime holds and what the agent said.

use std::collections::BTreeMap;

use cri_client::v1::ContainerState;
use e2e::{ContainerView, NodeView, SandboxView};
use jiff::Timestamp;

use super::news::News;

/// A pod, as the table shows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Row {
    /// `namespace/name`.
    pub pod: String,
    /// One word, as `kubectl get pods` has it.
    pub status: &'static str,
    /// How often its containers were started again, all together.
    pub restarts: u32,
    /// When its newest sandbox was made.
    pub since: Option<Timestamp>,
    /// Its containers: `app running (pid 4711), sidecar exited 1`.
    pub containers: String,
    /// A running process of it, with the container's name.
    pub process: Option<(String, i32)>,
}

impl Row {
    /// How old the pod is: `42s`, `3m10s`.
    pub fn age(&self, now: Timestamp) -> String {
        let seconds = self.since.map_or(0, |since| now.duration_since(since).as_secs().max(0));
        match (seconds / 3600, seconds / 60 % 60, seconds % 60) {
            (0, 0, s) => format!("{s}s"),
            (0, m, s) => format!("{m}m{s}s"),
            (h, m, _) => format!("{h}h{m}m"),
        }
    }

    /// Everything but the age, which always changes.
    pub fn line(&self) -> String {
        let restarts = match self.restarts {
            0 => String::new(),
            n => format!("  restarts {n}"),
        };
        format!("{}  {}{restarts}  {}", self.pod, self.status, self.containers)
    }
}

/// The rows, by namespace and name.
pub fn rows(node: &NodeView, news: &News) -> Vec<Row> {
    let mut pods: BTreeMap<&pod_model::PodRef, Vec<&SandboxView>> = BTreeMap::new();
    for sandbox in &node.sandboxes {
        pods.entry(&sandbox.pod).or_default().push(sandbox);
    }
    pods.into_iter().filter_map(|(pod, sandboxes)| row(&pod.to_string(), &sandboxes, news)).collect()
}

/// A pod from all its sandboxes; the newest one decides, and of each container the newest.
fn row(pod: &str, sandboxes: &[&SandboxView], news: &News) -> Option<Row> {
    let newest = sandboxes.iter().max_by_key(|s| (s.created_at, s.attempt))?;
    let mut containers: BTreeMap<&str, &ContainerView> = BTreeMap::new();
    for container in &newest.containers {
        let known = containers.entry(&container.name).or_insert(container);
        if (container.attempt, container.started_at) > (known.attempt, known.started_at) {
            *known = container;
        }
    }
    let containers: Vec<&ContainerView> = containers.into_values().collect();
    let backs_off = |c: &ContainerView| {
        let path = format!("spec.containers{{{}}}", c.name);
        c.state == ContainerState::ContainerExited
            && news.last_about(pod, &path).is_some_and(|last| last.reason == "BackOff")
    };
    let described = containers.iter().map(|c| match c.state {
        ContainerState::ContainerRunning => match c.process {
            Some(process) => format!("{} running (pid {})", c.name, process.pid),
            None => format!("{} running", c.name),
        },
        ContainerState::ContainerExited => format!("{} exited {}", c.name, c.exit_code),
        ContainerState::ContainerCreated => format!("{} created", c.name),
        ContainerState::ContainerUnknown => format!("{} unknown", c.name),
    });
    let process = containers.iter().find_map(|c| Some((c.name.clone(), c.process?.pid)));
    let all = |state: ContainerState| containers.iter().all(|c| c.state == state);
    let status = if containers.iter().any(|c| backs_off(c)) && newest.ready {
        "CrashLoopBackOff"
    } else if !newest.ready && !containers.iter().any(|c| c.state == ContainerState::ContainerRunning) {
        "Stopped"
    } else if news
        .items
        .iter()
        .rev()
        .find(|item| item.pod == pod)
        .is_some_and(|last| last.reason == "Killing")
    {
        "Stopping"
    } else if containers.is_empty() || containers.iter().any(|c| c.state == ContainerState::ContainerCreated)
    {
        "Starting"
    } else if all(ContainerState::ContainerRunning) {
        "Running"
    } else if all(ContainerState::ContainerExited) {
        if containers.iter().all(|c| c.exit_code == 0) { "Completed" } else { "Error" }
    } else {
        "NotReady"
    };
    Some(Row {
        pod: pod.to_owned(),
        status,
        restarts: containers.iter().filter_map(|c| c.restart_count).sum(),
        since: newest.created_at,
        containers: described.collect::<Vec<_>>().join(", "),
        process,
    })
}

#[cfg(test)]
mod tests {
    use pod_model::{PodRef, PodUid};

    use super::super::news::Item;
    use super::*;

    fn container(name: &str, attempt: u32, state: ContainerState, exit_code: i32) -> ContainerView {
        ContainerView {
            id: format!("{name}-{attempt}"),
            name: name.to_owned(),
            attempt,
            restart_count: Some(attempt),
            state,
            process: None,
            started_at: None,
            finished_at: None,
            exit_code,
            reason: String::new(),
            log_path: String::new(),
        }
    }

    fn node(ready: bool, containers: Vec<ContainerView>) -> NodeView {
        let pod = PodRef { namespace: "default".into(), name: "web".into(), uid: PodUid::new("u1") };
        let sandbox = |attempt, ready, containers| SandboxView {
            id: format!("s{attempt}"),
            pod: pod.clone(),
            has_kubelet_labels: true,
            attempt,
            ready,
            created_at: Timestamp::from_second(i64::from(attempt) + 1).ok(),
            containers,
        };
        let old = vec![container("app", 9, ContainerState::ContainerRunning, 0)];
        NodeView { sandboxes: vec![sandbox(0, false, old), sandbox(1, ready, containers)] }
    }

    #[test]
    fn the_newest_sandbox_and_the_newest_containers_decide() {
        use ContainerState::{ContainerCreated, ContainerExited, ContainerRunning};
        let running = || container("app", 2, ContainerRunning, 0);
        let failed = || container("app", 1, ContainerExited, 3);
        let done = || container("job", 0, ContainerExited, 0);
        for (ready, containers, line) in [
            (true, vec![], "default/web  Starting  "),
            (true, vec![running()], "default/web  Running  restarts 2  app running"),
            (true, vec![failed(), running()], "default/web  Running  restarts 2  app running"),
            (true, vec![failed()], "default/web  Error  restarts 1  app exited 3"),
            (true, vec![done()], "default/web  Completed  job exited 0"),
            (true, vec![running(), done()], "default/web  NotReady  restarts 2  app running, job exited 0"),
            (true, vec![container("app", 0, ContainerCreated, 0)], "default/web  Starting  app created"),
            (false, vec![failed()], "default/web  Stopped  restarts 1  app exited 3"),
        ] {
            let rows = rows(&node(ready, containers), &News::of("/nowhere".into()));
            assert_eq!(rows.iter().map(Row::line).collect::<Vec<_>>(), [line]);
        }
    }

    #[test]
    fn a_container_that_waits_for_its_restart_is_in_a_crash_loop() {
        let mut news = News::of("/nowhere".into());
        news.items.push(Item {
            kind: "Warning".into(),
            reason: "BackOff".into(),
            pod: "default/web".into(),
            field_path: "spec.containers{app}".into(),
            message: String::new(),
        });
        let failed = vec![container("app", 1, ContainerState::ContainerExited, 3)];
        assert_eq!(rows(&node(true, failed), &news)[0].status, "CrashLoopBackOff");
    }

    #[test]
    fn a_pod_of_which_a_container_was_last_told_to_stop_is_stopping() {
        let mut news = News::of("/nowhere".into());
        news.items.push(Item {
            kind: "Normal".into(),
            reason: "Killing".into(),
            pod: "default/web".into(),
            field_path: "spec.containers{app}".into(),
            message: String::new(),
        });
        assert_eq!(rows(&node(true, vec![]), &news)[0].status, "Stopping");
        assert_eq!(rows(&node(false, vec![]), &news)[0].status, "Stopped");
    }

    #[test]
    fn ages() {
        let since = Timestamp::from_second(1000).expect("a time");
        let row =
            Row { since: Some(since), ..rows(&node(true, vec![]), &News::of("/nowhere".into()))[0].clone() };
        for (later, age) in [(0, "0s"), (59, "59s"), (190, "3m10s"), (7260, "2h1m"), (-5, "0s")] {
            assert_eq!(row.age(Timestamp::from_second(1000 + later).expect("a time")), age);
        }
    }
}
