"""Tell what CPython's parser makes of files or snippets, for comparison with ours.

  python3.14 parse_reference.py files DIR OUT          every .py file below DIR
  python3.14 parse_reference.py harvest DIR SNIPPETS OUT NAME...
                                                       every string in the test files NAME below DIR
  python3.14 parse_reference.py dump FILE              the dump of one file
  python3.14 parse_reference.py mutate SNIPPETS TEXTS OUT SEED COUNT
                                                       COUNT spoilt snippets
  python3.14 parse_reference.py golden SNIPPETS FOLDER golden files of a sample of harvested snippets

A line of OUT holds fields separated by U+001F: name, `ast`, checksum and length of the dump, warnings;
or name, `err`, exception, message, place, warnings.
"""
import ast
import doctest
import os
import sys
import warnings
import zlib

SEP = "\x1f"


def escape(text):
    return text.replace("\\", "\\\\").replace("\n", "\\n").replace("\r", "\\r").replace(SEP, "\\x1f")


def judge(source, dump=True):
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        try:
            tree = compile(source, "<oracle>", "exec", ast.PyCF_ONLY_AST, dont_inherit=True)
            if dump:
                text = ast.dump(tree, include_attributes=True).encode("utf-8", "surrogatepass")
                fields = ["ast", f"{zlib.crc32(text):08x}", str(len(text))]
            else:
                fields = ["ast", "", ""]
        except SyntaxError as e:
            place = f"{e.lineno},{e.offset},{e.end_lineno},{e.end_offset}"
            fields = ["err", type(e).__name__, str(e.msg), place]
        except Exception as e:
            fields = ["err", type(e).__name__, str(e), "None,None,None,None"]
    warned = "\x1e".join(f"{w.lineno}:{w.message}" for w in caught)
    return SEP.join(escape(field) for field in fields + [warned])


def files_below(folder):
    for root, dirs, names in os.walk(folder, followlinks=True):
        dirs[:] = sorted(d for d in dirs if d != "__pycache__")
        for name in sorted(names):
            path = os.path.join(root, name)
            if name.endswith(".py") and os.path.isfile(path):
                yield path


def judge_files(folder, out):
    with open(out, "w", encoding="utf-8", errors="surrogatepass") as file:
        for path in files_below(folder):
            with open(path, "rb") as source:
                data = source.read()
            print(os.path.relpath(path, folder) + SEP + judge(data), file=file)


def strings_in(path):
    with open(path, "rb") as file:
        tree = ast.parse(file.read())
    parser = doctest.DocTestParser()
    for node in ast.walk(tree):
        if not isinstance(node, ast.Constant) or not isinstance(node.value, str):
            continue
        text = node.value
        yield node.lineno, text
        if ">>>" in text:
            try:
                for example in parser.get_examples(text):
                    yield node.lineno + example.lineno, example.source
            except ValueError:
                pass
        else:
            # An indented program is often written for textwrap.dedent.
            import textwrap
            plain = textwrap.dedent(text)
            if plain != text:
                yield node.lineno, plain


def harvest(folder, snippets, out, names):
    seen = set()
    with open(snippets, "wb") as texts, open(out, "w", encoding="utf-8", errors="surrogatepass") as results:
        for name in names:
            path = os.path.join(folder, "test", name + ".py")
            if not os.path.exists(path):
                continue
            for lineno, text in strings_in(path):
                if text in seen:
                    continue
                seen.add(text)
                try:
                    data = text.encode()
                except UnicodeEncodeError:
                    continue
                texts.write(len(data).to_bytes(4, "little") + data)
                print(f"{name}:{lineno}" + SEP + judge(text), file=results)


def read_snippets(path):
    with open(path, "rb") as file:
        data = file.read()
    at = 0
    while at < len(data):
        size = int.from_bytes(data[at:at + 4], "little")
        yield data[at + 4:at + 4 + size].decode()
        at += 4 + size


PIECES = (
    "( ) [ ] { } : , ; . = == := -> ... * ** / @ ~ ! + - < <> != += if else elif for in while def class lambda "
    "async await with as from import not and or is None True False try except finally raise return yield "
    "global del assert pass break match case type print x y 1 0x1 1.5j 'a' b'a' f'{x}' f'{ f' f'{x!r:>{y}}' "
    "t'{x}' t'{ rb'a' \\ # \n \t \n\x20\x20 \" é $ ?"
).split(" ")


def mutate(snippets, texts, out, seed, count):
    """Spoil programs by one piece or two, so that every message gets its chance."""
    import random
    import re
    pick = random.Random(int(seed))
    programs = [text for text in read_snippets(snippets) if 5 < len(text) < 400]
    with open(texts, "wb") as file, open(out, "w", encoding="utf-8", errors="surrogatepass") as results:
        for number in range(int(count)):
            parts = re.findall(r"\w+|\s+|[^\w\s]", pick.choice(programs))
            for _ in range(pick.choice((1, 1, 2))):
                at = pick.randrange(len(parts) + 1)
                match pick.randrange(4):
                    case 0:
                        del parts[at:at + 1]
                    case 1:
                        parts.insert(at, " " + pick.choice(PIECES) + " ")
                    case 2:
                        parts[at:at + 1] = [pick.choice(PIECES)]
                    case 3:
                        parts[at:at] = parts[at - 1:at]
            text = "".join(parts)
            data = text.encode("utf-8", "replace")
            file.write(len(data).to_bytes(4, "little") + data)
            print(f"mutant:{number}" + SEP + judge(data.decode()), file=results)


def golden(snippets, folder):
    trees, errors = [], []
    for text in read_snippets(snippets):
        if len(text) > 200 or "=====" in text or "-----" in text or not text.strip() or "\r" in text:
            continue
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                tree = compile(text, "<oracle>", "exec", ast.PyCF_ONLY_AST, dont_inherit=True)
            trees.append((text, ast.dump(tree, include_attributes=True)))
        except SyntaxError as e:
            # Future statements are the compiler's to judge.
            if "__future__" not in text:
                place = f"{e.lineno},{e.offset},{e.end_lineno},{e.end_offset}"
                errors.append((text, f"{type(e).__name__} {place} {e.msg}"))
        except Exception:
            pass
    # Prose in the test files reads as errors, all alike; one of each kind in three is enough.
    dull = [case for case in errors if case[1].endswith(" invalid syntax")]
    telling = [case for case in errors if not case[1].endswith(" invalid syntax")]
    for name, cases in [("trees", trees[::12]), ("errors", telling), ("invalid_syntax", dull[::12])]:
        with open(os.path.join(folder, name + ".txt"), "w", encoding="utf-8") as file:
            for text, verdict in cases:
                file.write(f"{text}\n-----\n{verdict}\n=====\n")


if __name__ == "__main__":
    match sys.argv[1:]:
        case ["files", folder, out]:
            judge_files(folder, out)
        case ["harvest", folder, snippets, out, *names]:
            harvest(folder, snippets, out, names)
        case ["mutate", snippets, texts, out, seed, count]:
            mutate(snippets, texts, out, seed, count)
        case ["golden", snippets, folder]:
            golden(snippets, folder)
        case ["dump", path]:
            with open(path, "rb") as file:
                tree = compile(file.read(), path, "exec", ast.PyCF_ONLY_AST, dont_inherit=True)
            text = ast.dump(tree, include_attributes=True)
            sys.stdout.buffer.write(text.encode("utf-8", "surrogatepass"))
        case _:
            sys.exit(__doc__)
