# Iterators that give their last pair again may do so only when nobody kept it; and what else native short cuts must not change.
import gc
d={'a':[1],'b':[2],'c':(3,)}
kept=list(d.items()); print(kept)
it=iter(d.items()); a=next(it); b=next(it); print(a,b,a is b); h=hash(('x',1))
for i,(k,v) in enumerate(d.items()): print(i,k,v)
l=[p for p in enumerate('abc')]; print(l, len({id(x) for x in l}))
seen=[]
for p in enumerate('abc'): seen.append(hash(p))
print([hash((i,c)) for i,c in enumerate('abc')]==seen)
s={p for p in {1:2,3:4}.items()}; print(sorted(s))
class R:
    def __del__(self):
        print('del', next(it2, None))
d2={'x':R(),'y':2,'z':3,'w':4}
it2=iter(d2.items())
for k,v in it2:
    if k=='x': d2['x']=None
    del v
    print(k)
gc.collect()
print(max(1,5,3), min('b','a',key=ord), max(1,1.0), min([],default=7))
try: min()
except TypeError as e: print(e)
try: max(1,'a')
except TypeError as e: print(e)
for h,n in [('hello world','lo'),('aaa','aab'),('ab','abc'),('abcabd','abd'),('éab','ab'),('日本語','本'),('x'*50+'ab','ab'),('aab','ab')]:
    print(h.find(n), n in h, h.count(n), h.replace(n,'_'), h.split(n), h.rfind(n), h.index(n) if n in h else None)
class P:
    @property
    def p(self): raise AttributeError('inner')
    def __getattr__(self,n): return 'ga '+n
class Q:
    @property
    def p(self): raise AttributeError('inner')
for _ in range(30): x=P().p
print(x)
for _ in range(30):
    try: Q().p
    except AttributeError as e: msg=str(e)
print(msg)
def cls(o): return o.__class__
for o in (1,'a',P(),Q(),None,cls): print([cls(o) for _ in range(20)][-1] is type(o))
