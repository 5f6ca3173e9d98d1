//! The binary as a service manager, kubeadm or a person meets it.

use std::process::{Command, Output};

fn podwright(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_podwright")).args(arguments).output().expect("it runs")
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

#[test]
fn version_is_the_line_that_kubeadm_expects() {
    let output = podwright(&["--version"]);
    assert!(output.status.success());
    assert_eq!(text(&output.stdout).trim_end(), "Kubernetes v1.36.2");
}

#[test]
fn help_teaches_and_names_every_flag_of_the_kubelet() {
    let help = text(&podwright(&["--help"]).stdout);
    for part in
        ["--root-dir", "--pod-manifest-path", "--container-runtime-endpoint", "--adopt", "embedded", "--v"]
    {
        assert!(help.contains(part), "{part} is missing in:\n{help}");
    }
    for flag in kubelet_config::FLAGS {
        assert!(help.contains(&format!("--{}", flag.name)), "--{} is missing", flag.name);
    }
}

#[test]
fn what_keeps_it_from_starting_is_said_and_the_exit_code_is_one() {
    let folder = tempfile::tempdir().expect("a folder");
    let config = folder.path().join("config.yaml");
    let wrong = "apiVersion: kubelet.config.k8s.io/v1beta1\nkind: KubeletConfiguration\nstaticPodPth: /m\n";
    std::fs::write(&config, wrong).expect("written");
    let config = config.display().to_string();
    let root = folder.path().join("root").display().to_string();
    for (arguments, said) in [
        (vec!["--no-such-flag"], "--no-such-flag"),
        (vec!["manifest.yaml"], "manifest.yaml"),
        (vec!["--config", "/nonexistent/config.yaml"], "/nonexistent/config.yaml"),
        (vec!["--config", &config], "staticPodPath"),
        (vec!["--healthz-port", "70000"], "healthzPort"),
        (vec!["--root-dir", &root, "--hostname-override", "not_a_name"], "--hostname-override"),
        (
            vec![
                "--root-dir",
                &root,
                "--healthz-port=0",
                "--container-runtime-endpoint",
                "tcp://127.0.0.1:1",
            ],
            "only unix:// sockets",
        ),
    ] {
        let output = podwright(&arguments);
        let stderr = text(&output.stderr);
        assert_eq!(output.status.code(), Some(1), "{arguments:?}: {stderr}");
        assert!(stderr.contains(said), "{arguments:?}: {said:?} is missing in: {stderr}");
        assert!(!stderr.contains("panicked"), "{stderr}");
    }
}
