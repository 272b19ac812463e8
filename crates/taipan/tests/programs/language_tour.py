def fib(n):
    return n if n < 2 else fib(n-1) + fib(n-2)
print(fib(20))
class A:
    x = 1
    def __init__(self, a, b=2):
        self.a = a; self.b = b
    def m(self, *args, **kw):
        return self.a + self.b + sum(args) + len(kw)
    @property
    def p(self): return self.a * 10
class B(A):
    def __init__(self, a):
        super().__init__(a, b=5)
    def __repr__(self): return f"B({self.a!r}, {self.b:>4})"
b = B(3)
print(b, b.m(1,2,z=3), b.p, isinstance(b, A), B.__mro__)
def gen(n):
    for i in range(n):
        x = yield i*i
        if x: print("got", x)
g = gen(5)
print(next(g), g.send("hi"), list(g))
try:
    1/0
except ZeroDivisionError as e:
    print("caught", e, type(e))
try:
    {}["k"]
except (KeyError, ValueError) as e:
    print(repr(e))
print([x*y for x in range(4) for y in range(3) if x != y], {k: v for k, v in zip("abc", range(3))}, {1,2,3})
a, *rest, z = range(6)
print(a, rest, z)
match {"type": "pt", "x": 1, "y": [1,2,3]}:
    case {"type": "pt", "x": x, "y": [first, *_]}:
        print("matched", x, first)
with_log = []
class CM:
    def __enter__(self): with_log.append("in"); return self
    def __exit__(self, *a): with_log.append(a[0]); return True
with CM() as c:
    raise ValueError("x")
print(with_log)
print("%s %d %.3f" % ("a", 5, 3.14159), "{:>10}|{!r}".format("hi", "x"))
import sys
print(sys.version_info[:2], len(sys.argv))
async def co(): return 42
try:
    co().send(None)
except StopIteration as e: print(e.value)
print(sorted([3,1,2], key=lambda v: -v), max(3,9,2), sum([1.5,2.5]))
print(2**100, hash("abc") == hash("abc"), 10**20 // 3, -7 // 2, -7 % 3, 7.5 // 2)
def outer():
    n = 0
    def inner():
        nonlocal n
        n += 1
        return n
    return inner
f = outer(); f(); print(f())
try:
    def f2(a, b): pass
    f2(1)
except TypeError as e: print(e)
