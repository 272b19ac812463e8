//! Hashes every answer for every code point and compares with the reference's hashes.

use taipan_unicode as u;

fn fnv(lines: impl Iterator<Item = String>) -> u64 {
    let mut h = 0xcbf29ce484222325u64;
    for line in lines {
        for b in line.bytes().chain([b'\n']) {
            h = (h ^ b as u64).wrapping_mul(0x100000001b3);
        }
    }
    h
}

fn cps(s: &[u32]) -> String {
    s.iter().map(|c| format!("{c:x}")).collect::<Vec<_>>().join(" ")
}

fn check(name: &str, f: impl Fn(u32) -> String) {
    let want = include_str!("hashes.txt").lines().find_map(|l| l.strip_prefix(name)).unwrap().trim();
    assert_eq!(format!("{:016x}", fnv((0..0x110000).map(f))), want, "{name}");
}

fn float(x: f64) -> String {
    let s = format!("{x:?}");
    match s.split_once('e') {
        Some((m, e)) if !e.starts_with('-') => format!("{}e+{e}", m.strip_suffix(".0").unwrap_or(m)),
        _ => s,
    }
}

#[test]
fn properties() {
    check("props", |c| {
        let flags = [
            u::is_alpha(c),
            u::is_space(c),
            u::is_printable(c),
            u::is_identifier_start(c),
            u::is_identifier_continue(c),
            u::is_decimal(c),
            u::is_digit(c),
            u::is_numeric(c),
            u::is_lower(c),
            u::is_upper(c),
            u::is_title_alone(c),
            u::is_mirrored(c),
            u::is_linebreak(c),
            u::is_alnum(c),
        ];
        let mut v = vec![
            u::category(c).to_string(),
            u::bidirectional(c).to_string(),
            u::combining(c).to_string(),
            u::east_asian_width(c).to_string(),
        ];
        v.extend(flags.iter().map(|&f| (f as u8).to_string()));
        v.push(u::decimal(c).map_or("-1".into(), |d| d.to_string()));
        v.push(u::digit(c).map_or("-1".into(), |d| d.to_string()));
        v.push(float(u::numeric(c).unwrap_or(-1.0)));
        v.push(u::decomposition(c));
        v.join(",")
    });
}

#[test]
fn case() {
    check("case", |c| {
        let s = [c];
        [
            u::upper_str(&s),
            u::lower_str(&s),
            u::title_str(&s),
            u::casefold_str(&s),
            u::swapcase_str(&s),
            u::capitalize_str(&s),
        ]
        .map(|x| cps(&x))
        .join(",")
    });
    check("sigma", |c| {
        let g = 0x3a3;
        let mut v = u::lower_str(&[0x61, c, g]);
        v.extend(u::lower_str(&[g, c, 0x61]));
        v.extend(u::lower_str(&[c, g, c]));
        cps(&v)
    });
}

#[test]
fn names() {
    check("names", |c| u::name(c).unwrap_or_default());
    for c in (0..0x110000).step_by(37) {
        if let Some(n) = u::name(c) {
            assert_eq!(u::lookup(&n.to_lowercase()), Some(u::Named::Char(c)), "{n}");
        }
    }
    assert_eq!(u::lookup("keycap digit one"), Some(u::Named::Sequence(&[0x31, 0xfe0f, 0x20e3])));
    assert_eq!(u::lookup("nul"), Some(u::Named::Char(0)));
    assert_eq!(u::lookup("NO SUCH NAME"), None);
}

#[test]
fn normal_forms() {
    let marks = [0x301, 0x323, 0x41, 0x1161, 0x11a8, 0x345];
    for name in ["NFC", "NFD", "NFKC", "NFKD"] {
        let form = u::Form::from_name(name).unwrap();
        check(&format!("{name} "), |c| {
            let i = c as usize;
            let mut v = u::normalize(form, &[c]);
            v.push('|' as u32);
            v.extend(u::normalize(form, &[marks[i % 6], c, marks[i % 5], marks[i % 4]]));
            cps(&v)
        });
    }
}
