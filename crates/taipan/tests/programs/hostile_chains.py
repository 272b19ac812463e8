# Objects that pass a question on to another object, a hundred thousand times over: an exception, never a crash.
import collections
import functools
import itertools
import json
import marshal
import operator
import pickle
import re
import sys
import threading
import types
import warnings

warnings.simplefilter("ignore")
DEPTH = 100_000
TAIPAN = "Taipan" in sys.version  # CPython 3.14 crashes at nearly all of these


def deep(make, leaf, depth=DEPTH):
    for _ in range(depth):
        leaf = make(leaf)
    return leaf


def ends(work):
    try:
        work()
    except (RecursionError, MemoryError, ValueError, AttributeError, TypeError):
        pass
    return "ends"


class Cells(functools.partial):
    pass


chains = {
    "mapping proxy": (types.MappingProxyType, {1: 2}, [
        len, iter, repr, hash, list, lambda x: 1 in x, lambda x: x[1], lambda x: x.items(), lambda x: x | {}]),
    "class method": (classmethod, len, [repr, lambda x: x.__isabstractmethod__, lambda x: x.__get__(1, int)]),
    "static method": (staticmethod, len, [repr, lambda x: x.__isabstractmethod__, lambda x: x()]),
    "property": (property, print, [lambda x: x.__isabstractmethod__, lambda x: x.__get__(1), lambda x: x.__name__]),
    "bound method": (lambda x: types.MethodType(x, 1), len, [repr, hash, lambda x: x.__name__]),
    "partial": (Cells, len, [repr, lambda x: x()]),
    "cache": (functools.lru_cache, len, [lambda x: x()]),
    "alias": (lambda x: types.GenericAlias(x, (int,)), list, [repr, hash, lambda x: x.nothing]),
    "cell": (types.CellType, 1, [repr, lambda x: x == deep(types.CellType, 1)]),
    "item getter": (operator.itemgetter, 1, [repr]),
    "buffer": (pickle.PickleBuffer, b"abc", [bytes, lambda x: x.raw()]),
    "chain": (lambda x: itertools.chain(x, [1]), [1], [next, list]),
    "islice": (lambda x: itertools.islice(x, 3), [1], [next, list, operator.length_hint]),
    "accumulate": (itertools.accumulate, [1], [next]),
    "cycle": (itertools.cycle, [1], [next]),
    "tee": (lambda x: itertools.tee(x)[0], [1], [next]),
    "takewhile": (lambda x: itertools.takewhile(bool, x), [1], [next]),
    "compress": (lambda x: itertools.compress(x, [1]), [1], [next]),
    "pairwise": (itertools.pairwise, [1], [next]),
    "groupby": (itertools.groupby, [1], [next]),
    "batched": (lambda x: itertools.batched(x, 1), [1], [next]),
    "map": (lambda x: map(int, x), [1], [next]),
    "zip": (zip, [1], [next]),
    "list": (lambda x: [x], 1, [repr, lambda x: x == deep(lambda x: [x], 1), json.dumps, pickle.dumps, marshal.dumps]),
    "dict": (lambda x: {"a": x}, 1, [repr, json.dumps, pickle.dumps, marshal.dumps]),
    "deque": (lambda x: collections.deque([x]), 1, [repr, lambda x: x == deep(lambda x: collections.deque([x]), 1)]),
    "namespace": (lambda x: types.SimpleNamespace(a=x), 1, [repr]),
    "exception": (ValueError, 1, [repr, str]),
    "slice": (slice, 1, [repr, hash]),
}
for name, (make, leaf, questions) in chains.items():
    print(name, *[ends(lambda: ask(deep(make, leaf))) if TAIPAN else "ends" for ask in questions])


# Threads with the smallest of stacks.
threading.stack_size(64 * 1024)
jobs = {
    "calls": lambda: deep(lambda x: [x], 1, 500),
    "minus": lambda: compile("-" * 2_000 + "a", "s", "eval"),
    "parentheses": lambda: eval("(" * 150 + "1" + ")" * 150),
    "repr": lambda: repr(deep(lambda x: [x], 1)),
    "json": lambda: json.loads("[" * DEPTH),
    "regex": lambda: re.compile("(?:" * 400 + "a" + ")*" * 400),
    "pickle": lambda: pickle.loads(b"]" * 1_000 + b"a" * 999 + b"."),
    "marshal": lambda: marshal.dumps(deep(lambda x: [x], 1, 1_500)),
    "unmarshal": lambda: marshal.loads(b"[\1\0\0\0" * 1_500 + b"N"),
    "iterators": lambda: next(deep(lambda x: itertools.chain(x), [1])),
    "import": lambda: __import__("xml.dom.minidom"),
}
for name, work in jobs.items():
    seen = []
    thread = threading.Thread(target=lambda: seen.append(ends(work) if TAIPAN else "ends"))
    thread.start()
    thread.join()
    print("small stack:", name, *seen)
for size in (1, 53_247, -1):
    try:
        threading.stack_size(size)
    except ValueError as error:
        print(error)
