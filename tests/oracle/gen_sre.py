"""Writes golden data for the regex engine; run it with the reference interpreter.

Usage: python3.14 gen_sre.py > crates/taipan-sre/tests/golden.txt
"P groups words…" gives a program, "M mode pos endpos text = matches" what it finds.
"""
import random, re, warnings
from test import re_tests

warnings.simplefilter("ignore")
captured = []
class Shim:
    def __init__(self, real): self._real = real
    def __getattr__(self, n): return getattr(self._real, n)
    def compile(self, pattern, flags, code, groups, *rest):
        captured.append((groups, list(code)))
        return self._real.compile(pattern, flags, code, groups, *rest)
re._compiler._sre = Shim(re._compiler._sre)

def show(m):
    g = ",".join("%d-%d" % m.span(i) for i in range(1, m.re.groups + 1))
    return f"{m.start()}-{m.end()}:{g}:{m.lastindex or 0}"

out = []
def program(p, flags=0):
    re.purge(); captured.clear()
    r = re.compile(p, flags)
    groups, code = captured[-1]
    out.append(f"P {groups} " + " ".join("%d" % c for c in code))
    return r

def cases(r, text, modes="SMFI", pos=0, endpos=None):
    endpos = len(text) if endpos is None else endpos
    for mode in modes:
        if mode == "S": ms = [r.search(text, pos, endpos)]
        elif mode == "M": ms = [r.match(text, pos, endpos)]
        elif mode == "F": ms = [r.fullmatch(text, pos, endpos)]
        else: ms = list(r.finditer(text, pos, endpos))
        res = ";".join(show(m) for m in ms if m) or "none"
        raw = text if isinstance(text, bytes) else map(ord, text)
        out.append(f"M {mode} {pos} {endpos} {' '.join('%x' % c for c in raw)} = {res}")

for t in re_tests.tests:
    try:
        r = program(t[0])
    except re.error:
        continue
    cases(r, t[1])
    if r.flags & re.U and len(t[0]) < 30:
        cases(program(t[0], re.I), t[1].swapcase(), "SI")
    try:
        cases(program(t[0].encode("latin-1"), 0), t[1].encode("latin-1"), "I")
    except (re.error, UnicodeError):
        pass
extra = [
    (r"\bfoo\b", "a foo, foobar foo"), (r"\B", ""), (r"\b", ""), (r"(?m)^.*$", "a\nbb\n\nc"), (r"[^\W\d_]+", "añb9_Ωz"),
    (r"(?i)straße|ΑΣ", "STRAßE ας"), (r"(?i)[à-ý]+", "ÀÉÿŸ"), (r"\d+", "12٣٤x"), (r"(?a)\w+", "aé_9"),
    (r"(?>a*)ab|a", "aaab"), (r"a*+a|b", "aaab"), (r"(?:ab?)*+b|c", "abaabbc"), (r"(?:a|(b)){2,3}+c", "ababc aac"),
    (r"(a)|b(?(1)x|y)", "by a bx"), (r"(?<=a)b|(?<!a)c", "abcac"), (r"(\w)\1", "aabcc"), (r"(?i)(\w)\1", "aAbcC"),
    (r"(?s).+?b", "a\nb ab"), (r"x*", "axxb"), (r"(?:)*", "ab"), (r"(a?)*?b", "aab"), (r"((a)|b)*", "abab"),
    (r"(?:(a)|b)*?c", "abbc"), ("[\u0100-\uffff]+", "aĀ\uffff\U00010000"), (r"[\U00010000-\U0010ffff]", "a\U0001f600b"),
    (r"(?=(a+))a*b\1", "baaabac"), (r"(?!(a)b)a(c)?", "acab"), (r"(?:a{2,3}?)+b", "aaaaab"), (r"", "abc"), (r"$", "a\n"),
    (r"\Aab|c\Z", "abc"), (r"(?i)\u017f|K", "s\u017fSk\u212a"), (r"(x(a)?)+y", "xaxy"), (r"(?:x(a)|x)+y", "xaxy"),
]
for p, t in extra:
    cases(program(p), t)
cases(program(r"^a"), "aaa", "SMFI", 1, 3); cases(program(r"(?<=a)b"), "ab", "SMI", 1); cases(program(r"a$"), "aab", "SI", 0, 2)
cases(program(rb"(?L)[\w]+|(?i:X)", 0), b"ab\xe9 x")
rnd = random.Random(5)
def rand(d):
    k = rnd.randrange(11 if d else 4)
    if k < 3: return rnd.choice("abc")
    if k == 3: return rnd.choice([".", "[ab]", "[^a]", "\\b", "^", "$", "", "\\w"])
    if k == 4: return rand(d - 1) + rand(d - 1)
    if k == 5: return "(?:" + rand(d - 1) + "|" + rand(d - 1) + ")"
    if k == 6: return "(" + rand(d - 1) + ")"
    if k == 7: return "(?:" + rand(d - 1) + ")" + rnd.choice(["*", "+", "?", "*?", "+?", "??", "{2}", "{1,2}", "*+", "++", "?+", "{0,2}+"])
    if k == 8: return rnd.choice(["(?=", "(?!", "(?>"]) + rand(d - 1) + ")"
    if k == 9: return "(" + rand(d - 1) + "|" + rand(d - 1) + ")" + rnd.choice(["*", "+", "?", "*?", "*+"])
    return "(" + rand(d - 1) + ")" + rand(d - 1) + rnd.choice(["\\1", "(?(1)a|b)"])
n = 0
while n < 900:
    try:
        r = program(rand(4))
    except re.error:
        continue
    n += 1
    for _ in range(2):
        cases(r, "".join(rnd.choice("abc") for _ in range(rnd.randrange(9))), rnd.choice(["I", "FI", "M"]))
print("\n".join(out))
