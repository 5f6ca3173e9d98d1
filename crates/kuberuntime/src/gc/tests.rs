//! Rows: what the runtime has, whether the pod is gone, what is removed. See [`crate::notation`].

use proptest::prelude::*;
use proptest::sample::select;

use super::*;
use crate::notation::{pod, status};

#[test]
fn what_goes_and_what_stays() {
    let (wanted, gone) = (false, true);
    for (runtime, is_gone, removed) in [
        ("", wanted, ""),
        ("0 | a:run", wanted, ""),
        ("0 | a:run a:1", wanted, ""),
        ("0 | a:run a:1 a:1", wanted, "a.0"),
        ("0 | a:0 a:1 b:0 a:2 b:1", wanted, "b.0 a.0 a.1"),
        // A newer one that runs does not use up the place of the newest dead.
        ("0 | a:run a:run a:1", wanted, ""),
        ("0 | a:unk a:1", wanted, "a.0"),
        ("0 | a:1 a:unk", wanted, "a.0"),
        // Its start may be under way: it pushes nothing out.
        ("0 | a:new a:1", wanted, ""),
        ("0 | a:new a:1 a:0", wanted, "a.0"),
        // It never was started, and never will be.
        ("0 | a:run a:new a:1", wanted, "a.1"),
        ("0 | a:nil a:1", wanted, ""),
        ("0 | a:nil a:1 a:0", wanted, "a.0"),
        ("0 | a:nil a:nil a:nil", wanted, "a.0 a.1"),
        ("0 | a:run a:nil a:1", wanted, "a.1"),
        ("0- | a:nil a:1", gone, "a.0 a.1 s0"),
        ("0 | a:1 a:new", wanted, "a.0"),
        // Sandboxes: the newest of a wanted pod stays, and so does one that is ready or holds something.
        ("0-", wanted, ""),
        ("1 0-", wanted, "s0"),
        ("1- 0-", wanted, "s0"),
        ("2 1- 0-", wanted, "s0 s1"),
        ("1 0", wanted, ""),
        ("1 0- | a:run a:1@0", wanted, ""),
        ("1 0- | a:run a:1 a:1@0", wanted, "a.0 s0"),
        ("2 1- 0- | a:run a:1@1 a:1@0", wanted, "a.0 s0"),
        // Nothing of a pod that is gone stays, but what still lives.
        ("0- | a:0", gone, "a.0 s0"),
        ("1- 0- | a:0 a:1@0 b:new", gone, "b.0 a.0 a.1 s0 s1"),
        ("0 | a:run b:0", gone, "b.0"),
        ("0- | a:run b:0", gone, "b.0"),
        ("0 | a:0", gone, "a.0"),
        ("0- | a:unk", gone, "a.0 s0"),
    ] {
        let plan = plan_gc(&status(&pod("Always: a b"), runtime), is_gone);
        let ids = plan.containers.iter().map(|(id, _)| id).chain(&plan.sandboxes);
        let ids: Vec<&str> = ids.map(String::as_str).collect();
        assert_eq!(ids.join(" "), removed, "{runtime}   gone: {is_gone}");
        assert_eq!(plan.is_empty(), removed.is_empty());
        assert!(plan.containers.iter().all(|(id, name)| id.starts_with(name)), "{plan:?}");
    }
}

fn any_runtime() -> impl Strategy<Value = String> {
    let sandboxes = proptest::collection::vec(prop_oneof![Just(""), Just("-")], 0..4);
    let states = select(&["run", "new", "unk", "0", "1", "nil"][..]);
    let container = (prop_oneof![Just("a"), Just("b")], states, 0..3u32);
    (sandboxes, proptest::collection::vec(container, 0..8)).prop_map(|(sandboxes, containers)| {
        let newest_first = sandboxes.iter().enumerate().rev();
        let sandboxes: Vec<_> = newest_first.map(|(attempt, state)| format!("{attempt}{state}")).collect();
        let containers: Vec<_> = containers.iter().map(|(n, s, home)| format!("{n}:{s}@{home}")).collect();
        format!("{} | {}", sandboxes.join(" "), containers.join(" "))
    })
}

proptest! {
    #[test]
    fn nothing_that_lives_is_removed_nor_what_explains_the_last_end(text in any_runtime(), gone: bool) {
        let status = status(&pod("Always: a b"), &text);
        let plan = plan_gc(&status, gone);
        for (id, name) in &plan.containers {
            let container = status.containers.iter().find(|c| c.id == *id).expect("one of the pod's");
            prop_assert!(container.state != ContainerState::Running, "{} removes {}", text, id);
            let dead = |c: &&ContainerStatus| {
                let ended = matches!(c.state, ContainerState::Exited | ContainerState::Unknown);
                c.name == *name && ended && !c.never_ran()
            };
            let newest_dead = status.containers.iter().find(dead).is_some_and(|c| c.id == *id);
            prop_assert!(gone || !newest_dead, "{} removes {}", text, id);
        }
        for id in &plan.sandboxes {
            let sandbox = status.sandboxes.iter().find(|s| s.id == *id).expect("one of the pod's");
            prop_assert!(sandbox.state() != v1::PodSandboxState::SandboxReady);
            let stays = |c: &&ContainerStatus| !plan.containers.iter().any(|(doomed, _)| *doomed == c.id);
            prop_assert!(status.containers.iter().filter(stays).all(|c| c.sandbox_id != *id), "{}: {} is not empty", text, id);
            prop_assert!(gone || status.sandboxes[0].id != *id, "{} removes the newest", text);
        }
        // Once carried out, there is nothing left to plan.
        let mut after = status.clone();
        after.containers.retain(|c| !plan.containers.iter().any(|(id, _)| *id == c.id));
        after.sandboxes.retain(|s| !plan.sandboxes.contains(&s.id));
        prop_assert!(plan_gc(&after, gone).is_empty(), "{} leaves {:?}", text, plan_gc(&after, gone));
    }
}
