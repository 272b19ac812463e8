"""Writes golden data for the codecs: python3.14 gen_codecs.py > crates/taipan-codecs/tests/golden.txt"""
import binascii, codecs, random, warnings
warnings.simplefilter("ignore")
rnd = random.Random(3)
codecs.register_error("mark", lambda e: ("?", e.end))
def cps(s): return " ".join("%x" % ord(c) for c in s)
alphabets = {"utf-8": b"a\x80\xbf\xc0\xc2\xe0\xa0\xed\xf0\x90\xf4\x8f\xf5\xe2", "utf-16-le": b"\0a\xd8\xdc", "utf-16-be": b"\0a\xd8\xdc",
    "utf-32-le": b"\0\0\0\x10\x11\xd8", "utf-32-be": b"\0\0\0\x10\x11\xd8", "ascii": b"a\x80", "latin-1": b"a\xff", "utf-7": b"++-A2DdcE/a \x80Q",
    "unicode-escape": b"\\\\xuUNna10{}\n7\xff", "raw-unicode-escape": b"\\\\uUa10\xff"}
for codec, letters in alphabets.items():
    for k in range(220):
        b = bytes(rnd.choice(letters) for _ in range(rnd.randrange(13)))
        try: r = cps(b.decode(codec))
        except UnicodeDecodeError as e: r = f"!{e.start} {e.end} {e.reason}"
        print(f"D {codec} {b.hex()} = {r}")
        print(f"R {codec} {b.hex()} = {cps(b.decode(codec, 'mark'))}")
for codec in [*alphabets]:
    for k in range(60):
        s = "".join(rnd.choice("aA+-~\\\n\0\x7f\x80\xff\u0100\ud800\udc00\uffff\U00010000\U0010ffff!") for _ in range(rnd.randrange(9)))
        try: r = s.encode(codec).hex()
        except UnicodeEncodeError as e: r = f"!{e.start} {e.end} {e.reason}"
        print(f"E {codec} {cps(s)} = {r}")
for k in range(500):
    b = bytes(rnd.choice(b"AQ9/==!\n"[:rnd.choice([4, 6, 8])]) for _ in range(rnd.randrange(10)))
    for strict in (0, 1):
        try: r = binascii.a2b_base64(b, strict_mode=bool(strict)).hex()
        except binascii.Error as e: r = f"!{e}"
        print(f"B {strict} {b.hex()} = {r}")
