# A slot's descriptor works for its own class only, however warm the code is that finds it elsewhere.
class Owner:
    __slots__ = ("slot",)


class Small:
    __slots__ = ()
    borrowed = Owner.slot


class Other:
    borrowed = Owner.slot


def read(o):
    return o.borrowed


def write(o):
    o.borrowed = 1


for make in (Small, Other):
    for act in (read, write):
        seen = set()
        for _ in range(200):
            try:
                act(make())
            except TypeError as error:
                seen.add(str(error))
        print(make.__name__, act.__name__, sorted(seen))


class Late:
    attr = "class"

    def __init__(self):
        self.attr = "own"


def attr(o):
    return o.attr


def set_attr(o, value):
    o.attr = value


o = Late()
for _ in range(200):
    assert attr(o) == "own"
    set_attr(o, "own")
del o.attr
print(attr(o))
set_attr(o, "again")
print(attr(o), o.__dict__)
Late.attr = property(lambda self: "property")
print(attr(o))
try:
    set_attr(o, 1)
except AttributeError as error:
    print(error)

print("attributes in a dict of their own")


class Box:
    pass


b = Box()
b.__dict__ = {"attr": 1, "other": 2}
for i in range(200):
    set_attr(b, i)
    assert attr(b) == i
del b.attr
try:
    attr(b)
except AttributeError as error:
    print(error)
set_attr(b, "new")
print(attr(b), b.__dict__)
c = Box()
c.__dict__ = {"other": 0, "attr": "elsewhere"}
print(attr(c), attr(b))


class Items(dict):
    def method(self):
        return "method"


def method(o):
    return o.method()


i = Items()
for _ in range(200):
    assert method(i) == "method"
i.method = lambda: "own"
print(method(i), method(Items()))
i.__dict__.clear()
print(method(i))
