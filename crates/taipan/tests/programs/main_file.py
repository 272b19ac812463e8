# What a program knows of the file that it runs from.
import os
import subprocess
import sys
import tempfile

SCRIPT = """
import sys, atexit
atexit.register(lambda: print("at exit:", "__file__" in globals()))
print(__file__, sys.argv[0], sys.path[0], __spec__ is None, type(__loader__).__name__)
def f(): raise ValueError("here")
try:
    f()
except ValueError as error:
    print(error.__traceback__.tb_next.tb_frame.f_code.co_filename)
"""
PACKAGE = "import sys; print(__file__, sys.argv[0], sys.path[0], __spec__.name)"

with tempfile.TemporaryDirectory() as folder:
    folder = os.path.realpath(folder)
    os.mkdir(os.path.join(folder, "package"))
    with open(os.path.join(folder, "script.py"), "w") as file:
        file.write(SCRIPT)
    with open(os.path.join(folder, "package", "__main__.py"), "w") as file:
        file.write(PACKAGE)
    os.symlink(os.path.join(folder, "script.py"), os.path.join(folder, "package", "link.py"))

    def run(*arguments, where="", text=None):
        result = subprocess.run(
            [sys.executable, *arguments],
            cwd=os.path.join(folder, where),
            input=text,
            text=True,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
        )
        print(arguments, result.returncode)
        print(result.stdout.replace(folder, "FOLDER").replace(sys.executable, "PYTHON"), end="")

    run("script.py")
    run("./script.py")
    run("package/../script.py")
    run("package/link.py")
    run("package")
    run(".", where="package")
    run("__main__.py", where="package")
    run("missing.py")
    run("-", text=SCRIPT)
    run("-c", "import sys; print('__file__' in globals(), sys.path[0] == '')")
