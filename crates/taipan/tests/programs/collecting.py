import _functools,_collections,_operator,_abc
from _functools import partial,Placeholder as _,reduce,cmp_to_key,_lru_cache_wrapper as L
from _collections import *
from _collections import deque,defaultdict,OrderedDict,_tuplegetter,_count_elements
import _operator as o
def T(f,*a,**k):
    try: r=f(*a,**k); print(repr(r))
    except BaseException as e: print(type(e).__name__,e)
def f(*a,**k): return a,k
p=partial(f,1,_,3,x=1)
T(p,2,4,y=2); T(p); T(partial,f,_); T(partial,f,x=_); T(partial); T(partial,3)
print(p.args)
T(partial(p,9,x=5),7)
p.foo=3; print(p.foo,p.__dict__); print(p.__reduce__()[1:][1][1:])
class A: m=partial(f,1)
T(A().m.__call__ if 0 else (lambda: len(A().m(2)[0])))
p2=partial(f); p2.__setstate__((f,(1,2),{'k':1},{'a':2})); T(p2,5); print(p2.a)
T(p2.__setstate__,3)
T(repr,_); T(type(_)); T(type(_),1); print(type(_)() is _)
T(reduce,o.add,[1,2,3]); T(reduce,o.add,[]); T(reduce,o.add,[],5); T(reduce,o.add,3); T(reduce, o.add,[1],initial=4)
K=cmp_to_key(lambda a,b:b-a); print(sorted([3,1,2],key=K)); T(lambda: K(1)<3); T(lambda: hash(K(1))); print(K(3).obj); T(K); T(lambda:K<K)
calls=[]
def g(x,y=0): calls.append(x); return x+y
for ms in (None,0,2,-1):
  for ty in (False,True):
    l=L(g,ms,ty,lambda *a:a)
    for i in (1,2,1,1.0,3,1,2,"a"): T(l,i,i)
    T(l,1,y=2); T(l,y=2,x=1); T(l,x=1,y=2)
    print(l.cache_info(),len(calls)); l.cache_clear(); print(l.cache_info())
T(l,[]); T(L,3,1,1,1); T(L,g,'x',0,0)
def fib(n): return n if n<2 else F(n-1)+F(n-2)
F=L(fib,3,False,lambda *a:a); print(F(30),F.cache_info()); F.__wrapped__=fib
d=deque('abcdef',3); print(d,d.maxlen,len(d)); d.append(1); d.appendleft(2); print(d)
d=deque(range(5)); d.rotate(2); print(d); d.rotate(-7); print(d); d.extendleft('xyz'); print(d)
T(d.index,3); T(d.index,99); T(d.remove,99); d.remove(3); print(d, d[0],d[-1]); T(lambda:d[99]); T(lambda:d['a'])
d.insert(2,'ins'); print(d); d.reverse(); print(d,d.count('x'),d.copy()==d,d<deque([9]) if 0 else '', d*2, d+d)
d*=0; print(d); T(d.pop); T(d.popleft)
d=deque([1,2,3],maxlen=2); d*=3; print(d); pass; T(deque,1,2,3); T(deque,[],-1); T(deque,[],'a'); T(hash,d)
it=iter(d); next(it); d.append(4); T(next,it); T(next,it)
d=deque(); d.append(d); print(d); d.clear()
print(list(reversed(deque([1,2,3]))), deque([1,2])<deque([1,3]), deque([1])!=deque([2]), 2 in deque([1,2]))
del (q:=deque([1,2,3]))[1]; q[0]=9; print(q); T(deque([1]).__add__,[1]); T(q.insert,1); T(q.rotate,'a')
dd=defaultdict(list,{1:[2]},a=3); dd[5].append(1); print(dd,dd.copy(),dd|{7:8},{7:8}|dd,dd.__reduce__()[:2]); T(defaultdict,3); print(defaultdict(None,[(1,2)])); T(lambda:defaultdict()[3])
class DD(defaultdict): pass
x=DD(int); x['a']+=1; print(x, type(x.copy())); print(dd.default_factory); dd.default_factory=None; print(dd)
od=OrderedDict([(i,i*i) for i in range(5)],k=1); print(od); od.move_to_end(2); print(od); od.move_to_end(4,last=False); print(od); od.move_to_end(3,False); print(od)
print(od.popitem(),od.popitem(last=False),od); T(od.move_to_end,99); T(OrderedDict().popitem); T(od.pop,99); T(od.pop,99,1); print(od.pop(0),od)
print(od.keys(),od.values(),od.items(),list(reversed(od)),list(reversed(od.items())),type(od.keys()),type(iter(od)))
print(od==OrderedDict(reversed(list(od.items()))),od==dict(reversed(list(od.items()))), od.copy()==od, od|{5:6}, type({5:6}|od)); od|={8:9}; print(od); od.x=1; print(od.__dict__)
T(OrderedDict,1,2); T(OrderedDict().update,1,2); T(OrderedDict,[(1,)]); T(OrderedDict,[(1,2,3)]); T(OrderedDict,[1]); print(OrderedDict.fromkeys('abc',1))
i=iter(od); next(i); od['new']=1; T(next,i)
od[1]=od; print(od)
for n in range(1000): od[n]=n
for n in range(900): od.popitem(last=False)
print(len(od), next(iter(od)))
for n in range(950,960): od.move_to_end(n,False)
print(list(od)[:12])
c={}; _count_elements(c,'abracadabra'); print(c)
tg=_tuplegetter(1,'doc'); print(tg,tg.__doc__,tg.__reduce__()[1])
class NT(tuple): b=tg
print(NT((1,2)).b); T(lambda:NT((1,)).b); T(lambda: setattr(NT((1,2)),'b',1)); T(tg.__get__,3,int)
for n in dir(o):
    fn=getattr(o,n)
    if n[0]=='_' or not callable(fn): continue
    for a in ((),(3,),(3,2),('ab','a'),([1],[2]),([1,2],1),(3,2,1),([1,2],0,5)):
        print(n,end=' '); T(fn,*a)
T(o._compare_digest,'a','a'); T(o._compare_digest,b'a',b'b'); T(o._compare_digest,'\xff','a'); T(o._compare_digest,1,b'b');T(o._compare_digest,'1',b'b')
class P:
    class a: b=3
    def m(self,*a,**k): return a,k
T(o.attrgetter('a.b'),P); T(o.attrgetter('a.b','a'),P); T(o.attrgetter('z'),P); T(o.attrgetter,3); T(o.itemgetter(1),'abc'); T(o.itemgetter(1,2),'abc'); T(o.methodcaller('m',1,x=2),P()); print(o.methodcaller('m',1,x=2),o.itemgetter(1,'a'),o.attrgetter('x.y','z')); T(o.methodcaller); T(o.methodcaller,1); T(o.itemgetter(1)); T(o.itemgetter(1),1,2); T(o.itemgetter(1),x=1)
print(o.methodcaller('m',1).__reduce__(),o.itemgetter(1,2).__reduce__(),o.attrgetter('a.b').__reduce__())
class M(type):
    def __instancecheck__(c,i): return _abc._abc_instancecheck(c,i)
    def __subclasscheck__(c,i): return _abc._abc_subclasscheck(c,i)
    def register(c,s): return _abc._abc_register(c,s)
def ab(f): f.__isabstractmethod__=True; return f
class B(metaclass=M):
    @ab
    def foo(self): pass
_abc._abc_init(B)
print(B.__abstractmethods__); T(B)
class C2(B): pass
_abc._abc_init(C2); T(C2)
class C3(C2):
    def foo(self): pass
_abc._abc_init(C3); print(type(C3()).__name__)
t=_abc.get_cache_token(); print(isinstance(3,B),issubclass(int,B)); B.register(int); print(isinstance(3,B),issubclass(bool,B),isinstance(C3(),B),_abc.get_cache_token()-t); T(B.register,3); T(C3.register,B); T(_abc._abc_subclasscheck,B,3)
print([len(x) if isinstance(x,set) else 0 for x in _abc._get_dump(B)])
class S(metaclass=M): __abc_tpflags__=1<<5
_abc._abc_init(S)
class V: pass
S.register(V)
class V2(V):
    def __len__(s): return 0
    def __getitem__(s,i): raise IndexError
match V2():
    case []: print('seq')
    case __: print('no')
T(_abc._get_dump,3)
