"""Write golden files for the compiler's tests: a source on top, what CPython makes of it below.

  python3.14 code_golden.py FILE...      renews the lower half of each file
"""
import os
import subprocess
import sys

MARK = "=== CPython 3.14 ===\n"
SCRIPT = os.path.join(os.path.dirname(__file__), "code_reference.py")

for path in sys.argv[1:]:
    with open(path, encoding="utf-8") as file:
        source = file.read().split(MARK)[0]
    with open(path + ".tmp", "w", encoding="utf-8") as file:
        file.write(source)
    shown = subprocess.run([sys.executable, SCRIPT, "show", path + ".tmp"], capture_output=True, text=True, check=True)
    os.remove(path + ".tmp")
    with open(path, "w", encoding="utf-8") as file:
        file.write(source + MARK + shown.stdout)
