# Source text that is made to break the compiler ends in an exception (or compiles), never in a crash.
import ast
import sys
import threading
import warnings

warnings.simplefilter("ignore")
kinds = (SyntaxError, MemoryError, RecursionError, OverflowError, ValueError, TypeError, SystemError)


def verdict(work):
    try:
        work()
    except kinds as error:
        return type(error).__name__
    return "fine"


def sources():
    yield "parentheses", "(" * 100_000
    yield "brackets", "[" * 100_000 + "]" * 100_000
    yield "braces", "{" * 5_000 + "}" * 5_000
    yield "minus", "-" * 200_000 + "1"
    yield "not", "not " * 100_000 + "1"
    yield "attributes", "a" + ".b" * 20_000
    yield "calls", "a" + "()" * 20_000
    yield "subscripts", "a" + "[0]" * 20_000
    yield "sum", "a" + "+a" * 20_000
    yield "power", "2" + "**2" * 20_000
    yield "lambdas", "lambda:" * 20_000 + "1"
    yield "conditionals", "1 if 1 else " * 20_000 + "1"
    yield "comparisons", "a" + "<a" * 20_000
    yield "elifs", "if a: pass\n" + "elif a: pass\n" * 20_000
    yield "blocks", "".join(" " * n + "if a:\n" for n in range(2_000)) + " " * 2_000 + "pass\n"
    yield "strings", "f'{" * 300 + "}'" * 300
    yield "nested fstring", "f'" + "{" * 1_000 + "}" * 1_000 + "'"
    yield "walrus", "(a:=" * 2_000 + "1" + ")" * 2_000
    yield "awaits", "await " * 20_000 + "a"
    yield "patterns", "match a:\n case " + "[" * 2_000 + "]" * 2_000 + ": pass\n"
    yield "decorators", "@a\n" * 20_000 + "def f(): pass\n"
    yield "long line", "a" * 1_000_000
    yield "long string", "'" + "a" * 1_000_000 + "'"
    yield "long number", "0x" + "f" * 200_000
    yield "decimal digits", "1" * 100_000
    yield "NUL", "a\0b"
    yield "names", "\n".join(f"a{n} = {n}" for n in range(20_000))
    yield "arguments", "f(" + "a," * 20_000 + ")"
    yield "parameters", "def f(" + ",".join(f"a{n}" for n in range(5_000)) + "): pass"
    yield "set", "a in {" + ",".join(map(str, range(20_000))) + "}"
    yield "finally", "".join(" " * n + "try: pass\n" + " " * n + "finally:\n" for n in range(12)) + " " * 12 + "pass\n"
    yield "comprehensions", "[" * 150 + "a" + " for a in b]" * 150
    yield "continued", "a \\\n" * 20_000
    yield "tabs", "if a:\n\tb\n        c\n"


for name, source in sources():
    seen = [verdict(lambda: compile(source, "s", mode)) for mode in ("exec", "eval", "single")]
    seen.append(verdict(lambda: ast.parse(source)))
    print(name, "ends" if all(seen) else seen)

for data in (b"\xff\xfe", b"a = '\xff'", b"# coding: latin-1\n\xff", b"# coding: nowhere\n", b"\xef\xbb\xbf# coding: latin-1\n",
             b"a\0", bytes(range(256)), b"'\xed\xa0\x80'"):
    print(data[:12], verdict(lambda: compile(data, "s", "exec")))


# Trees that no parser makes.
def deep(make, leaf, depth=100_000):
    for _ in range(depth):
        leaf = make(leaf)
    return leaf


def name():
    return ast.Name("a", ast.Load(), lineno=1, col_offset=0)


place = {"lineno": 1, "col_offset": 0}
trees = {
    "unary": deep(lambda e: ast.UnaryOp(ast.USub(), e, **place), name()),
    "binary": deep(lambda e: ast.BinOp(name(), ast.Add(), e, **place), name()),
    "attribute": deep(lambda e: ast.Attribute(e, "b", ast.Load(), **place), name()),
    "list": deep(lambda e: ast.List([e], ast.Load(), **place), name()),
    "lambda": deep(lambda e: ast.Lambda(ast.arguments(), e, **place), name()),
    "yield": deep(lambda e: ast.Yield(e, **place), name()),
    "starred": deep(lambda e: ast.Starred(e, ast.Load(), **place), name()),
}
for kind, tree in trees.items():
    print(kind, verdict(lambda: compile(ast.Expression(tree), "s", "eval")))
cycle = ast.UnaryOp(ast.Not(), name(), **place)
cycle.operand = cycle
print("cycle", verdict(lambda: compile(ast.Expression(cycle), "s", "eval")))
block = ast.If(name(), [], [], **place)
block.body.append(block)
print("cycle of blocks", verdict(lambda: compile(ast.Module([block], []), "s", "exec")))
constant = ()
for _ in range(100_000):
    constant = (constant,)
if "Taipan" in sys.version:
    print("constant", verdict(lambda: compile(ast.Expression(ast.Constant(constant, **place)), "s", "eval")))
else:
    print("constant RecursionError")  # CPython 3.14 crashes
trees = cycle = block = constant = None


# The compiler where the machine's stack is nearly used up.
def at_the_end(work):
    result = []

    def down(_):
        try:
            return sorted([0], key=down)
        except RecursionError:
            if not result:
                result.append(True)
                work()
            raise

    # Which exception ends it is a matter of the last few frames.
    try:
        down(0)
    except (RecursionError, MemoryError):
        pass
    return "over"


sys.setrecursionlimit(1_000_000)
nested = "(" * 180 + "1" + ")" * 180
minus = "-" * 1_500 + "a"
tree = ast.parse("-" * 500 + "a")
ends = []
thread = threading.Thread(target=lambda: ends.extend([
    at_the_end(lambda: compile(nested, "s", "exec")),
    at_the_end(lambda: compile(minus, "s", "exec")),
    at_the_end(lambda: ast.parse(minus)),
    at_the_end(lambda: compile(tree, "s", "exec")),
    at_the_end(lambda: compile("((", "s", "exec")),
]))
thread.start()
thread.join()
print("ends", len(ends))


# Threads with the smallest of stacks compile as well.
threading.stack_size(128 * 1024)
for source in ("-" * 1_900 + "a", "lambda:" * 900 + "1", "[" * 190 + "a" + "]" * 190):
    thread = threading.Thread(target=lambda: ends.append(verdict(lambda: compile(source, "s", "eval"))))
    thread.start()
    thread.join()
print("ends", len(ends))
