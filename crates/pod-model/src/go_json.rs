//! JSON in the field order of Go's structs.
//!
//! Two annotations hold JSON. A reader parses it, so the order of its fields means nothing; but an annotation is compared
//! as text by people and by tests, and a swapped kubelet should not change it.

use k8s_openapi::api::core::v1::{ContainerPort, HTTPGetAction, LifecycleHandler};
use k8s_openapi::apimachinery::pkg::util::intstr::IntOrString;
use serde_json::Value;

/// A container's ports: `name, hostPort, containerPort, protocol, hostIP`.
pub(crate) fn ports(ports: &[ContainerPort]) -> String {
    let port = |port: &ContainerPort| {
        object([
            ("name", port.name.clone().map(Value::from)),
            ("hostPort", port.host_port.filter(|n| *n != 0).map(Value::from)),
            ("containerPort", Some(port.container_port.into())),
            ("protocol", port.protocol.clone().map(Value::from)),
            ("hostIP", port.host_ip.clone().map(Value::from)),
        ])
    };
    format!("[{}]", ports.iter().map(port).collect::<Vec<_>>().join(","))
}

/// A hook: `exec, httpGet, tcpSocket, sleep`.
pub(crate) fn handler(handler: &LifecycleHandler) -> String {
    let mut parts = Vec::new();
    let mut part =
        |name: &str, json: Option<String>| parts.extend(json.map(|json| format!("\"{name}\":{json}")));
    part("exec", handler.exec.as_ref().map(|exec| serde_json::to_string(exec).unwrap_or_default()));
    part("httpGet", handler.http_get.as_ref().map(http_get));
    part(
        "tcpSocket",
        handler.tcp_socket.as_ref().map(|tcp| {
            object([("port", Some(int_or_string(&tcp.port))), ("host", tcp.host.clone().map(Value::from))])
        }),
    );
    part("sleep", handler.sleep.as_ref().map(|sleep| serde_json::to_string(sleep).unwrap_or_default()));
    format!("{{{}}}", parts.join(","))
}

fn http_get(get: &HTTPGetAction) -> String {
    let header = |header: &k8s_openapi::api::core::v1::HTTPHeader| {
        object([("name", Some(header.name.clone().into())), ("value", Some(header.value.clone().into()))])
    };
    let headers = get.http_headers.as_ref().filter(|headers| !headers.is_empty());
    let rest = object([
        ("path", get.path.clone().map(Value::from)),
        ("port", Some(int_or_string(&get.port))),
        ("host", get.host.clone().map(Value::from)),
        ("scheme", get.scheme.clone().map(Value::from)),
    ]);
    match headers {
        None => rest,
        Some(headers) => {
            let headers = headers.iter().map(header).collect::<Vec<_>>().join(",");
            format!("{},\"httpHeaders\":[{headers}]}}", rest.trim_end_matches('}'))
        }
    }
}

fn int_or_string(value: &IntOrString) -> Value {
    match value {
        IntOrString::Int(number) => (*number).into(),
        IntOrString::String(name) => name.clone().into(),
    }
}

/// An object with the fields in this order; absent ones and empty texts are left out, as `omitempty` does.
fn object<const N: usize>(fields: [(&str, Option<Value>); N]) -> String {
    let present = fields.into_iter().filter_map(|(name, value)| Some((name, value?)));
    let shown = present
        .filter(|(_, value)| value.as_str() != Some(""))
        .map(|(name, value)| format!("\"{name}\":{value}"));
    format!("{{{}}}", shown.collect::<Vec<_>>().join(","))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_stand_in_gos_order() {
        let given: Vec<ContainerPort> = serde_json::from_value(serde_json::json!([
            {"containerPort": 80, "hostPort": 8080, "protocol": "TCP", "name": "web", "hostIP": "127.0.0.1"},
            {"containerPort": 53, "protocol": "UDP"},
        ]))
        .expect("ports");
        assert_eq!(
            ports(&given),
            r#"[{"name":"web","hostPort":8080,"containerPort":80,"protocol":"TCP","hostIP":"127.0.0.1"},{"containerPort":53,"protocol":"UDP"}]"#
        );
        for (given, shown) in [
            (serde_json::json!({"exec": {"command": ["a", "b"]}}), r#"{"exec":{"command":["a","b"]}}"#),
            (serde_json::json!({"sleep": {"seconds": 3}}), r#"{"sleep":{"seconds":3}}"#),
            (
                serde_json::json!({"httpGet": {"host": "h", "httpHeaders": [{"value": "v", "name": "n"}], "path": "/x", "port": "web", "scheme": "HTTP"}}),
                r#"{"httpGet":{"path":"/x","port":"web","host":"h","scheme":"HTTP","httpHeaders":[{"name":"n","value":"v"}]}}"#,
            ),
            (serde_json::json!({"tcpSocket": {"port": 80}}), r#"{"tcpSocket":{"port":80}}"#),
        ] {
            assert_eq!(handler(&serde_json::from_value(given).expect("a hook")), shown);
        }
    }
}
