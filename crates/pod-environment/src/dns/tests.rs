use super::*;

fn pod(spec: serde_json::Value) -> Pod {
    let mut pod =
        serde_json::json!({"metadata": {"name": "web", "namespace": "ns", "uid": "u1"}, "spec": spec});
    pod["spec"]["containers"] = serde_json::json!([]);
    serde_json::from_value(pod).expect("a pod")
}

fn settings() -> DnsSettings {
    DnsSettings {
        cluster_dns: vec!["10.96.0.10".parse().expect("an address")],
        cluster_domain: "cluster.local".into(),
        host: Some(
            ResolvConf::parse("nameserver 1.1.1.1\nsearch corp.example cluster.local\noptions rotate")
                .expect("a file"),
        ),
        node_ips: vec![],
    }
}

fn shown(dns: &PodDns) -> String {
    let DnsConfig { servers, searches, options } = &dns.config;
    format!("{} | {} | {}", servers.join(" "), searches.join(" "), options.join(" "))
}

const CLUSTER: &str =
    "10.96.0.10 | ns.svc.cluster.local svc.cluster.local cluster.local corp.example | ndots:5";
const HOST: &str = "1.1.1.1 | corp.example cluster.local | rotate";

#[test]
fn the_policy_decides_where_settings_begin() {
    for (spec, expected) in [
        (serde_json::json!({}), CLUSTER),
        (serde_json::json!({"dnsPolicy": "ClusterFirst"}), CLUSTER),
        (serde_json::json!({"dnsPolicy": "ClusterFirst", "hostNetwork": true}), HOST),
        (serde_json::json!({"dnsPolicy": "ClusterFirstWithHostNet", "hostNetwork": true}), CLUSTER),
        (serde_json::json!({"dnsPolicy": "Default"}), HOST),
        (serde_json::json!({"dnsPolicy": "None"}), " |  | "),
        (serde_json::json!({"dnsPolicy": "Odd", "hostNetwork": true}), CLUSTER),
    ] {
        let dns = pod_dns(&pod(spec.clone()), &settings());
        assert_eq!(shown(&dns), expected, "{spec}");
        assert_eq!(dns.problems, [], "{spec}");
    }
}

#[test]
fn the_pods_own_settings_are_added() {
    let own = serde_json::json!({"dnsConfig": {
        "nameservers": ["10.0.0.53", "10.96.0.10"], "searches": ["a.example", "cluster.local"],
        "options": [{"name": "ndots", "value": "2"}, {"name": "edns0"}, {"name": "timeout", "value": ""}],
    }});
    assert_eq!(
        shown(&pod_dns(&pod(own.clone()), &settings())),
        "10.96.0.10 10.0.0.53 | ns.svc.cluster.local svc.cluster.local cluster.local corp.example a.example | ndots:2 edns0 timeout"
    );
    let mut alone = own;
    alone["dnsPolicy"] = serde_json::json!("None");
    assert_eq!(
        shown(&pod_dns(&pod(alone), &settings())),
        "10.0.0.53 10.96.0.10 | a.example cluster.local | ndots:2 edns0 timeout"
    );
}

#[test]
fn without_cluster_dns_the_pod_gets_the_nodes_and_is_told() {
    let none = DnsSettings { cluster_dns: vec![], ..settings() };
    let dns = pod_dns(&pod(serde_json::json!({})), &none);
    assert_eq!(shown(&dns), HOST);
    assert_eq!(
        dns.problems,
        [DnsProblem {
            reason: "MissingClusterDNS",
            message: "pod: \"web_ns(u1)\". kubelet does not have ClusterDNS IP configured and cannot create Pod using \"ClusterFirst\" policy. Falling back to \"Default\" policy.".into(),
        }]
    );
    assert_eq!(pod_dns(&pod(serde_json::json!({"dnsPolicy": "Default"})), &none).problems, []);
}

#[test]
fn without_a_cluster_domain_only_the_hosts_searches_remain() {
    let nameless = DnsSettings { cluster_domain: String::new(), ..settings() };
    assert_eq!(
        shown(&pod_dns(&pod(serde_json::json!({})), &nameless)),
        "10.96.0.10 | corp.example cluster.local | ndots:5"
    );
}

#[test]
fn an_empty_resolv_conf_setting_turns_look_ups_off() {
    let ip = |text: &str| text.parse().expect("an address");
    let off = |node_ips| DnsSettings { host: None, node_ips, ..settings() };
    let default = pod(serde_json::json!({"dnsPolicy": "Default"}));
    for (node_ips, expected) in [
        (vec![], "127.0.0.1 | . | "),
        (vec![ip("10.0.0.1")], "127.0.0.1 | . | "),
        (vec![ip("fd00::1"), ip("10.0.0.1")], "::1 127.0.0.1 | . | "),
    ] {
        assert_eq!(shown(&pod_dns(&default, &off(node_ips))), expected);
    }
    assert_eq!(
        shown(&pod_dns(&pod(serde_json::json!({})), &off(vec![]))),
        "10.96.0.10 | ns.svc.cluster.local svc.cluster.local cluster.local | ndots:5"
    );
}

#[test]
fn nameservers_beyond_the_third_are_left_out_with_a_warning() {
    let spec = |n: usize| {
        let servers: Vec<String> = (1..=n).map(|i| format!("10.0.0.{i}")).collect();
        serde_json::json!({"dnsPolicy": "None", "dnsConfig": {"nameservers": servers}})
    };
    assert_eq!(pod_dns(&pod(spec(3)), &settings()).problems, []);
    let dns = pod_dns(&pod(spec(4)), &settings());
    assert_eq!(dns.config.servers, ["10.0.0.1", "10.0.0.2", "10.0.0.3"]);
    assert_eq!(
        dns.problems,
        [DnsProblem {
            reason: "DNSConfigForming",
            message: "Nameserver limits were exceeded, some nameservers have been omitted, the applied nameserver line is: 10.0.0.1 10.0.0.2 10.0.0.3".into(),
        }]
    );
}

#[test]
fn searches_are_cut_to_what_resolvers_hold() {
    let numbered =
        |n: usize, length: usize| -> Vec<String> { (0..n).map(|i| format!("{i:0length$}")).collect() };
    let mut one_too_long = numbered(3, 10);
    one_too_long.insert(1, "x".repeat(254));
    for (searches, kept, why) in [
        (numbered(32, 10), 32, "all fit"),
        (numbered(33, 10), 32, "too many"),
        (one_too_long, 3, "one too long, the others stay"),
        // Nine of 227 with blanks between are 2051; eight are 1823.
        (numbered(9, 227), 8, "too long together"),
        (numbered(1, 253), 1, "as long as a name may be"),
    ] {
        let spec = serde_json::json!({"dnsPolicy": "None", "dnsConfig": {"searches": searches}});
        let dns = pod_dns(&pod(spec), &settings());
        assert_eq!(dns.config.searches.len(), kept, "{why}");
        let warning = format!(
            "Search Line limits were exceeded, some search paths have been omitted, the applied search line is: {}",
            dns.config.searches.join(" ")
        );
        let texts: Vec<&str> = dns.problems.iter().map(|p| p.message.as_str()).collect();
        assert_eq!(texts, if kept == searches.len() { vec![] } else { vec![warning.as_str()] }, "{why}");
    }
}
