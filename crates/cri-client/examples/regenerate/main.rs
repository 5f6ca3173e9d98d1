//! Writes the generated CRI code anew after a change of `proto/`: `cargo run -p cri-client --example regenerate`.

mod generate;

fn main() -> anyhow::Result<()> {
    let out = generate::generated_dir();
    generate::generate_into(&out)?;
    println!("wrote {}", out.join("runtime.v1.rs").display());
    Ok(())
}
