# Constructs of all kinds under sys.monitoring, sys.settrace and sys.setprofile: every event with its place.
import contextlib
import sys
class CM:
    def __init__(self, eat=False): self.eat=eat
    def __enter__(self): return self
    def __exit__(self, *a): return self.eat
class ACM:
    async def __aenter__(self): return 1
    async def __aexit__(self, *a): return a[0] is KeyError
class It:
    def __init__(self, n): self.n=n
    def __iter__(self): return self
    def __next__(self):
        if not self.n: raise StopIteration
        self.n-=1
        return self.n
def loops():
    for i in range(3):
        if i == 1: continue
        for j in [1,2]:
            if j == 2: break
        else:
            print(end='')
    else:
        x = 1
    while x < 3:
        x += 1
        if x == 2: continue
    else:
        x = 0
    while True: break
    for i in It(2): pass
    for k, v in {1:2}.items(): x += v
    for i in (a for a in (1,2)): x = i
    return x
def oneline(a): return [q for q in a if q] if a else None
def tries():
    try:
        1/0
    except ZeroDivisionError as e:
        y = 1
    else:
        y = 2
    finally:
        y = 3
    try:
        try:
            raise KeyError('a')
        finally:
            z = 1
    except (ValueError, KeyError):
        try:
            raise
        except KeyError: pass
    for i in range(2):
        try:
            if i: break
            continue
        finally:
            z = 2
    try:
        return z
    finally:
        z = 3
def groups():
    try:
        raise ExceptionGroup('g', [ValueError(1), TypeError(2), KeyError(3)])
    except* ValueError as e:
        a = 1
    except* TypeError:
        a = 2
    except* OSError:
        a = 3
    return a
def groups_out():
    try: groups()
    except ExceptionGroup: pass
def withs():
    with CM() as a, CM(True) as b:
        x = 1
    with CM(True):
        1/0
    with (CM() as c,
          CM(True) as d):
        raise ValueError
    with contextlib.suppress(KeyError):
        {}['a']
    for i in range(2):
        with CM():
            if i: break
            continue
    return x
def gen(n):
    try:
        for i in range(n):
            got = yield i
            if got: yield got
    except ValueError:
        yield 'v'
    finally:
        x = 1
    return 5
def sub(n):
    r = yield from gen(n)
    yield r
    yield from [1,2]
    yield from It(1)
def gens():
    g = gen(3); next(g); g.send(4); g.throw(ValueError(1)); list(g)
    g = sub(2); next(g); next(g); list(g)
    g = sub(2); next(g); g.throw(ValueError)
    g.close()
    g = gen(2); next(g); g.close(); g.close()
    g = gen(2); g.close()
    g = gen(2)
    try: g.throw(KeyError)
    except KeyError: pass
    a, *b = gen(3)
    return sum(sub(2), 0) if 0 else max(gen(3))
class Awt:
    def __await__(self):
        yield 1
        return 2
async def simple():
    x = await Awt()
    async for i in agen2(): x += i
    async with ACM(): pass
    return x
async def agen2():
    yield 1
    yield await Awt()
def drive():
    c = simple()
    try:
        while 1: c.send(None)
    except StopIteration as e: r = e.value
    c = simple(); c.send(None)
    try: c.throw(KeyError)
    except KeyError: pass
    c = simple(); c.close()
    c = simple(); c.send(None); c.close()
    return r
def comps():
    a = [i*j for i in range(2) for j in range(2) if j]
    b = {i: [k for k in range(i)] for i in range(3)}
    c = {x for x in
         a
         if x}
    d = [lambda: i for i in range(2)]
    e = any(x > 1 for x in a); f = all([x for x in a]); g = tuple(x for x in a)
    return d[0](), e
def match(v):
    match v:
        case 1 | 2: r = 'a'
        case [x, y, *rest] if x:
            r = 'b'
        case {'k': w, **kw}:
            r = 'c'
        case str() as s:
            r = 'd'
        case CM(eat=True):
            r = 'e'
        case None:
            r = 'n'
        case _:
            r = 'f'
    return r
def matches(): return [match(v) for v in (1, [1,2,3], [0,1], {'k':1,'z':2}, 's', CM(True), CM(), None)]
class Base:
    x: int = 3
    def m(self, *a, **k): return a
    @property
    def p(self): return 1
    @classmethod
    def c(cls): return cls
    @staticmethod
    def s(): return 0
class Derived(Base):
    def __init__(self): super().__init__(); self.q = 1
    def m(self, *a, **k):
        super().m(*a, **k)
        return super().p
    def __getattr__(self, n):
        raise AttributeError(n)
    def __len__(self): return 2
    def __getitem__(self, i):
        if i > 1: raise IndexError
        return i
    def __lt__(self, o): return True
    def __hash__(self): return 1
    def __bool__(self): return False
def classes():
    d = Derived(); d.m(1, a=2); d.c(); d.s(); len(d); list(d); d < d; hash(d)
    if d: x = 1
    elif d is None: x = 2
    else: x = 3
    x = d if d else None
    y = d and d or 0
    try: d.zz
    except AttributeError: pass
    sorted([d, d]); {d: 1}; getattr(d, 'yy', None); hasattr(d, 'ww')
    for i in d: pass
    type('T', (Base,), {}); isinstance(d, Base)
    class Local(Base, metaclass=type):
        y = 1
        def f(self): return __class__
    return Local().f()
def calls():
    def f(a, b=1, *c, d=2, **e): return a
    f(1); f(1, 2, 3, d=4, z=5); f(*[1], **{'b': 2}); (lambda: 0)()
    print(*[], sep='', end=''); len([1]); [].append(1); 'a'.join(['b']); dict(a=1); int('3'); str(1); max(1, 2, key=lambda v: -v)
    list(map(f, [1, 2])); sorted([2, 1], key=f); [3].sort(key=f)
    try: f()
    except TypeError: pass
    try: int('x')
    except ValueError: pass
    try: len(3)
    except TypeError: pass
    import os.path
    from os import path
    eval('1+1'); exec('a=1\nb=2')
    assert len([1]) == 1, 'x'
    try: assert 0, f(3)
    except AssertionError: pass
    del f
    global zzz; zzz = 1
    (n := 10); a = b = n; a, b = b, a
    s = f'{n!r:>{4}} {a}'
    return s
def closure():
    x = 1
    def inner():
        nonlocal x
        x += 1
        return lambda: x
    return inner()()
def recur(n): return n if n == 0 else recur(n-1)
def deep():
    try: deeper(3)
    except ZeroDivisionError as e: return e
def deeper(n):
    if n: deeper(n-1)
    else: 1/0
@contextlib.contextmanager
def ctx():
    try: yield 1
    except KeyError: pass
def ctxs():
    with ctx(): pass
    with ctx(): raise KeyError
def deco(f): return f
@deco
@deco
def decorated(a=len([])): return (
    a +
    1
)
def multi():
    x = dict(a=1,
             b=[2,
                3],
             c=decorated(
                 4))
    if (x and
        not x or
        x):
        return (x,
            1)
def tstrings():
    return t'{1} x {2!r}'
ALL=[loops,lambda:oneline([1,0]),tries,groups_out,withs,gens,comps,matches,classes,calls,closure,lambda:recur(3),deep,ctxs,decorated,multi,drive,tstrings]

M, E = sys.monitoring, sys.monitoring.events


def show(value):
    if isinstance(value, tuple):
        return " ".join(type(item).__name__ for item in value[:2])
    if isinstance(value, (int, str, float, type(None))):
        return repr(value)
    if isinstance(value, BaseException):
        return type(value).__name__ + str(value.args)
    if value is M.MISSING:
        return "MISSING"
    return type(value).__name__ + ":" + getattr(value, "__qualname__", "")


lines = []
here = sys._getframe().f_code.co_filename


def callback(name):
    def told(code, *rest):
        if code.co_filename == here:
            lines.append((name, code.co_qualname, *map(show, rest)))
    return told


def trace(frame, event, arg):
    if frame.f_code.co_filename != here:
        return None
    frame.f_trace_opcodes = opcodes
    lines.append((event, frame.f_code.co_qualname, frame.f_lineno, frame.f_lasti, show(arg)))
    return trace


def profile(frame, event, arg):
    if frame.f_code.co_filename == here:
        lines.append((event, frame.f_code.co_qualname, frame.f_lineno, show(arg)))


def flush(title):
    print("==", title)
    for line in lines:
        print(*line)
    lines.clear()


M.use_tool_id(2, "golden")
names = [name for name in dir(E) if name.isupper() and name not in ("BRANCH", "NO_EVENTS")]
for name in names:
    M.register_callback(2, getattr(E, name), callback(name))
everything = sum(getattr(E, name) for name in names)
for wanted in (E.LINE, everything & ~E.INSTRUCTION):
    for function in ALL:
        M.set_events(2, wanted)
        function()
        M.set_events(2, 0)
        flush(f"monitoring {wanted} {function.__name__}")
for opcodes in (False, True):
    for function in ALL:
        sys.settrace(trace)
        function()
        sys.settrace(None)
        flush(f"trace {opcodes} {function.__name__}")
for function in ALL:
    sys.setprofile(profile)
    function()
    sys.setprofile(None)
    flush(f"profile {function.__name__}")
assert sys.gettrace() is None and sys.getprofile() is None
M.free_tool_id(2)
