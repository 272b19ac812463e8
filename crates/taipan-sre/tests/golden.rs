//! Runs programs compiled by CPython and compares every span with what CPython found.

use taipan_sre::{Chars, LocaleTable, Match, Matcher, Program, Scanner};

fn show(m: &Match) -> String {
    let span = |g: &Option<(usize, usize)>| match g {
        Some((a, b)) => format!("{a}-{b}"),
        None => "-1--1".into(),
    };
    let groups: Vec<String> = m.groups.iter().map(span).collect();
    format!("{}-{}:{}:{}", m.start, m.end, groups.join(","), m.lastindex.unwrap_or(0))
}

fn run<T: Chars>(p: &Program, text: T, mode: &str, pos: usize, endpos: usize) -> String {
    let locale = LocaleTable::default();
    let mut polls = 0;
    let mut poll = || {
        polls += 1;
        polls > 1000
    };
    let mut m = Matcher::new(p, text, endpos, &locale, &mut poll);
    let found: Vec<Match> = match mode {
        "S" => m.search(pos, false).unwrap().into_iter().collect(),
        "M" => m.match_at(pos, false).unwrap().into_iter().collect(),
        "F" => m.fullmatch(pos).unwrap().into_iter().collect(),
        _ => {
            let mut s = Scanner::new(pos);
            std::iter::from_fn(|| s.search(&mut m).unwrap()).collect()
        }
    };
    if found.is_empty() { "none".into() } else { found.iter().map(show).collect::<Vec<_>>().join(";") }
}

#[test]
fn golden() {
    let mut program = None;
    let mut source = "";
    let (mut bad, mut total) = (0, 0);
    for line in include_str!("golden.txt").lines() {
        let (head, rest) = line.split_at(2);
        if head == "P " {
            let mut w = rest.split(' ').map(|x| x.parse::<u32>().unwrap());
            let groups = w.next().unwrap() as usize;
            program = Some(Program::new(w.collect(), groups).unwrap_or_else(|_| panic!("refused: {rest}")));
            source = rest;
            continue;
        }
        let (left, want) = rest.split_once(" = ").unwrap();
        let mut w = left.split(' ').filter(|x| !x.is_empty());
        let mode = w.next().unwrap();
        let (pos, endpos) = (w.next().unwrap().parse().unwrap(), w.next().unwrap().parse().unwrap());
        let chars: Vec<u32> = w.map(|x| u32::from_str_radix(x, 16).unwrap()).collect();
        let p = program.as_ref().unwrap();
        let mut got = vec![run(p, &chars[..], mode, pos, endpos)];
        if chars.iter().all(|&c| c < 256) {
            let narrow: Vec<u8> = chars.iter().map(|&c| c as u8).collect();
            got.push(run(p, &narrow[..], mode, pos, endpos));
        }
        total += 1;
        if got.iter().any(|g| g != want) {
            bad += 1;
            if bad < 25 {
                eprintln!("program {source}\n  {left}\n  want {want}\n  got  {got:?}");
            }
        }
    }
    assert!(bad == 0, "{bad} of {total} wrong");
}

/// Code cut short or with a word changed is refused or runs to an end; it never panics.
#[test]
fn hostile_code() {
    let locale = LocaleTable::default();
    let mut seed = 1u64;
    let mut next = || {
        seed = seed.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
        (seed >> 33) as usize
    };
    for line in include_str!("golden.txt").lines().filter(|l| l.starts_with("P ")).step_by(3) {
        let mut w = line[2..].split(' ').map(|x| x.parse::<u32>().unwrap());
        let groups = w.next().unwrap() as usize;
        let code: Vec<u32> = w.collect();
        for _ in 0..12 {
            let mut c = code.clone();
            let i = next() % c.len();
            c[i] = [0, 1, 2, 7, 13, 15, 18, 24, 43, u32::MAX, next() as u32 % 60][next() % 11];
            if next() % 4 == 0 {
                c.truncate(i + 1);
            }
            if let Ok(p) = Program::new(c, groups) {
                let mut polls = 0;
                let mut poll = || {
                    polls += 1;
                    polls > 20
                };
                let text: &[u8] = b"aabcab abc";
                let mut m = Matcher::new(&p, text, 10, &locale, &mut poll);
                let _ = m.search(0, false);
            }
        }
    }
}
