//! Files that are generated and checked in: written by one command, proven fresh by `--check`.

use std::process::{Command, Stdio};

/// Formats `source` and writes it to `path`; with `--check` among `args` compares instead.
pub fn write(path: &str, source: &str, args: &[String]) -> Result<(), String> {
    let formatted = rustfmt(source)?;
    if args.iter().any(|a| a == "--check") {
        let present = std::fs::read_to_string(path).unwrap_or_default();
        return if present == formatted {
            Ok(())
        } else {
            Err(format!("{path} is stale: run the command without --check"))
        };
    }
    std::fs::write(path, formatted).map_err(|e| format!("{path}: {e}"))
}

fn rustfmt(source: &str) -> Result<String, String> {
    use std::io::Write as _;
    let mut child = Command::new("rustfmt")
        .args(["--edition", "2024", "--config", "max_width=110"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .map_err(|e| format!("rustfmt: {e}"))?;
    let mut stdin = child.stdin.take().ok_or("rustfmt has no standard input")?;
    let text = source.to_owned();
    let writer = std::thread::spawn(move || stdin.write_all(text.as_bytes()));
    let output = child.wait_with_output().map_err(|e| e.to_string())?;
    writer.join().map_err(|_| "rustfmt writer failed")?.map_err(|e| e.to_string())?;
    if !output.status.success() {
        return Err("rustfmt refused the generated source".into());
    }
    String::from_utf8(output.stdout).map_err(|e| e.to_string())
}
