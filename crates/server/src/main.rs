//! tegata
fn main() {}
