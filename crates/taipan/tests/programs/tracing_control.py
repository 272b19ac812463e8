# What can be asked of monitoring and of frames while they are traced: disabling, restarting, errors, jumps.
import sys
import threading
import warnings

warnings.simplefilter("ignore")
M, E = sys.monitoring, sys.monitoring.events


def attempt(function, *args):
    try:
        print(function.__name__, args[1:] if args and callable(args[0]) else args, "->", function(*args))
    except (ValueError, TypeError, SystemError) as error:
        print(function.__name__, type(error).__name__, error)


def steps(count):
    total = 0
    for i in range(count):
        if i % 2:
            total += i
        else:
            total -= i
    return total


# Numbers, names and sets of events.
attempt(M.set_events, 3, 1)
attempt(M.use_tool_id, 6, "x")
attempt(M.use_tool_id, 3, 3)
attempt(M.use_tool_id, 3, "mine")
attempt(M.use_tool_id, 3, "other")
for events in (-1, 1 << 19, E.C_RETURN, E.CALL | E.C_RAISE, E.BRANCH):
    attempt(M.set_events, 3, events)
print(M.get_events(3), M._all_events())
M.set_events(3, 0)
for events in (E.RAISE, E.C_RETURN, 1 << 20, E.LINE | E.BRANCH):
    attempt(lambda events: M.set_local_events(3, steps.__code__, events), events)
print(M.get_local_events(3, steps.__code__), M.get_local_events(4, steps.__code__))
M.set_local_events(3, steps.__code__, 0)
for event in (3, 0, 1 << 19, -1):
    attempt(M.register_callback, 3, event, None)
print(M.register_callback(3, E.LINE, len), M.register_callback(3, E.LINE, None) is len)

# Disabling and restarting.
seen = []


def once(code, *rest):
    seen.append(rest)
    return M.DISABLE


before = steps.__code__.co_code, hash(steps.__code__)
for event in (E.LINE, E.INSTRUCTION, E.JUMP, E.BRANCH_LEFT, E.BRANCH_RIGHT, E.PY_START, E.PY_RETURN, E.BRANCH):
    M.register_callback(3, event, once)
    M.set_local_events(3, steps.__code__, event)
    print(event, before == (steps.__code__.co_code, hash(steps.__code__)), end=" ")
    steps(5)
    first = len(seen)
    steps(5)
    print(first == len(seen), end=" ")
    M.restart_events()
    steps(5)
    print(len(seen) == 2 * first, [row[-1] - steps.__code__.co_firstlineno if event == E.LINE else row for row in seen[:first]])
    seen.clear()
    M.set_local_events(3, steps.__code__, 0)
    M.register_callback(3, event, None)


def failing():
    raise KeyError


M.register_callback(3, E.RAISE, once)
M.set_events(3, E.RAISE)
try:
    failing()
except (KeyError, ValueError) as error:
    print(type(error).__name__, error)
M.set_events(3, 0)


def angry(code, *rest):
    raise OSError(code.co_name)


for event in (E.PY_START, E.LINE, E.CALL, E.PY_RETURN, E.JUMP, E.BRANCH_LEFT, E.BRANCH_RIGHT, E.INSTRUCTION):
    M.register_callback(3, event, angry)
    M.set_local_events(3, steps.__code__, event)
    try:
        print(event, steps(4))
    except OSError as error:
        print(event, repr(error), error.__traceback__.tb_next.tb_lineno - steps.__code__.co_firstlineno)
    M.set_local_events(3, steps.__code__, 0)
    M.register_callback(3, event, None)

# A line can be set where it makes sense.
for event in names if (names := [n for n in dir(E) if n.isupper() and n not in ("BRANCH", "NO_EVENTS")]) else ():
    said = []

    def setter(code, *rest, event=event, said=said):
        if code.co_name == "watched" and not said:
            try:
                sys._getframe(1).f_lineno = 0
            except (ValueError, SystemError) as error:
                said.append(str(error))

    def watched():
        for i in (n for n in (1, 0)):
            try:
                int("x") if i else len("")
                yield i
            except ValueError:
                pass
        yield 2

    M.register_callback(3, getattr(E, event), setter)
    if event in ("C_RETURN", "C_RAISE"):
        M.set_events(3, E.CALL | E.C_RETURN | E.C_RAISE)
    else:
        M.set_events(3, getattr(E, event))
    list(watched())
    M.set_events(3, 0)
    M.register_callback(3, getattr(E, event), None)
    print(event, said)
M.free_tool_id(3)
print(M.get_tool(3))


def target(out):
    out.append(1)
    for i in 1, 2:
        out.append(2)
        try:
            out.append(3)
        finally:
            out.append(4)
    with open("/dev/null") as f:
        out.append(5)
    try:
        raise ValueError
    except ValueError:
        out.append(6)
    out.append(7)


first = target.__code__.co_firstlineno
for source in range(1, 15):
    for destination in range(0, 16):
        out, told = [], []

        def jumper(frame, event, arg):
            if frame.f_code is target.__code__:
                if event == "line" and frame.f_lineno == first + source and not told:
                    told.append("jumped")
                    try:
                        frame.f_lineno = first + destination
                    except ValueError as error:
                        told[0] = str(error).replace(str(first + destination), "N")
                return jumper

        sys.settrace(jumper)
        try:
            target(out)
        except Exception as error:
            out.append(type(error).__name__)
        sys.settrace(None)
        print(source, destination, told, out)

# A trace function that raises is removed; tracing is off while it runs.
depth = []


def failing_trace(frame, event, arg):
    depth.append(frame.f_code.co_name)
    steps(1)
    raise RuntimeError("from the trace function")


sys.settrace(failing_trace)
try:
    steps(2)
except RuntimeError as error:
    print(error, sys.gettrace(), depth)


def logging_trace(frame, event, arg):
    if event == "line" and frame.f_code is outer.__code__:
        sys.call_tracing(steps, (1,))
    log.append((frame.f_code.co_name, event))
    return logging_trace


def outer():
    return 1


log = []
sys.settrace(logging_trace)
outer()
sys.settrace(None)
print(log)

# Lines and opcodes are switched in the frame.
def switching(frame, event, arg):
    if frame.f_code is not steps.__code__:
        return None
    frame.f_trace_lines = False
    frame.f_trace_opcodes = True
    log.append((event, frame.f_lasti))
    return switching


log = []
sys.settrace(switching)
steps(1)
sys.settrace(None)
print(log)

# Every thread has functions of its own.
def in_thread():
    log.append(("gettrace", sys.gettrace() is not None, sys.getprofile() is not None))
    outer()


def for_threads(frame, event, arg):
    if frame.f_code is outer.__code__:
        log.append((event, arg))
    return for_threads


log = []
threading.settrace(for_threads)
threading.setprofile(for_threads)
thread = threading.Thread(target=in_thread)
thread.start()
thread.join()
threading.settrace(None)
threading.setprofile(None)
print(log, sys.gettrace(), sys.getprofile())
