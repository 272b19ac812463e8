import importlib.machinery
import importlib.util
import sys

path = sys.path[0] + "/single.so"


def load(name):
    loader = importlib.machinery.ExtensionFileLoader(name, path)
    spec = importlib.util.spec_from_file_location(name, path, loader=loader)
    module = importlib.util.module_from_spec(spec)
    loader.exec_module(module)
    return module


def attempt(name):
    try:
        print(load(name))
    except BaseException as exc:
        cause = f" <- {exc.__cause__!r}" if exc.__cause__ else ""
        print(f"{type(exc).__name__}: {str(exc).replace(path, 'PATH')}{cause}")
        if isinstance(exc, ImportError):
            print(exc.name, exc.path == path)


import single
print(single.__name__, single.__doc__, single.made, single.times(), type(single.__loader__).__name__)
single.made = 99
del sys.modules["single"]
import single as again
print(again is single, again.made, again.times())
print(load("package.single").__name__)
for name in ["quiet", "loud", "leftover", "number", "unknown", "failing", "odd", "absent", "gr\xfc\xdf"]:
    attempt(name)
