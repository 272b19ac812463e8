# Code without a loop or a call of Python code, as long as generated modules are: nothing may pile up on the machine's
# stack from one instruction to the next.
import sys


class Thing:
    name = 1


KINDS = ['t"{x}"', 'f"{x}{y}"', "len(items)", "items[:]", "{x: y}", "thing.name = x", "x if items else y", "str(x)",
         "items.append(x); items.pop()", "(lambda: 0)", "-x", "table[x] = y", "x in items", "a, b = pair", "import sys"]
names = dict(x=1, y=2, items=[1, 2], table={}, pair=(1, 2), thing=Thing())
for kind in KINDS:
    exec(compile((kind + "\n") * 20_000, "long", "exec"), dict(names))
    print(kind)

traced = 0


def trace(frame, event, arg):
    global traced
    traced += 1
    return trace


code = compile("x\n" * 20_000, "long", "exec")
sys.settrace(trace)
exec(code, {"x": 1})
sys.settrace(None)
print(traced)
