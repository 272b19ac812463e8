//! Extension modules bind to the symbols of the executable, so all of them are exported.

fn main() {
    println!("cargo::rustc-link-arg-bins=-rdynamic");
    println!("cargo::rerun-if-changed=build.rs");
}
