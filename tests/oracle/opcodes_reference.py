"""Write what CPython knows of its opcodes: number, name, caches, family, flags and stack effects for some arguments."""
import _opcode
import opcode

names = dict(opcode.opmap)
names.update(opcode._specialized_opmap)
family = {name: head for head, members in opcode._specializations.items() for name in members}
CHECKS = ["arg", "const", "name", "jump", "free", "local"]


def effect(number, arg, jump):
    try:
        return _opcode.stack_effect(number, arg, jump=jump)
    except ValueError:
        return "-"


for name, number in sorted(names.items(), key=lambda item: item[1]):
    flags = ",".join(flag for flag in CHECKS if getattr(_opcode, "has_" + flag)(number)) or "-"
    head = family.get(name, name)
    caches = opcode._inline_cache_entries.get(head, 0)
    takes = _opcode.has_arg(number)
    effects = " ".join(
        f"{effect(number, arg if takes else 0, False)}/{effect(number, arg if takes else 0, True)}" for arg in (1, 2, 3, 259)
    )
    print(number, name, head, caches, flags, effects)
