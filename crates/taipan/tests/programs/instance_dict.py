# An instance and its __dict__ are two views of the same attributes.
import copy
import gc
import pickle
import weakref


class Point:
    kind = "class"

    def __init__(self, x, y):
        self.x = x
        self.y = y

    def method(self):
        return "method"


def read_x(p):
    return p.x


def write_x(p, value):
    p.x = value


def call(p):
    return p.method()


def warm():
    for i in range(300):
        p = Point(i, i)
        read_x(p), write_x(p, i), call(p)


warm()
print("both views")
p = Point(1, 2)
d = p.__dict__
for i in range(100):
    write_x(p, i)
    assert d["x"] == i == read_x(p)
    d["x"] = -i
    assert read_x(p) == -i and len(d) == 2
p.z = 3
print(d, len(d), list(d), list(reversed(d)), p.__dict__ is d)
del p.x
print(d, len(d), "x" in d, hasattr(p, "x"))
d["x"] = "again"
print(d, read_x(p), vars(p) is d)

print("names of the class hidden by the dict")
d["method"] = lambda: "hidden"
print(call(p))
del d["method"]
print(call(p), p.kind)
d.update(kind="own")
print(p.kind, Point.kind, d.pop("kind"), p.kind)

print("keys that do not fit")
p = Point(1, 2)
d = p.__dict__
d[5] = "five"
write_x(p, "after")
print(d, read_x(p), call(p))


class Text(str):
    def __eq__(self, other):
        return str.__eq__(self, other)

    def __hash__(self):
        return hash("y")


p = Point(1, 2)
d = p.__dict__
print(d[Text("y")], Text("x") in d, getattr(p, Text("y")))
d[Text("q")] = 1
print([type(k).__name__ for k in d], sorted(d))
p = Point(1, 2)
d = p.__dict__
for i in range(40):
    setattr(p, f"name{i}", i)
    assert d[f"name{i}"] == i and len(d) == i + 3
print(list(d)[:4], list(d)[-1], read_x(p))

print("the dict outlives its instance")
p = Point([1], {2: 3})
d = p.__dict__
gone = weakref.ref(p)
del p
print(gone(), d)
d["more"] = 1
del d["x"]
print(d)

print("replaced, deleted, given to another")
p, q = Point(1, 2), Point(3, 4)
old = p.__dict__
p.__dict__ = {"x": "new"}
print(old, p.__dict__, read_x(p))
write_x(p, 7)
old["x"] = 8
print(old, p.__dict__, read_x(p))
p.__dict__ = q.__dict__
write_x(p, "shared")
print(read_x(q), q.__dict__ is p.__dict__)
q.y = "both"
del q
print(p.y, p.__dict__)
p.__dict__ = p.__dict__
print(p.y)
p = Point(1, 2)
d = p.__dict__
p.__dict__ = d
write_x(p, 5)
print(d, p.__dict__ is d)
del p.__dict__
print(d, p.__dict__, hasattr(p, "x"))

print("another class")


class Other:
    def __init__(self):
        self.y = self.b = self.x = 0


Other()
p = Point(1, 2)
d = p.__dict__
p.__class__ = Other
write_x(p, 3)
p.b = 4
print(d, p.__dict__ is d, type(p).__name__)

print("clear, pop, setdefault, merge")
p = Point(1, 2)
d = p.__dict__
d.clear()
print(d, len(d), hasattr(p, "x"))
p.y = 1
p.x = 2
print(d, list(d.items()))
print(d.popitem(), d, d.setdefault("x", 9), d.setdefault("y", 8), d)
d |= {"y": 0, "w": 1}
print(d, d == p.__dict__, d | {"v": 2}, d == {"y": 0, "x": 9, "w": 1})
print(d.copy(), dict(d), {**d}, dict.fromkeys(d))

print("changed while iterated")
p = Point(1, 2)
try:
    for name in p.__dict__:
        p.other = 1
except RuntimeError as error:
    print(error)
for name in p.__dict__:
    setattr(p, name, name)
print(p.__dict__)

print("copies")
p = Point([1], 2)
p.me = p
q = copy.deepcopy(p)
print(q.me is q, q.x, q.x is p.x, list(q.__dict__))
q = copy.copy(p)
q.x = 0
print(p.x, q.me is p)
q = pickle.loads(pickle.dumps(p))
print(q.me is q, q.x, list(vars(q)))

print("finalisers see their attributes")


class Loud:
    def __init__(self, name):
        self.name = name

    def __del__(self):
        print("gone", self.name, self.__dict__)
        kept.append(self.__dict__)


kept = []
Loud("a")
Loud("b").__dict__["c"] = Loud("c")
print(kept[0], kept[1]["name"], len(kept))
kept[1].clear()
kept.clear()

print("collected with and without the dict")
p = Point(1, 2)
p.me = p
gone = weakref.ref(p)
p.__dict__
del p
gc.collect()
print(gone())
p = Point(1, 2)
p.x = [p]
d = p.__dict__
gone = weakref.ref(p)
del p
gc.collect()
print(gone() is d["x"][0])
d.clear()
print(gone())


class Slotted:
    __slots__ = ("me", "__dict__", "__weakref__")


s = Slotted()
s.me = s
s.x = "kept"
d = s.__dict__
gone = weakref.ref(s)
del s
gc.collect()
print(gone(), d)
p = Point([], 2)
p.__dict__
print(gc.get_referents(p) == [p.__dict__, Point], [type(o).__name__ for o in gc.get_referrers(p.x)])

print("as a namespace")
p = Point(1, 2)
exec("z = x + y\nfor x in range(3): pass\ndef f(): return x + len([x])", p.__dict__)
print(p.z, p.x, p.f(), p.__dict__["f"].__globals__ is p.__dict__)
p.x = 41
print(p.f(), eval("x + y", vars(p)))
