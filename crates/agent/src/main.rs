//! The podwright binary.
fn main() {}
