"""Pickles by the native module: the bytes of all protocols, what hostile streams raise, hooks."""
import copyreg
import io
import pickle
from _pickle import PickleBuffer, Pickler, Unpickler


class Point:
    def __init__(self, x, y):
        self.x, self.y = x, y


class Slots:
    __slots__ = ("a", "b")


class Odd:
    def __init__(self, value):
        self.value = value

    def __reduce_ex__(self, protocol):
        return self.value


def attempt(function, *args, **kwargs):
    try:
        print(function(*args, **kwargs))
    except Exception as error:
        print(type(error).__name__, error, getattr(error, "__notes__", []))


slots = Slots()
slots.a = 1
loop = [1]
loop.append(loop)
inner = ([],)
inner[0].append(inner)
samples = [
    None, True, 0, 255, 65536, -1, 2**31, -2**63, 10**40, 1.5, -0.0,
    "plain", "gr\u00fc\u00df", "\U0001f600\n\\", "\udc80", b"", b"bytes", bytearray(b"array"),
    (), (1,), (1, 2), (1, 2, 3), (1, 2, 3, 4), [], [1], [1, 2], {}, {1: 2}, {"a": 1, "b": [2]},
    frozenset([1]), {2}, loop, inner, Point(1, "y"), slots, len, Point, type(None), ..., NotImplemented,
    str.join, bytes.maketrans,
]
for sample in samples:
    for protocol in range(2 if sample is slots else 0, 6):
        data = pickle.dumps(sample, protocol)
        file = io.BytesIO()
        Pickler(file, protocol).dump(sample)
        assert file.getvalue() == data
        back = pickle.loads(data)
        assert type(back) is type(sample)
        assert type(pickle.load(io.BufferedReader(io.BytesIO(data)))) is type(sample)
        print(protocol, data)

# Batches and frames.
for sample in [0] * 1000, [0] * 1001, dict.fromkeys(range(1000)), dict.fromkeys(range(1001)), ["x" * 70000] * 2:
    writes = []

    class Sink:
        def write(self, data):
            writes.append(len(data))

    Pickler(Sink()).dump(sample)
    print(len(pickle.dumps(sample)), writes)
    assert pickle.loads(pickle.dumps(sample)) == sample

# Streams that are no pickles.
for data in (
    b"", b"N", b".", b"0.", b"(.", b"1", b"t.", b"2.", b"g0\n.", b"gx\n.", b"Np-1\n.", b"\xff", b"'.", b"}(Ns.",
    b"}(Nu.", b"](Na.", b"N(Ne.", b"NNR.", b"NN\x81.", b"I1x\n.", b"Lx\n.", b"Fx\n.", b"S12\n.", b"Px\n.", b"NQ.",
    b"\x80\x09", b"\x95" + b"\xff" * 8, b"NN\x93.", b"\x82\x01.", b"\x82\x00.", b"N}b.", b"N\x98.", b"\x97.",
    b"\x8b\xff\xff\xff\xff.", b"T\xff\xff\xff\xff.", b"(o.", b"(Nd.", b"N(N\x90.", b"X\x01\x00\x00\x00\xff.",
    b"\x80\x04\x95\x10\x00\x00\x00\x00\x00\x00\x00N.", b"\x80\x04\x95\x0c\x00\x00\x00\x00\x00\x00\x00N\x95" + b"\x00" * 8 + b"NN.",
    b"\x8e" + b"\xff" * 7 + b"\x7f", b"cnomod\nx\n.", b"\x80\x04\x8c\x02os\x8c\x04a.bc\x93.",
):
    attempt(pickle.loads, data)

# Reductions that are wrong.
for value in (
    1, (), (1, 2), (len, 3), (len, (), 1, 2), (len, (), 1, None, 2), (len, (), None, None, None, 3),
    (copyreg.__newobj__, ()), (copyreg.__newobj__, (1,)), (copyreg.__newobj_ex__, (1, 2, 3)), (len, (lambda: 1,)),
):
    try:
        pickle.dumps(Odd(value))
    except pickle.PicklingError as error:
        print(str(error).split(" at 0x")[0], error.__notes__)


# Hooks.
class Hooked(Pickler):
    def persistent_id(self, obj):
        return "id" if obj is samples else None

    def reducer_override(self, obj):
        return (complex, (1, 2)) if isinstance(obj, Odd) else NotImplemented


class Unhooked(Unpickler):
    def persistent_load(self, pid):
        return [pid]

    def find_class(self, module, name):
        print("find", module, name)
        return super().find_class(module, name)


file = io.BytesIO()
Hooked(file).dump([samples, Odd(0), Point(1, 2)])
back = Unhooked(io.BytesIO(file.getvalue())).load()
print(back[:2], vars(back[2]))

# Buffers beside the pickle.
buffers = []
data = pickle.dumps([PickleBuffer(bytearray(b"far")), PickleBuffer(b"near")], 5, buffer_callback=buffers.append)
print(data, [bytes(buffer) for buffer in buffers])
print([bytes(view) for view in pickle.loads(data, buffers=buffers)])
view = PickleBuffer(memoryview(b"abcdef").cast("H"))
print(view.raw().format, view.raw().tolist(), memoryview(view).format)
view.release()
attempt(view.raw)
attempt(PickleBuffer(memoryview(b"abcdef")[::2]).raw)

# Used while in use.
pickler = Pickler(io.BytesIO())


class Again:
    def __reduce__(self):
        attempt(pickler.dump, 1)
        return list, ()


pickler.dump(Again())
print(len(pickler.memo.copy()))
pickler.clear_memo()
print(pickler.memo.copy())
