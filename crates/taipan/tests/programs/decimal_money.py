"""Decimals: money, contexts and signals, conversions, formatting, functions, pickles, threads."""

import copy
import decimal
import operator
import pickle
import threading
from decimal import (
    ROUND_05UP, ROUND_DOWN, ROUND_HALF_EVEN, ROUND_HALF_UP, ROUND_UP, Clamped, Context, Decimal, DivisionByZero,
    FloatOperation, Inexact, InvalidOperation, MAX_EMAX, MAX_PREC, MIN_EMIN, Overflow, Subnormal, Underflow,
    getcontext, localcontext, setcontext,
)
from fractions import Fraction


def shown(function, *args):
    try:
        return repr(function(*args))
    except Exception as error:
        return f"{type(error).__name__}: {error}"


# An invoice.
lines = [("apples", "3.5", "2.99"), ("bread", "2", "3.249"), ("tea", "0.125", "18.40")]
total = Decimal()
for name, amount, price in lines:
    cost = (Decimal(amount) * Decimal(price)).quantize(Decimal("0.01"), ROUND_HALF_UP)
    total += cost
    print(f"{name:<8}{cost:>10.2f}")
print(f"{total:08,.2f}", total * Decimal("1.19"), divmod(total, 7), total // 3, total % Decimal("0.5"))

# Constructions that are exact, and those that are not possible.
for value in (0, -5, 10**40, 0.1, -0.0, "1e5", "  -1_000.50 ", "NaN123", "sNaN", "-inf", (1, (3, 1, 4), -2),
              [0, (0, 0, 7), 3], "٣.١٤", True):
    print(repr(value), Decimal(value))
for value in ("", "1.2.3", "e5", b"1", None, 1j, (1, 2), (2, (1,), 0), (0, (10,), 0), (0, (1,), "x")):
    print(repr(value), shown(Decimal, value))

# Rounding in every way.
for rounding in decimal.ROUND_UP, decimal.ROUND_FLOOR, ROUND_05UP, ROUND_HALF_EVEN, ROUND_DOWN:
    with localcontext(prec=3, rounding=rounding):
        print(rounding, +Decimal("1.2345"), +Decimal("-1.2355"), Decimal("1.005").to_integral_value())

# Signals: flags without traps, exceptions with them.
context = Context(prec=5, Emin=-10, Emax=10, traps=[])
for operation, operands in (
    ("divide", (1, 0)), ("divide", (0, 0)), ("multiply", ("9e9", "9e9")), ("multiply", ("1e-9", "1e-9")),
    ("sqrt", ("-1",)), ("add", ("1", "1e-7")), ("quantize", ("123456", "0.1")), ("ln", (0,)), ("logb", (0,)),
    ("remainder_near", (10, 6)), ("power", (0, 0)), ("scaleb", ("1", "12")), ("next_toward", ("1", "2")),
):
    context.clear_flags()
    result = getattr(context, operation)(*map(Decimal, operands))
    print(operation, operands, result, sorted(flag.__name__ for flag, seen in context.flags.items() if seen))
print(shown(operator.truediv, Decimal(1), 0), shown(operator.mod, Decimal(1), 0), shown(Decimal, "x"))
with localcontext() as local:
    local.traps[Inexact] = local.traps[FloatOperation] = True
    print(shown(operator.truediv, Decimal(1), 3), shown(Decimal, 1.5), shown(operator.lt, Decimal(1), 1.5))
    print(local)
print(issubclass(Overflow, Inexact), issubclass(DivisionByZero, ZeroDivisionError), Underflow.__mro__[1:4])

# Equal numbers are equal as keys, whatever they are.
keys = {Decimal("1.5"): "decimal"}
print(keys[1.5], keys[Fraction(3, 2)], Decimal("0.1") == 0.1, Decimal("7") == 7, hash(Decimal("1e50")) == hash(10**50))
print(Decimal(2) < Fraction(5, 2) < Decimal("2.6"), sorted([Decimal(3), 1, Decimal("2.5"), Fraction(1, 3)]))
print(hash(Decimal("-inf")), shown(hash, Decimal("snan")), Decimal("nan") == Decimal("nan"))

# Functions, and a lot of digits.
for prec in 1, 9, 28, 60:
    with localcontext(prec=prec):
        x = Decimal("1.25")
        print(prec, x.exp(), x.ln(), x.log10(), x.sqrt(), x ** Decimal("-2.5"), x**50, 1 / x, Decimal(1) / 7)
with localcontext(prec=30000):
    long = Decimal(3) ** 20000
    print(len(str(long)), int(long) == 3**20000, Decimal(3**20000) == long, hash(long) == hash(3**20000))
    print(str(long / 7**3)[-20:], str(Decimal(2).sqrt())[-20:], str(long * long % 10**30))
with localcontext(Context(prec=MAX_PREC, Emax=MAX_EMAX, Emin=MIN_EMIN)):
    for expression in ("1e999999999999999999 + 1", "1 / 3", "1e999999999999999999 * 2", "1e999999999999999999 // 7"):
        left, operator_, right = expression.split()
        functions = {"+": operator.add, "/": operator.truediv, "*": operator.mul, "//": operator.floordiv}
        print(expression, shown(functions[operator_], Decimal(left), Decimal(right)))
    print(shown(int, Decimal("1e999999999999999999")), shown(hash, Decimal("1e999999999999999999")))

# Formatting.
for spec in ("", "f", ".2f", "e", ".3e", "g", ".3g", "%", ".1%", "+", " ", "012", "012,", "<15", "^15.1f", "*>+15,.1f",
             "n", "z.0f", "_.2f", "x", ".", "1.5.2"):
    print(repr(spec), [shown(format, Decimal(value), spec) for value in ("-1234567.891", "0.00001", "nan")])

# Copies, pickles, subclasses.
class Money(Decimal):
    def __str__(self):
        return super().__str__() + " €"


money = Money("12.50")
print(money, repr(money), type(money + 1).__name__, Money.from_float(0.5), copy.copy(money), copy.deepcopy(money))
print([pickle.loads(pickle.dumps(Decimal(text), protocol)) for protocol in range(6) for text in ("1.10", "-snan7")])
print(repr(pickle.loads(pickle.dumps(Context(prec=7, traps=[Clamped, Subnormal])))))
print(Decimal("-0.00").as_tuple(), Decimal("1e3").as_integer_ratio(), Decimal("-2.50").as_integer_ratio())
print(Decimal("12.3e5").to_eng_string(), Decimal("1.20").normalize(), round(Decimal("2.675"), 2), round(Decimal("2.5")))

# Every thread has a context of its own.
setcontext(Context(prec=4))
seen = []
worker = threading.Thread(target=lambda: seen.append((getcontext().prec, Decimal(1) / 3)))
worker.start()
worker.join()
print(seen, getcontext().prec, Decimal(1) / 3)

# Attributes of contexts are checked.
for name, value in (("prec", 0), ("prec", "x"), ("Emax", -1), ("Emin", 1), ("rounding", "up"), ("clamp", 2),
                    ("capitals", 7), ("traps", []), ("unknown", 1)):
    print(name, value, shown(setattr, getcontext(), name, value))
print(shown(delattr, getcontext(), "prec"), decimal.IEEEContext(64), shown(decimal.IEEEContext, 48))
print(ROUND_UP, decimal.HAVE_THREADS, decimal.HAVE_CONTEXTVAR, InvalidOperation.__module__)
