//! A check as a lab's `check.rs` is one, with the code under test beside it: `RESTART_AS` names which wrong answer it gives.
//!
//! `tests/run.rs` runs it, since what a check does with a process that ends early needs a process.

use std::process::ExitCode;

use lab_check::{Check, Error};
use serde::{Deserialize, Serialize};

#[derive(Deserialize)]
struct Input {
    policy: String,
    code: i32,
}

#[derive(Serialize)]
struct Answer {
    restart: bool,
}

/// Does a container that ended start again?
fn should_restart(policy: &str, code: i32) -> bool {
    match std::env::var("RESTART_AS").as_deref() {
        Ok("wrong") if policy == "OnFailure" => true,
        Ok("todo") => panic!("not yet implemented: lab 99: who restarts?"),
        Ok("exit") if policy == "OnFailure" => std::process::exit(0),
        _ => policy == "Always" || (policy == "OnFailure" && code != 0),
    }
}

fn main() -> ExitCode {
    let go = "pkg/kubelet/container/helpers.go#ShouldContainerBeRestarted";
    Check::new()
        .cases(|input: Input| -> Result<Answer, Error> {
            if input.policy == "Sometimes" {
                return Err(Error::new("there is no such policy"));
            }
            Ok(Answer { restart: should_restart(&input.policy, input.code) })
        })
        .property("success-ends-it", "OnFailure keeps a success down", go, 0..999i32, |pick| {
            let code = pick / 500;
            if should_restart("OnFailure", code) == (code != 0) {
                Ok(())
            } else {
                Err("it was started".into())
            }
        })
        .observation("it-is-day", "the agent runs", go, || {
            if std::env::var_os("RESTART_NIGHT").is_some() { Err("it is night".into()) } else { Ok(()) }
        })
        .run()
}
