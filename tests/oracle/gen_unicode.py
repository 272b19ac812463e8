"""Prints the Unicode data of the reference interpreter as plain records for `cargo dev gen-unicode`.

One line per run of equal code points: "R first last properties…"; then mappings, decompositions, names.
"""
import sys, unicodedata as u

N = 0x110000
w = sys.stdout.write
flags = [str.isalpha, str.isspace, str.isprintable, str.isidentifier, lambda c: ("a" + c).isidentifier(),
         str.isdecimal, str.isdigit, str.isnumeric, str.islower, str.isupper, str.istitle, lambda c: bool(u.mirrored(c)),
         lambda c: len((c + "x").splitlines()) == 2]
LETTERS = "A\u0345\u03a3"

def cased_ignorable(c):
    # Seen through the final sigma: what stands between a cased letter and the sigma is skipped when ignorable.
    ignorable = ("A" + c + "\u03a3").lower()[-1] == "\u03c2" and (c + "\u03a3").lower()[-1] != "\u03c2"
    cased = (c + "\u03a3").lower()[-1] == "\u03c2"
    return cased, ignorable

start = None
for i in range(N + 1):
    if i < N:
        c = chr(i)
        bits = sum(1 << k for k, f in enumerate(flags) if f(c))
        cased, ignorable = cased_ignorable(c)
        bits |= cased << 13 | ignorable << 14
        rec = (bits, u.category(c), u.bidirectional(c) or "-", u.combining(c), u.east_asian_width(c))
    else:
        rec = None
    if start is None:
        start, prev = i, rec
    elif rec != prev:
        w("R %x %x %x %s %s %d %s\n" % (start, i - 1, *prev))
        start, prev = i, rec
for i in range(N):
    c = chr(i)
    for tag, s in (("U", c.upper()), ("L", c.lower()), ("T", c.title()), ("F", c.casefold())):
        if s != c:
            w("%s %x %s\n" % (tag, i, " ".join("%x" % ord(x) for x in s)))
    d = u.decomposition(c)
    if d:
        w("D %x %s\n" % (i, d))
    n = u.numeric(c, None)
    if n is not None:
        from fractions import Fraction
        f = Fraction(n).limit_denominator(1000)
        assert f.numerator / f.denominator == n, i
        w("N %x %d %d %d %d\n" % (i, u.decimal(c, -1), u.digit(c, -1), f.numerator, f.denominator))
# Simple case mappings as the regex engine sees them, where they differ from the full ones.
import _sre
for i in range(N):
    lo = _sre.unicode_tolower(i)
    if lo != i:
        w("l %x %x\n" % (i, lo))
for i in range(N):
    if 0x3400 <= i <= 0x9fff or 0x20000 <= i <= 0x3ffff or 0xac00 <= i <= 0xd7a3 or 0x17000 <= i <= 0x18cff:
        if u.name(chr(i), "").startswith(("CJK UNIFIED", "HANGUL SYL", "TANGUT IDEO", "KHITAN SMALL SCRIPT CHARACTER-")):
            continue
    n = u.name(chr(i), None)
    if n:
        w("n %x %s\n" % (i, n))
