//! The agent is killed with SIGKILL at random moments, in the middle of whatever it does.
//!
//! Twenty rounds with `PODWRIGHT_FULL=1`, five otherwise. A failure names the seed; `PODWRIGHT_SEED` plays it again.

use std::time::Duration;

use anyhow::{Context as _, Result};
use clock::Random;
use nix::sys::signal::Signal;

use crate::node::{Node, PATIENCE, manifest_of, untouched};

/// Pods that nobody touches; their processes must stay the same from the first round to the last.
const KEPT: [&str; 4] = ["kept0", "kept1", "kept2", "kept3"];

#[tokio::test]
async fn whatever_the_agent_was_doing_the_desired_pods_run_once_and_the_others_are_untouched() -> Result<()> {
    let rounds = if std::env::var_os("PODWRIGHT_FULL").is_some() { 20 } else { 5 };
    let drawn = Random::from_machine().below(u64::MAX);
    let seed = std::env::var("PODWRIGHT_SEED").ok().and_then(|text| text.parse().ok()).unwrap_or(drawn);
    let outcome = play(rounds, &Random::seeded(seed)).await;
    outcome.with_context(|| format!("seed {seed}: PODWRIGHT_SEED={seed} plays it again"))
}

async fn play(rounds: u64, random: &Random) -> Result<()> {
    let mut node = Node::with_pods(&KEPT).await?;
    let first = node.view().await?;
    for round in 0..rounds {
        // Twelve pods at once in the first round; then some are edited, some go, some come back, some are killed.
        for pod in 0..12 {
            let name = format!("p{pod}");
            match if round == 0 { 0 } else { random.below(5) } {
                0 | 1 => {
                    let script = format!("trap 'exit 0' TERM; echo {round}; sleep 3600 & wait");
                    node.agent.put_manifest(&format!("{name}.yaml"), &manifest_of(&name, &script))?;
                }
                2 => {
                    // It may be gone already.
                    let _ = node.remove(&name);
                }
                3 => {
                    let view = node.view().await?;
                    if let Ok((_, container)) = Node::up(&view, &name)
                        && let Some(process) = container.process
                    {
                        process.signal(Signal::SIGKILL);
                    }
                }
                _ => {}
            }
        }
        // Not a wait for a state but the test's subject: the moment of the kill is random.
        let moment = Duration::from_millis(random.below(1500));
        let ended = tokio::time::timeout(moment, std::future::pending::<()>());
        let _ = ended.await;
        node.agent.kill9().await?;
        node.agent.restart()?;
    }
    let mut wanted: Vec<String> = KEPT.iter().map(|name| (*name).to_owned()).collect();
    for pod in 0..12 {
        if node.agent.options().manifests().join(format!("p{pod}.yaml")).exists() {
            wanted.push(format!("p{pod}"));
        }
    }
    let wanted: Vec<&str> = wanted.iter().map(String::as_str).collect();
    // A container that was killed several times may be in its back-off.
    let last = node.settles(&wanted, PATIENCE * 2).await?;
    let touched: Vec<String> = (0..12).map(|pod| format!("p{pod}")).collect();
    untouched(&first, &last, &touched.iter().map(String::as_str).collect::<Vec<_>>())
}
