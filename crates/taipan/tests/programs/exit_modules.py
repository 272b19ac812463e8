# What modules hold is finalised at exit, while the modules still have their variables.
import atexit
import sys
import types
import weakref


class Noisy:
    def __init__(self, name):
        self.name = name

    def __del__(self):
        print("del", self.name, Noisy is None, sys is None)


def generator():
    try:
        yield Noisy("in a generator")
    finally:
        print("generator closed", __name__)


plain = Noisy("plain")
_private = Noisy("private")
cycle = [Noisy("in a cycle")]
cycle.append(cycle)
running = generator()
next(running)
weakref.finalize(plain, print, "finalize")
atexit.register(print, "atexit")

module = types.ModuleType("first")
module.held = Noisy("held by a module")
sys.modules["first"] = module
del module


class Late:
    def __del__(self):
        try:
            import decimal
        except ImportError as error:
            print(error)


late = Late()
