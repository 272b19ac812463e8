# Where the tokens of a source with a NUL end.
import tokenize,io
for s in ('a\0b','a = 1\nb\0c\nd\n','x\n"""a\0"""\n','# \0\n', 'a\n\0'):
    try:
        for t in tokenize.generate_tokens(io.StringIO(s).readline): print(t.type,repr(t.string))
    except BaseException as e: print(type(e).__name__, e, repr(e.__cause__ or e.__context__))
for s in ('(a,\n\0b)','if a:\n  b\n\0','"""a\n\0"""','if a:\n  b\nc\0\n'):
    try:
        for t in tokenize.generate_tokens(io.StringIO(s).readline): print(t.type,repr(t.string))
    except BaseException as e: print(type(e).__name__, e, repr(e.__cause__ or e.__context__))
