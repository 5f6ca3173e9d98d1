//! Probes and lifecycle hooks: what is called, and how often.
//!
//! Mirrors `validation.go: validateProbe`, `validateHandler`, `validateLifecycle`.

use k8s_openapi::api::core::v1::{
    Container, ExecAction, GRPCAction, HTTPGetAction, LifecycleHandler, Probe, SleepAction, TCPSocketAction,
};
use k8s_openapi::apimachinery::pkg::util::intstr::IntOrString;

use crate::field::{FieldErrors, FieldPath};
use crate::names;

/// Checks the probes and hooks of a container.
pub(crate) fn all(container: &Container, grace: i64, path: &FieldPath, errors: &mut FieldErrors) {
    if let Some(lifecycle) = &container.lifecycle {
        let path = path.child("lifecycle");
        for (field, hook) in [("postStart", &lifecycle.post_start), ("preStop", &lifecycle.pre_stop)] {
            if let Some(hook) = hook {
                of_hook(hook, grace, &path.child(field), errors);
            }
        }
    }
    if let Some(probe) = &container.liveness_probe {
        of_probe(probe, true, &path.child("livenessProbe"), errors);
    }
    if let Some(probe) = &container.readiness_probe {
        let path = path.child("readinessProbe");
        of_probe(probe, false, &path, errors);
        if let Some(grace) = probe.termination_grace_period_seconds {
            let rule = "must not be set for readinessProbes";
            errors.invalid(&path.child("terminationGracePeriodSeconds"), grace, rule);
        }
    }
    if let Some(probe) = &container.startup_probe {
        of_probe(probe, true, &path.child("startupProbe"), errors);
    }
}

fn of_probe(probe: &Probe, one_success: bool, path: &FieldPath, errors: &mut FieldErrors) {
    let handler = Handler {
        exec: probe.exec.as_ref(),
        http_get: probe.http_get.as_ref(),
        tcp_socket: probe.tcp_socket.as_ref(),
        grpc: probe.grpc.as_ref(),
        sleep: None,
    };
    of_handler(&handler, 0, path, errors);
    let numbers = [
        ("initialDelaySeconds", probe.initial_delay_seconds),
        ("timeoutSeconds", probe.timeout_seconds),
        ("periodSeconds", probe.period_seconds),
        ("successThreshold", probe.success_threshold),
        ("failureThreshold", probe.failure_threshold),
    ];
    for (field, number) in numbers {
        errors.not_negative(&path.child(field), number.map(i64::from));
    }
    if let Some(grace) = probe.termination_grace_period_seconds.filter(|grace| *grace <= 0) {
        errors.invalid(&path.child("terminationGracePeriodSeconds"), grace, "must be greater than 0");
    }
    if one_success && probe.success_threshold != Some(1) {
        errors.invalid(
            &path.child("successThreshold"),
            probe.success_threshold.unwrap_or_default(),
            "must be 1",
        );
    }
}

fn of_hook(hook: &LifecycleHandler, grace: i64, path: &FieldPath, errors: &mut FieldErrors) {
    let handler = Handler {
        exec: hook.exec.as_ref(),
        http_get: hook.http_get.as_ref(),
        tcp_socket: hook.tcp_socket.as_ref(),
        grpc: None,
        sleep: hook.sleep.as_ref(),
    };
    of_handler(&handler, grace, path, errors);
}

/// What probes and hooks have in common.
struct Handler<'p> {
    exec: Option<&'p ExecAction>,
    http_get: Option<&'p HTTPGetAction>,
    tcp_socket: Option<&'p TCPSocketAction>,
    grpc: Option<&'p GRPCAction>,
    sleep: Option<&'p SleepAction>,
}

fn of_handler(handler: &Handler<'_>, grace: i64, path: &FieldPath, errors: &mut FieldErrors) {
    let kinds = [
        ("exec", handler.exec.is_some()),
        ("httpGet", handler.http_get.is_some()),
        ("tcpSocket", handler.tcp_socket.is_some()),
        ("grpc", handler.grpc.is_some()),
        ("sleep", handler.sleep.is_some()),
    ];
    let mut set = kinds.into_iter().filter(|(_, is_set)| *is_set);
    if set.next().is_none() {
        errors.required(path, "must specify a handler type");
    }
    for (kind, _) in set {
        errors.forbidden(&path.child(kind), "may not specify more than 1 handler type");
    }
    if handler.exec.is_some_and(|exec| exec.command.as_deref().unwrap_or_default().is_empty()) {
        errors.required(&path.child("exec").child("command"), "");
    }
    if let Some(http_get) = handler.http_get {
        let path = path.child("httpGet");
        of_port(&http_get.port, &path.child("port"), errors);
        errors.one_of(&path.child("scheme"), http_get.scheme.as_deref(), &["HTTP", "HTTPS"]);
        for header in http_get.http_headers.iter().flatten() {
            if header.name.is_empty() || !header.name.chars().all(|c| c == '-' || c.is_ascii_alphanumeric()) {
                let rule = "a valid HTTP header must consist of alphanumeric characters or '-'";
                errors.invalid(&path.child("httpHeaders"), &header.name, rule);
            }
        }
    }
    if let Some(tcp_socket) = handler.tcp_socket {
        of_port(&tcp_socket.port, &path.child("tcpSocket").child("port"), errors);
    }
    if let Some(grpc) = handler.grpc {
        of_port(&IntOrString::Int(grpc.port), &path.child("grpc").child("port"), errors);
    }
    if let Some(sleep) = handler.sleep.filter(|sleep| !(0..=grace).contains(&sleep.seconds)) {
        let rule = format!("must be non-negative and less than terminationGracePeriodSeconds ({grace})");
        errors.invalid(&path.child("sleep"), sleep.seconds, rule);
    }
}

fn of_port(port: &IntOrString, path: &FieldPath, errors: &mut FieldErrors) {
    match port {
        IntOrString::Int(number) => {
            for rule in names::port_number(*number) {
                errors.invalid(path, number, rule);
            }
        }
        IntOrString::String(name) => errors.invalid_for(path, name, names::port_name(name)),
    }
}
