//! Compares the codecs with CPython's (`tests/oracle/gen_codecs.py` writes the data).

use taipan_codecs::utf16_32::{self as wide, Order};
use taipan_codecs::{Fault, binascii, decode_with, escapes, simple, utf7, utf8};

fn bytes(s: &str) -> Vec<u8> {
    (0..s.len() / 2).map(|i| u8::from_str_radix(&s[2 * i..2 * i + 2], 16).unwrap()).collect()
}
fn hex(b: &[u8]) -> String {
    b.iter().map(|b| format!("{b:02x}")).collect()
}
fn cps(s: &[u32]) -> String {
    s.iter().map(|c| format!("{c:x}")).collect::<Vec<_>>().join(" ")
}
fn shown(f: Fault) -> String {
    format!("!{} {} {}", f.start, f.end, f.reason)
}

fn step(codec: &str, s: &[u8], pos: usize, out: &mut Vec<u32>) -> Result<usize, Fault> {
    match codec {
        "utf-8" => utf8::decode(s, pos, true, out),
        "utf-16-le" => wide::decode16(Order::Little, s, pos, true, out),
        "utf-16-be" => wide::decode16(Order::Big, s, pos, true, out),
        "utf-32-le" => wide::decode32(Order::Little, s, pos, true, out),
        "utf-32-be" => wide::decode32(Order::Big, s, pos, true, out),
        "ascii" => simple::decode_ascii(s, pos, true, out),
        "latin-1" => simple::decode_latin1(s, pos, true, out),
        "utf-7" => utf7::decode(s, pos, true, out),
        "unicode-escape" => escapes::decode_unicode(&|_| None, &mut None, s, pos, true, out),
        _ => escapes::decode_raw(s, pos, true, out),
    }
}

fn encode(codec: &str, s: &[u32]) -> Result<Vec<u8>, Fault> {
    let mut out = Vec::new();
    match codec {
        "utf-8" => utf8::encode(s, 0, &mut out)?,
        "utf-16-le" => wide::encode16(Order::Little, s, 0, &mut out)?,
        "utf-16-be" => wide::encode16(Order::Big, s, 0, &mut out)?,
        "utf-32-le" => wide::encode32(Order::Little, s, 0, &mut out)?,
        "utf-32-be" => wide::encode32(Order::Big, s, 0, &mut out)?,
        "ascii" => simple::encode_ascii(s, 0, &mut out)?,
        "latin-1" => simple::encode_latin1(s, 0, &mut out)?,
        "utf-7" => out = utf7::encode(s),
        "unicode-escape" => out = escapes::encode_unicode(s),
        _ => out = escapes::encode_raw(s),
    }
    Ok(out)
}

#[test]
fn golden() {
    let mut bad = std::collections::BTreeMap::<String, usize>::new();
    for line in include_str!("golden.txt").lines() {
        let (left, want) = line.split_once(" =").unwrap();
        let want = want.trim_start();
        let mut w = left.splitn(3, ' ');
        let (kind, codec, arg) = (w.next().unwrap(), w.next().unwrap(), w.next().unwrap_or(""));
        let got = match kind {
            "E" => {
                let s: Vec<u32> = arg
                    .split(' ')
                    .filter(|x| !x.is_empty())
                    .map(|x| u32::from_str_radix(x, 16).unwrap())
                    .collect();
                encode(codec, &s).map_or_else(shown, |b| hex(&b))
            }
            "B" => {
                binascii::a2b_base64(&bytes(arg), codec == "1").map_or_else(|e| format!("!{e}"), |b| hex(&b))
            }
            "D" => {
                let mut out = Vec::new();
                step(codec, &bytes(arg), 0, &mut out).map_or_else(shown, |_| cps(&out))
            }
            _ => {
                let mut f = |s: &[u8], pos: usize, _: bool, out: &mut Vec<u32>| step(codec, s, pos, out);
                let mut repair = |f: Fault| Ok::<_, ()>((vec![63], f.end));
                cps(&decode_with(&mut f, &bytes(arg), true, &mut repair).unwrap().0)
            }
        };
        if got != want {
            let n = bad.entry(format!("{kind} {codec}")).or_default();
            *n += 1;
            if *n < 4 {
                eprintln!("{left}\n  want {want}\n  got  {got}");
            }
        }
    }
    assert!(bad.is_empty(), "{bad:?}");
}
