"""Streams in memory: bytes, buffers, text, positions, line ends, errors."""
import _io


def show(function, *args, **kwargs):
    try:
        print(repr(function(*args, **kwargs)))
    except Exception as error:
        print(type(error).__name__, error)


raw = _io.BytesIO(b"first\nsecond\r\nthird\rlast")
for newline in (None, "", "\n", "\r", "\r\n"):
    raw.seek(0)
    text = _io.TextIOWrapper(raw, "ascii", newline=newline)
    print(newline, text.readlines(), text.newlines)
    text.detach()

store = _io.BytesIO()
text = _io.TextIOWrapper(store, "utf-8", newline="\r\n")
print(text.write("één\ntwee €\n"), text.flush(), store.getvalue())
show(text.seek, 0)
show(text.read, 2)
position = text.tell()
show(text.readline)
show(text.seek, position)
show(text.read)
show(text.reconfigure, encoding="ascii")
text.seek(0)
text.reconfigure(encoding="utf-8")
show(text.seek, 0, 2)
show(text.seek, 1, 1)
show(text.seek, -1)
text._CHUNK_SIZE = 3
text.seek(0)
while True:
    here = text.tell()
    c = text.read(1)
    if not c:
        break
    print(here, repr(c), end=" ")
print()

reader = _io.BufferedReader(_io.BytesIO(bytes(range(50))), 8)
for step in ((reader.read, 3), (reader.peek,), (reader.read1, 100), (reader.read, 20), (reader.tell,),
             (reader.seek, -5, 1), (reader.readinto, bytearray(4)), (reader.seek, 0, 2), (reader.read,),
             (reader.write if hasattr(reader, "write") else reader.flush, b"x"), (reader.read, -2)):
    show(*step)
random = _io.BufferedRandom(_io.BytesIO(b"0123456789"), 4)
print(random.read(2), random.write(b"XY"), random.read(2), random.seek(0), random.read(), random.truncate(3),
      random.raw.getvalue())


class Raw(_io._RawIOBase):
    def __init__(self, data):
        self.data = data

    def readable(self):
        return True

    def writable(self):
        return True

    def readinto(self, buffer):
        piece, self.data = self.data[: len(buffer)], self.data[len(buffer):]
        buffer[: len(piece)] = piece
        return len(piece)

    def write(self, data):
        print("raw write", bytes(data))
        return min(3, len(data))


print(Raw(b"abc\ndef").readlines(), Raw(b"abcdef").read(4), Raw(b"abcdef").readall())
writer = _io.BufferedWriter(Raw(b""), 4)
print(writer.write(b"ab"), writer.write(b"cdefgh"), writer.flush())
pair = _io.BufferedRWPair(Raw(b"in"), Raw(b""), 8)
print(pair.read(), pair.write(b"out"), pair.close(), pair.closed)

s = _io.StringIO("one\ntwo")
print(s.readline(), s.tell(), s.seek(0, 2), s.write("!\n"), s.getvalue(), s.truncate(2), s.getvalue())
view = _io.BytesIO(b"locked")
buffer = view.getbuffer()
show(view.write, b"x" * 10)
buffer[0] = 76
buffer.release()
print(view.getvalue())
for call in ((_io.open, 3.5), (_io.open, "x", "q"), (_io.open, "x", "rb", -1, "ascii"), (_io.FileIO, "x", "rw"),
             (_io.StringIO, 3), (_io.BytesIO, "x"), (_io.TextIOWrapper, s, "ascii", 3)):
    show(*call)
