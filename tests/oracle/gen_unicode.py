"""Writes the tables of taipan-unicode from the reference interpreter's own data.

Usage: python3.14 gen_unicode.py OUTPUT_FOLDER ALIASES_FILE HASHES_FILE  (`cargo dev gen-unicode` does it)
All numbers are little-endian. The module heads in crates/taipan-unicode/src tell what each file holds.
"""
import struct, sys, unicodedata as u
import _sre
from fractions import Fraction

N = 0x110000
folder, aliases_file, hashes_file = sys.argv[1:]
flags = [str.isalpha, str.isspace, str.isprintable, str.isidentifier, lambda c: ("a" + c).isidentifier(),
         str.isdecimal, str.isdigit, str.isnumeric, str.islower, str.isupper, str.istitle, lambda c: bool(u.mirrored(c)),
         lambda c: len((c + "x").splitlines()) == 2]
SIGMA, FINAL = "\u03a3", "\u03c2"
# A lone character can be lower case without being cased for the final sigma, so ask the sigma itself.
def cased(c): return (c + SIGMA).lower()[-1] == FINAL
def ignorable(c): return ("A" + c + SIGMA).lower()[-1] == FINAL and not cased(c) or (cased(c) and ("A" + SIGMA + c).lower()[1] == FINAL)

def write(name, data):
    with open(f"{folder}/{name}.bin", "wb") as f:
        f.write(data)

# Decompositions and what composes.
tags, pool, decomp, compose, seconds = [""], [], [], [], set()
for i in range(N):
    d = u.decomposition(chr(i)).split()
    if not d or 0xac00 <= i <= 0xd7a3:
        continue
    tag = d.pop(0) if d[0].startswith("<") else ""
    if tag not in tags:
        tags.append(tag)
    cps = [int(x, 16) for x in d]
    decomp.append((i, tags.index(tag), len(cps), len(pool)))
    pool += cps
    if not tag and len(cps) == 2 and u.normalize("NFC", chr(i)) == chr(i):
        compose.append((cps[0], cps[1], i))
        seconds.add(cps[1])
seconds.update(range(0x1161, 0x1176)); seconds.update(range(0x11a8, 0x11c3))
write("decompositions", b"".join(struct.pack("<IBBH", i, t, n, o) for i, t, n, o in decomp))
write("decomposed", b"".join(struct.pack("<I", x) for x in pool))
write("compositions", b"".join(struct.pack("<III", *x) for x in sorted(compose)))
decomposes = {i: t for i, t, n, o in decomp}

# Properties: one record for each combination, blocks of 128 code points, an index of blocks.
cats, bidis, widths = [], [""], []
def index(lst, x):
    if x not in lst: lst.append(x)
    return lst.index(x)
special, special_ids, records, per_point = [0], {}, {}, []
numeric = []
for i in range(N):
    c = chr(i)
    bits = sum(1 << k for k, f in enumerate(flags) if f(c))
    bits |= cased(c) << 13 | ignorable(c) << 14
    t = decomposes.get(i)
    hangul = 0xac00 <= i <= 0xd7a3
    bits |= (t == 0 or hangul) << 15 | (t is not None or hangul) << 16 | (i in seconds) << 17
    bits |= (u.normalize("NFC", c) != c) << 18 | (u.normalize("NFKC", c) != c) << 19
    up, lo, ti, fo = c.upper(), c.lower(), c.title(), c.casefold()
    slo = _sre.unicode_tolower(i)
    sup = ord(up) if len(up) == 1 else ord(ti) if len(ti) == 1 else i
    sti = ord(ti) if len(ti) == 1 else i
    sp = 0
    if [lo, up, ti, fo] != [chr(slo), chr(sup), chr(sti), chr(slo)]:
        # Full mappings where the simple ones do not say it: four strings of up to three characters.
        rel = tuple(tuple(map(ord, s)) for s in (lo, up, ti, fo))
        sp = special_ids.setdefault(rel, len(special))
        if sp == len(special):
            special.append(rel)
    n = u.numeric(c, None)
    if n is not None:
        f = Fraction(n).limit_denominator(1000)
        assert f.numerator / f.denominator == n
        numeric.append((i, f.numerator, f.denominator))
    rec = (bits, slo - i, sup - i, sti - i, sp, index(cats, u.category(c)), index(bidis, u.bidirectional(c)),
           u.combining(c), index(widths, u.east_asian_width(c)), u.decimal(c, -1), u.digit(c, -1))
    per_point.append(records.setdefault(rec, len(records)))
blocks, order = {}, []
for b in range(0, N, 128):
    order.append(blocks.setdefault(tuple(per_point[b:b + 128]), len(blocks)))
write("blocks", b"".join(struct.pack("<H", x) for x in order))
write("points", b"".join(struct.pack("<128H", *b) for b in blocks))
write("records", b"".join(struct.pack("<IiiiHBBBBbb", *r) for r in records))
out = bytearray(struct.pack("<16I", *[0] * 16))
for rel in special[1:]:
    for s in rel:
        out += struct.pack("<4I", len(s), *(s + (0,) * (3 - len(s))))
write("special", bytes(out))
write("numeric", b"".join(struct.pack("<IIQ", i, d, n) if n >= 0 else struct.pack("<IIq", i, d, n) for i, n, d in numeric))

# Names: words numbered by first use, each name a run of word numbers.
def ruled(i, n):
    return n.endswith("-%04X" % i) or n.startswith("HANGUL SYLLABLE ")
ranges, names = [], []
for i in range(N):
    n = u.name(chr(i), None)
    if n is None:
        continue
    if ruled(i, n):
        stem = n[:-len("%04X" % i)] if n.endswith("-%04X" % i) else "HANGUL SYLLABLE "
        if ranges and ranges[-1][1] == i - 1 and ranges[-1][2] == stem:
            ranges[-1][1] = i
        else:
            ranges.append([i, i, stem])
    else:
        names.append((i, n))
words, text = {}, []
for _, n in names:
    for w in n.split(" "):
        words.setdefault(w, len(words))
stream, idx = [], []
for i, n in names:
    idx.append((i, len(stream)))
    stream += [words[w] for w in n.split(" ")]
idx.append((N, len(stream)))
offsets, lex = [0], b""
for w in words:
    lex += w.encode(); offsets.append(len(lex))
write("name_words", lex)
write("name_word_ends", b"".join(struct.pack("<I", x) for x in offsets))
write("name_stream", b"".join(struct.pack("<H", x) for x in stream))
write("name_index", b"".join(struct.pack("<II", *x) for x in idx))
by_name = sorted(range(len(names)), key=lambda k: names[k][1])
write("name_order", b"".join(struct.pack("<H", k) for k in by_name))
extra = []
for line in open(aliases_file):
    a = line.strip()
    if a and not a.startswith("#"):
        extra.append((a, u.lookup(a)))
with open(f"{folder}/labels.rs", "w") as f:
    f.write("// Generated by `cargo dev gen-unicode`; do not edit.\n\n")
    for title, lst in (("CATEGORIES", cats), ("BIDI", bidis), ("WIDTHS", widths), ("TAGS", tags)):
        f.write("pub(crate) static %s: &[&str] = &[%s];\n" % (title, ", ".join('"%s"' % x for x in lst)))
    f.write("pub(crate) static NAME_RANGES: &[(u32, u32, &str)] = &[%s];\n" % ", ".join('(0x%x, 0x%x, "%s")' % tuple(r) for r in ranges))
    f.write("pub(crate) static ALIASES: &[(&str, &[u32])] = &[%s];\n" % ", ".join('("%s", &[%s])' % (a, ", ".join("0x%x" % ord(x) for x in s)) for a, s in sorted(extra)))

# Hashes of everything, for the test: FNV-1a over the text of one line per code point.
def fnv(lines):
    h = 0xcbf29ce484222325
    for line in lines:
        for b in line.encode("utf-8", "surrogatepass") + b"\n":
            h = (h ^ b) * 0x100000001b3 & 0xffffffffffffffff
    return h
def cps(s): return " ".join("%x" % ord(x) for x in s)
every = [chr(i) for i in range(N)]
def normal(form):
    return (cps(u.normalize(form, c) + "|" + u.normalize(form, marks[i % 6] + c + marks[i % 5] + marks[i % 4])) for i, c in enumerate(every))
def props(c):
    return ",".join([u.category(c), u.bidirectional(c), str(u.combining(c)), u.east_asian_width(c)] + [str(int(f(c))) for f in flags] + [str(int(c.isalnum())), str(u.decimal(c, -1)), str(u.digit(c, -1)), repr(u.numeric(c, -1.0)), u.decomposition(c)])
marks = ["\u0301", "\u0323", "A", "\u1161", "\u11a8", "\u0345"]
with open(hashes_file, "w") as f:
    for name, lines in (("props", map(props, every)), ("case", (",".join(map(cps, (c.upper(), c.lower(), c.title(), c.casefold(), c.swapcase(), c.capitalize()))) for c in every)),
                        ("sigma", (cps(("a" + c + SIGMA).lower() + (SIGMA + c + "a").lower() + (c + SIGMA + c).lower()) for c in every)),
                        ("names", (u.name(c, "") for c in every)),
                        *((form, normal(form)) for form in ("NFC", "NFD", "NFKC", "NFKD"))):
        f.write("%s %016x\n" % (name, fnv(lines)))

import os
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import unicode_3_2
unicode_3_2.write(folder)
