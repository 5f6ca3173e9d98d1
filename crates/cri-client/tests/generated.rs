//! The committed code is what `proto/` gives, and `proto/` is what the interface table says.

#[path = "../examples/regenerate/generate.rs"]
mod generate;

use std::collections::BTreeSet;
use std::fs;

#[test]
fn committed_code_is_what_the_interface_generates() {
    let out = tempfile::tempdir().expect("a temporary folder");
    generate::generate_into(out.path()).expect("the interface compiles");
    let fresh = fs::read_to_string(out.path().join("runtime.v1.rs")).expect("generated code");
    let committed =
        fs::read_to_string(generate::generated_dir().join("runtime.v1.rs")).expect("committed code");
    assert!(
        fresh == committed,
        "stale: run `cargo run -p cri-client --example regenerate` and commit the result"
    );
}

#[test]
fn the_interface_has_every_name_number_and_type_of_the_table() {
    let table = fs::read_to_string(generate::proto_dir().join("runtime/v1/cri-v1.tsv")).expect("the table");
    let files =
        protox::compile(["runtime/v1/api.proto"], [generate::proto_dir()]).expect("the interface compiles");
    let file = files.file.iter().find(|f| f.package() == "runtime.v1").expect("the package");

    let mut found = BTreeSet::new();
    for service in &file.service {
        for method in &service.method {
            let last = |path: &str| path.rsplit('.').next().unwrap_or_default().to_owned();
            let stream = if method.server_streaming() { "stream " } else { "" };
            found.insert(format!(
                "rpc {} {} {} {stream}{}",
                service.name(),
                method.name(),
                last(method.input_type()),
                last(method.output_type())
            ));
        }
    }
    for message in &file.message_type {
        for field in &message.field {
            found.insert(format!("message {} {} {}", message.name(), field.name(), field.number()));
        }
        for nested in &message.enum_type {
            for value in &nested.value {
                found.insert(format!(
                    "enum {}.{} {} {}",
                    message.name(),
                    nested.name(),
                    value.name(),
                    value.number()
                ));
            }
        }
    }
    for kind in &file.enum_type {
        for value in &kind.value {
            found.insert(format!("enum {} {} {}", kind.name(), value.name(), value.number()));
        }
    }

    let mut wanted = BTreeSet::new();
    for row in table.lines().skip(1) {
        let cells: Vec<&str> = row.split('\t').collect();
        match cells[..] {
            ["rpc", service, name, input, output, ..] => {
                wanted.insert(format!("rpc {service} {name} {input} {output}"));
            }
            ["enum", of, name, number, ..] => {
                wanted.insert(format!("enum {of} {name} {number}"));
            }
            ["message", of, name, number, ..] if !number.is_empty() => {
                wanted.insert(format!("message {of} {name} {number}"));
            }
            _ => {}
        }
    }
    assert!(wanted.len() > 500, "the table was read: {} rows", wanted.len());
    let missing: Vec<_> = wanted.symmetric_difference(&found).collect();
    assert!(missing.is_empty(), "in one and not in the other: {missing:#?}");
}
