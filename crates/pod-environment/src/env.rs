//! The environment of a container.
//!
//! Mirrors `kubelet_pods.go: makeEnvironmentVariables`.

use std::collections::BTreeMap;

use cri_client::v1::KeyValue;
use k8s_openapi::api::core::v1::{EnvFromSource, EnvVar, EnvVarSource};
use k8s_openapi::apimachinery::pkg::api::resource::Quantity;
use pod_model::identity::spec;
use pod_model::{Container, Pod, PodRef};

use crate::expand;
use crate::field_ref::{FieldError, field_value};
use crate::resource_field_ref::{ResourceFieldError, resource_value};

/// What an environment may tell beside the spec.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct EnvFacts {
    /// The pod's addresses, as its sandbox has them.
    pub pod_ips: Vec<String>,
    /// The node's addresses, the preferred one first; empty while they are not known.
    pub host_ips: Vec<String>,
    /// The first of the kubelet's own addresses (`--node-ip`) is of version 6, so pods show theirs of version 6 first.
    pub ipv6_first: bool,
    /// What the node has for pods (`status.allocatable`).
    pub allocatable: BTreeMap<String, Quantity>,
}

/// An environment that cannot be made: the container waits with `CreateContainerConfigError` and this text. Where the
/// kubelet has words for it, they are used as they are.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum EnvError {
    /// A pod that was not defaulted.
    #[error("nil pod.spec.enableServiceLinks encountered, cannot construct envvars")]
    ServiceLinksUnset,
    /// A reference to an object of the API, and no API server to ask.
    #[error("couldn't get {kind} {namespace}/{name}, no kubeClient defined")]
    NoApiServer {
        /// `configMap` or `secret`.
        kind: &'static str,
        /// The pod's namespace.
        namespace: String,
        /// The object's name.
        name: String,
    },
    /// A value from a file in a volume.
    #[error("pod {pod}: container {container}: env {variable}: fileKeyRef is not supported")]
    FileKeyRef {
        /// Which pod.
        pod: PodRef,
        /// Which container.
        container: String,
        /// Which variable.
        variable: String,
    },
    /// A field that cannot be shown.
    #[error(transparent)]
    Field(#[from] FieldError),
    /// A resource that cannot be shown.
    #[error(transparent)]
    Resource(#[from] ResourceFieldError),
}

// ANCHOR: environment
/// The environment of one container: each name once, in the order in which they were declared first.
///
/// `$(NAME)` in a value sees what was declared before it. A name that is declared again gets the later value.
///
/// # Errors
/// [`EnvError`], for the first variable that cannot be made.
pub fn environment(pod: &Pod, container: &Container, facts: &EnvFacts) -> Result<Vec<KeyValue>, EnvError> {
    if spec(pod).enable_service_links.is_none() {
        return Err(EnvError::ServiceLinksUnset);
    }
    for source in container.env_from.iter().flatten() {
        refuse_source(pod, source)?;
    }
    let mut made: Vec<(&str, String)> = Vec::new();
    for variable in container.env.iter().flatten() {
        let value = value_of(pod, container, variable, &made, facts)?;
        match made.iter_mut().find(|(name, _)| *name == variable.name) {
            Some((_, earlier)) => *earlier = value,
            None => made.push((&variable.name, value)),
        }
    }
    Ok(made.into_iter().map(|(name, value)| KeyValue { key: name.to_owned(), value: value.into() }).collect())
}
// ANCHOR_END: environment

/// A value that is written down comes before one that is taken from somewhere else.
fn value_of(
    pod: &Pod,
    container: &Container,
    variable: &EnvVar,
    before: &[(&str, String)],
    facts: &EnvFacts,
) -> Result<String, EnvError> {
    match (variable.value.as_deref().unwrap_or_default(), &variable.value_from) {
        ("", None) => Ok(String::new()),
        ("", Some(source)) => sourced_value(pod, container, &variable.name, source, facts),
        (text, _) => Ok(expand(text, |name| {
            before.iter().find(|(known, _)| *known == name).map(|(_, value)| value.clone())
        })),
    }
}

/// A value from the pod itself. What would have to be asked of others is refused.
fn sourced_value(
    pod: &Pod,
    container: &Container,
    variable: &str,
    source: &EnvVarSource,
    facts: &EnvFacts,
) -> Result<String, EnvError> {
    if let Some(field) = &source.field_ref {
        Ok(field_value(pod, field, facts)?)
    } else if let Some(resource) = &source.resource_field_ref {
        Ok(resource_value(pod, container, resource, &facts.allocatable)?)
    } else if let Some(key) = &source.config_map_key_ref {
        Err(no_api_server(pod, "configMap", &key.name))
    } else if let Some(key) = &source.secret_key_ref {
        Err(no_api_server(pod, "secret", &key.name))
    } else if source.file_key_ref.is_some() {
        let (container, variable) = (container.name.clone(), variable.to_owned());
        Err(EnvError::FileKeyRef { pod: PodRef::of(pod), container, variable })
    } else {
        Ok(String::new())
    }
}

/// A whole object as environment. That it is optional does not help: without an API server nobody can say that it does
/// not exist.
fn refuse_source(pod: &Pod, source: &EnvFromSource) -> Result<(), EnvError> {
    if let Some(object) = &source.config_map_ref {
        return Err(no_api_server(pod, "configMap", &object.name));
    }
    if let Some(object) = &source.secret_ref {
        return Err(no_api_server(pod, "secret", &object.name));
    }
    Ok(())
}

fn no_api_server(pod: &Pod, kind: &'static str, name: &str) -> EnvError {
    EnvError::NoApiServer { kind, namespace: PodRef::of(pod).namespace, name: name.to_owned() }
}

#[cfg(test)]
mod tests;
