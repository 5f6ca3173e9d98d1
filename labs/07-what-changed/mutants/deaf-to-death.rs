pub fn compare(old: Option<&PodRecord>, new: Option<&PodRecord>) -> Vec<PodLifecycleEvent> {
    let none = BTreeMap::new();
    let old = old.map_or(&none, |record| &record.members);
    let new = new.map_or(&none, |record| &record.members);
    let mut events = Vec::new();
    for (id, now) in new {
        if old.get(id).map(|seen| seen.state) == Some(now.state) || now.state == ContainerState::Exited {
            continue;
        }
        events.push(match now.state {
            ContainerState::Running => PodLifecycleEvent::ContainerStarted(id.clone()),
            ContainerState::Exited => PodLifecycleEvent::ContainerDied(id.clone()),
            ContainerState::Created | ContainerState::Unknown => {
                PodLifecycleEvent::ContainerChanged(id.clone())
            }
        });
    }
    for (id, before) in old {
        if !new.contains_key(id) {
            // A container that vanished while it ran has died, too: nobody will ever report its exit.
            if before.state != ContainerState::Exited {
                events.push(PodLifecycleEvent::ContainerDied(id.clone()));
            }
            events.push(PodLifecycleEvent::ContainerRemoved(id.clone()));
        }
    }
    events
}
