"""Tell what CPython's compiler makes of source files, for comparison with ours.

  python3.14 code_reference.py files DIR OUT     a line for every .py file below DIR: name, checksum, length
  python3.14 code_reference.py show FILE         the full text for one file
  python3.14 code_reference.py marshal DIR       checksum and length of every file's marshalled code
  python3.14 code_reference.py unmarshal FILE    the full text of the marshalled code in a file
  python3.14 code_reference.py bench DIR         seconds that compile() takes for all files below DIR
"""
import marshal
import os
import struct
import sys
import time
import warnings
import zlib
from opcode import opname


def quote(text):
    return "".join(c if " " <= c <= "~" and c not in "\\'" else f"\\u{{{ord(c):x}}}" for c in text)


def bits(value):
    return struct.pack(">d", value).hex()


def constant(c, codes):
    if hasattr(c, "co_code"):
        codes.append(c)
        return f"code:{quote(c.co_qualname)}"
    if c is None or isinstance(c, bool) or c is ...:
        return repr(c)
    if isinstance(c, int):
        return f"int:{c:x}"
    if isinstance(c, float):
        return f"float:{bits(c)}"
    if isinstance(c, complex):
        return f"complex:{bits(c.real)},{bits(c.imag)}"
    if isinstance(c, str):
        return f"'{quote(c)}'"
    if isinstance(c, bytes):
        return f"bytes:{c.hex()}"
    if isinstance(c, tuple):
        return "(" + ",".join(constant(x, codes) for x in c) + ")"
    if isinstance(c, frozenset):
        return "set(" + ",".join(sorted(constant(x, codes) for x in c)) + ")"
    if isinstance(c, slice):
        return "slice" + constant((c.start, c.stop, c.step), codes)
    raise TypeError(type(c))


def names(items):
    return " ".join(quote(x) for x in items)


def code(c, out):
    codes = []
    out.append(f"== {quote(c.co_qualname)}")
    out.append(f"name {quote(c.co_name)} file {quote(c.co_filename)}")
    out.append(
        f"args {c.co_argcount} {c.co_posonlyargcount} {c.co_kwonlyargcount} flags {c.co_flags:x}"
        f" stack {c.co_stacksize} line {c.co_firstlineno}"
    )
    out.append("names " + names(c.co_names))
    out.append("varnames " + names(c.co_varnames))
    out.append("cellvars " + names(c.co_cellvars))
    out.append("freevars " + names(c.co_freevars))
    for k in c.co_consts:
        out.append("const " + constant(k, codes))
    raw = c.co_code
    for at, place in zip(range(0, len(raw), 2), c.co_positions()):
        if raw[at]:
            where = ",".join("-" if p is None else str(p) for p in place)
            out.append(f"{opname[raw[at]]} {raw[at + 1]} @{where}")
        else:
            out.append(f"CACHE {raw[at + 1]}")
    out.append("lines " + c.co_linetable.hex())
    out.append("guards " + c.co_exceptiontable.hex())
    for inner in codes:
        code(inner, out)


def verdict(source):
    out = []
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        try:
            code(compile(source, "<oracle>", "exec", dont_inherit=True), out)
        except SyntaxError as e:
            out = [f"{type(e).__name__} {e.lineno},{e.offset},{e.end_lineno},{e.end_offset} {quote(str(e.msg))}"]
        except Exception as e:
            out = [f"{type(e).__name__} {quote(str(e))}"]
    for w in caught:
        out.append(f"warning {w.lineno} {quote(str(w.message))}")
    return "\n".join(out) + "\n"


def files_below(folder):
    for root, dirs, found in os.walk(folder, followlinks=True):
        dirs[:] = sorted(d for d in dirs if d != "__pycache__")
        for name in sorted(found):
            path = os.path.join(root, name)
            if name.endswith(".py") and os.path.isfile(path):
                yield path


def read(path):
    with open(path, "rb") as file:
        return file.read()


def main():
    command, path = sys.argv[1:3]
    if command == "files":
        with open(sys.argv[3], "w", encoding="utf-8") as file:
            for name in files_below(path):
                text = verdict(read(name)).encode()
                print(os.path.relpath(name, path), f"{zlib.crc32(text):08x}", len(text), sep="\x1f", file=file)
    elif command == "show":
        sys.stdout.write(verdict(read(path)))
    elif command == "marshal":
        warnings.simplefilter("ignore")
        for name in files_below(path):
            try:
                made = compile(read(name), "<oracle>", "exec", dont_inherit=True)
                held = [made]  # a second reference, as whoever writes a .pyc file has one
                data = marshal.dumps(held[0])
            except Exception:
                continue
            print(os.path.relpath(name, path), f"{zlib.crc32(data):08x}", len(data), sep="\x1f")
    elif command == "unmarshal":
        code(marshal.loads(read(path)), out := [])
        sys.stdout.write("\n".join(out) + "\n")
    elif command == "bench":
        warnings.simplefilter("ignore")
        sources = [read(name) for name in files_below(path)]
        start = time.process_time()
        for source in sources:
            try:
                compile(source, "<oracle>", "exec", dont_inherit=True)
            except Exception:
                pass
        print(time.process_time() - start)


main()
