//! The command line: the kubelet's own flags, and a few more.
//!
//! Flags that set a field of the configuration are made from `kubelet_config`'s table, so that none is forgotten. Mirrors
//! `cmd/kubelet/app/options/options.go`.

use std::ffi::OsString;
use std::path::PathBuf;

use clap::{Arg, ArgAction, ArgMatches, Command, error::ErrorKind};
use kubelet_config::{FLAGS, FlagOverrides, Sources};

/// The word that stands for the embedded runtime where an endpoint is asked for.
pub const EMBEDDED: &str = "embedded";

/// Flags of the kubelet without a field in the configuration that have no effect yet, and what will give them one.
const NOT_YET: &[(&str, &str)] = &[
    ("bootstrap-kubeconfig", "joining a cluster"),
    ("cert-dir", "certificates"),
    ("kubeconfig", "joining a cluster"),
    ("node-ip", "the node's status"),
    ("node-labels", "the node's status"),
    ("provider-id", "the node's status"),
    ("image-credential-provider-config", "image pulls with credentials"),
    ("image-credential-provider-bin-dir", "image pulls with credentials"),
    ("node-status-max-images", "the node's status"),
    ("runtime-cgroups", "cgroups"),
    ("pod-infra-container-image", "nothing: the runtime knows its sandbox image"),
];

/// What the command line says.
#[derive(Debug)]
pub struct Arguments {
    /// Where the configuration comes from, flags included.
    pub sources: Sources,
    /// The agent's own directory.
    pub root_dir: PathBuf,
    /// The node's name, when it is not the host's.
    pub hostname_override: Option<String>,
    /// Where pod logs go, over the configuration's.
    pub pod_logs_dir: Option<PathBuf>,
    /// Use the embedded runtime.
    pub embedded: bool,
    /// Take over pods that the runtime holds.
    pub adopt: bool,
    /// Flags that were given and have no effect yet, with what will give them one.
    pub not_yet: Vec<(&'static str, &'static str)>,
}

/// Reads the command line.
///
/// # Errors
/// What clap says: help and version are errors of a kind, too.
pub fn parse(arguments: impl IntoIterator<Item = OsString>) -> Result<Arguments, clap::Error> {
    let mut command = command();
    let matches = command.try_get_matches_from_mut(arguments.into_iter().map(with_dashes))?;
    let embedded = matches.get_many::<String>("container-runtime-endpoint").into_iter().flatten().last();
    let embedded = embedded.is_some_and(|endpoint| endpoint == EMBEDDED);
    let flags =
        flag_overrides(&matches, embedded).map_err(|text| command.error(ErrorKind::ValueValidation, text))?;
    let path = |name: &str| matches.get_one::<PathBuf>(name).cloned();
    Ok(Arguments {
        sources: Sources { config: path("config"), config_dir: path("config-dir"), flags },
        root_dir: path("root-dir").unwrap_or_else(|| PathBuf::from("/var/lib/kubelet")),
        hostname_override: matches
            .get_one::<String>("hostname-override")
            .filter(|name| !name.is_empty())
            .cloned(),
        pod_logs_dir: path("pod-logs-dir"),
        embedded,
        adopt: matches.get_flag("adopt"),
        not_yet: NOT_YET.iter().filter(|(name, _)| matches.contains_id(name)).copied().collect(),
    })
}

/// `--pod_manifest_path` is `--pod-manifest-path`. Mirrors `component-base/cli/flag: WordSepNormalizeFunc`.
fn with_dashes(argument: OsString) -> OsString {
    let Some(text) = argument.to_str() else { return argument };
    if !text.starts_with("--") {
        return argument;
    }
    match text.split_once('=') {
        Some((name, value)) => format!("{}={value}", name.replace('_', "-")).into(),
        None => text.replace('_', "-").into(),
    }
}

fn flag_overrides(matches: &ArgMatches, embedded: bool) -> Result<FlagOverrides, String> {
    let mut flags = FlagOverrides::new();
    for flag in FLAGS {
        if embedded && flag.name == "container-runtime-endpoint" {
            continue;
        }
        for value in matches.get_many::<String>(flag.name).into_iter().flatten() {
            flags.set(flag.name, value).map_err(|e| e.to_string())?;
        }
    }
    Ok(flags)
}

fn command() -> Command {
    let own = |name: &'static str, value: &'static str, help: &'static str| {
        Arg::new(name).long(name).value_name(value).help(help)
    };
    let path = clap::value_parser!(PathBuf);
    let mut command = Command::new("podwright")
        .about("A kubelet: runs the pods of this node, and keeps them running")
        .long_about(
            "A kubelet: runs the pods of this node, and keeps them running.\n\n\
             Static pods come from a manifest directory and need no API server:\n  \
             podwright --root-dir /tmp/node --pod-logs-dir /tmp/node/logs/pods \\\n    \
             --container-runtime-endpoint embedded --pod-manifest-path /tmp/manifests\n\n\
             The runtime does the running: containerd, CRI-O or cri-dockerd over its socket, or `embedded`, whose \
             containers are plain processes without isolation and which needs no root.",
        )
        // kubeadm reads this line and compares the version with its own.
        .display_name("Kubernetes")
        .version(version())
        .disable_version_flag(true)
        .arg(Arg::new("version").long("version").action(ArgAction::Version).help("Print the Kubernetes version that this agent mirrors"))
        .next_help_heading("The agent")
        .arg(own("config", "FILE", "KubeletConfiguration (kubelet.config.k8s.io/v1beta1) to start from; flags are laid over it").value_parser(path.clone()))
        .arg(own("config-dir", "DIR", "Directory of *.conf files, merged over --config in the order of their paths").value_parser(path.clone()))
        .arg(own("root-dir", "DIR", "The agent's own directory [default: /var/lib/kubelet]").value_parser(path.clone()))
        .arg(own("pod-logs-dir", "DIR", "Where pod logs go, over the configuration's podLogsDir; links for log collectors go beside it, into containers").value_parser(path))
        .arg(own("hostname-override", "NAME", "The node's name [default: the host's]"))
        .arg(Arg::new("adopt").long("adopt").action(ArgAction::SetTrue).help("Take over the pods that the runtime holds and another kubelet made: those that nobody configures here are killed"))
        .next_help_heading("Flags over fields of the configuration");
    for flag in FLAGS {
        let mut arg = Arg::new(flag.name)
            .long(flag.name)
            .action(ArgAction::Append)
            .help(help_of(flag.name, flag.field));
        if flag.is_switch() {
            arg = arg
                .num_args(0..=1)
                .require_equals(true)
                .default_missing_value("true")
                .value_name("true|false");
        } else {
            arg = arg.value_name("VALUE").allow_hyphen_values(true);
        }
        if flag.name == "v" {
            arg = arg.short('v');
        }
        command = command.arg(arg);
    }
    command = command.next_help_heading("Accepted, without effect in this version");
    for (name, chapter) in NOT_YET.iter().filter(|(name, _)| FLAGS.iter().all(|flag| flag.name != *name)) {
        command = command
            .arg(Arg::new(*name).long(*name).value_name("VALUE").help(format!("waits for: {chapter}")));
    }
    command
}

fn help_of(name: &str, field: &str) -> String {
    match name {
        "pod-manifest-path" => {
            "Directory of static pod manifests, or one manifest file (staticPodPath)".into()
        }
        "container-runtime-endpoint" => {
            "unix:// socket of the runtime, or `embedded` (containerRuntimeEndpoint)".into()
        }
        "healthz-port" => "Port of /healthz on --healthz-bind-address; 0 turns it off (healthzPort)".into(),
        "v" => "How much is logged: 2 tells what changes, 4 why, 6 everything (logging.verbosity)".into(),
        _ => format!("Sets {field}"),
    }
}

/// What `--version` prints after the program's name, and what kubeadm compares with its own version.
pub fn version() -> &'static str {
    kubernetes_version(include_str!("../../../versions.toml"))
}

/// The `version` of the section `[kubernetes]`.
fn kubernetes_version(versions: &'static str) -> &'static str {
    let section = versions.split("[kubernetes]").nth(1).unwrap_or_default();
    let line = section.lines().find_map(|line| line.strip_prefix("version = \""));
    line.and_then(|rest| rest.split('"').next()).unwrap_or("unknown")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(arguments: &[&str]) -> Result<Arguments, clap::Error> {
        parse(["podwright"].iter().chain(arguments).map(OsString::from))
    }

    #[test]
    fn the_definition_is_sound() {
        command().debug_assert();
        assert!(version().starts_with("v1.36."), "{}", version());
    }

    #[test]
    fn the_kubelets_forms_of_flags_are_understood() {
        let arguments = parsed(&[
            "--root_dir=/r",
            "--pod-manifest-path",
            "/m",
            "--fail-swap-on=false",
            "--cgroups-per-qos",
            "-v",
            "4",
            "--hostname-override=Node1",
            "--node-labels=",
            "--container-runtime-endpoint=unix:///run/x.sock",
        ])
        .expect("understood");
        assert_eq!(arguments.root_dir, PathBuf::from("/r"));
        assert_eq!(arguments.hostname_override.as_deref(), Some("Node1"));
        assert_eq!(arguments.not_yet.iter().map(|(name, _)| *name).collect::<Vec<_>>(), ["node-labels"]);
        let fields: Vec<_> = arguments.sources.flags.fields().collect();
        for field in
            ["staticPodPath", "failSwapOn", "cgroupsPerQOS", "logging.verbosity", "containerRuntimeEndpoint"]
        {
            assert!(fields.contains(&field), "{field}: {fields:?}");
        }
        assert!(!arguments.embedded);
    }

    #[test]
    fn embedded_is_no_endpoint() {
        let arguments = parsed(&["--container-runtime-endpoint", "embedded"]).expect("understood");
        assert!(arguments.embedded);
        assert_eq!(arguments.sources.flags.fields().count(), 0);
    }

    #[test]
    fn what_is_not_understood_is_refused_by_name() {
        for (arguments, word) in [
            (["--no-such-flag"], "--no-such-flag"),
            (["--healthz-port=many"], "healthz-port"),
            (["manifest.yaml"], "manifest.yaml"),
        ] {
            let error = parsed(&arguments).expect_err(word);
            assert!(error.use_stderr() && error.to_string().contains(word), "{error}");
        }
    }
}
