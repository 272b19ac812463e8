# The same program gives the same output in CPython 3.14: extension.out was made by it.
import gc
import sys
import extension as e


def error(function, *args, **kwargs):
    try:
        function(*args, **kwargs)
    except Exception as exc:
        cause = f" <- {exc.__cause__!r}" if exc.__cause__ else ""
        print(f"{type(exc).__module__}.{type(exc).__name__}: {exc}{cause}")
    else:
        print("no error")


print(e.__name__, e.__doc__, e.ANSWER, e.count.__doc__)
print(e.count(), e.count(), e.twice(21), e.twice(-4))
error(e.twice, "x")
error(e.twice, 1 << 80)
error(e.twice)
error(e.count, 1)
print(e.parsed("grüß", 3), e.parsed("\u20ac", -1, 2, [1]))
error(e.parsed, "a")
error(e.parsed, 1, 2)
error(e.parsed, "a", 1 << 40)
error(e.parsed, "a", 1.5)
error(e.parsed, "a", 1, "x")
error(e.parsed, "a", 1, 2.0, 3, 4)
print(e.named(1), e.named(1, 2), e.named(1, width=3, flag=[1]))
error(e.named)
error(e.named, 1, 2, 3)
error(e.named, 1, other=2)
error(e.named, 1, 2, width=3)
error(e.named, "a")
error(e.named, 1, 2, flag=1, width=2)
print(e.reversed(1, 2))
error(e.reversed, 1)
error(e.reversed, 1, a=2)
print(e.formatted("\u4e2d'"))
print(e.formatted(1.5))
print(e.many()[:-1], e.many()[-1] is e)

error(e.fail, [1])
print(issubclass(e.Error, ValueError), e.Error.__module__)
print(e.shield(lambda a, b: (a, b)), e.shield(lambda a, b: {}[a]))
error(e.shield, lambda a, b: 1 / 0)
error(e.shield, 5)

print(e.total(b"\x01\x02\xff"), e.total(bytearray(3)), e.total(memoryview(b"ab")))
error(e.total, "text")

P = e.Pair
print(P, P.__doc__, P.__module__, P.__qualname__, P.__text_signature__, P.swap.__text_signature__)
p = P(1, y=2)
print(p, p + P(0.5, 0.5), len(p), list(p), p[-1], p.swap(), p.x, p.y)
p.x = 9
print(p, p.module() is e)
error(lambda: p + 1)
error(lambda: p[2])
error(setattr, p, "y", 1)
error(setattr, p, "x", "no")
error(setattr, p, "z", 1)
error(P, 1, 2, 3)
error(P, z=1)
m = memoryview(p)
m[1] = 7
print(bytes(m), bytes(p), m.readonly, m.format)


class Sub(P):
    def __repr__(self):
        return "Sub:" + super().__repr__()


s = Sub(3, 4)
s.extra = [s]
print(s, s.swap(), s.extra[0] is s, isinstance(s, P))

# References: what goes in comes out again, cycles through C are collected.
marker = object()
before = sys.getrefcount(marker)
for _ in range(100):
    e.reversed(marker, marker)
    e.parsed("x", 1, 1.0, marker)
    q = P()
    q.link = marker
    e.shield(lambda a, b: marker)
del q
print(sys.getrefcount(marker) - before)
none = sys.getrefcount(None)
for _ in range(100):
    e.shield(lambda a, b: {}[a])
print(sys.getrefcount(None) - none)
gc.collect()
p.link = p
del p, m
print(gc.collect() > 0)
s.link = [s]
del s
print(gc.collect() > 0)

# A second module of the same file has a state of its own.
import importlib.util
spec = importlib.util.spec_from_file_location("extension", e.__file__)
other = importlib.util.module_from_spec(spec)
spec.loader.exec_module(other)
print(other is e, other.count(), e.count(), other.Pair is e.Pair)
