//! The cache behind `lru_cache`.
//!
//! Results stand in a vector of nodes that is also a list from the least to the most recently used; a
//! dict maps keys to the numbers of nodes. Any look-up may run `__eq__`, and the function itself may
//! call the wrapper again or clear it: so nothing is borrowed while Python code runs, every step
//! checks what it finds, and a counter of clearings tells whether node numbers still mean anything.

use crate::util::{Field, GC_BASE};
use core::cell::{Cell, RefCell};
use taipan_object::bind;
use taipan_object::dict::Dict;
use taipan_object::err::type_error;
use taipan_object::int::Int;
use taipan_object::native::*;
use taipan_object::protocol::vectorcall;
use taipan_object::singletons::{is_none, none};
use taipan_object::statics::{PyBaseObject_Type, PyLong_Type, PyUnicode_Type};
use taipan_object::tuple::Tuple;
use taipan_object::{Object, PyResult, Ref, Type, TypeSpec, abi, callable, methods, state, typeobject};

/// No node.
const NIL: usize = usize::MAX;

/// A cached result; `key` is `None` while the node is free or being reused.
struct Node {
    key: Option<Ref>,
    hash: isize,
    result: Option<Ref>,
    previous: usize,
    next: usize,
}

/// The nodes, linked from the oldest to the newest.
struct Links {
    nodes: Vec<Node>,
    free: Vec<usize>,
    oldest: usize,
    newest: usize,
}

impl Default for Links {
    fn default() -> Self {
        Self { nodes: Vec::new(), free: Vec::new(), oldest: NIL, newest: NIL }
    }
}

impl Links {
    fn unlink(&mut self, at: usize) {
        let (previous, next) = (self.nodes[at].previous, self.nodes[at].next);
        match previous {
            NIL => self.oldest = next,
            previous => self.nodes[previous].next = next,
        }
        match next {
            NIL => self.newest = previous,
            next => self.nodes[next].previous = previous,
        }
    }

    fn link_newest(&mut self, at: usize) {
        let newest = self.newest;
        (self.nodes[at].previous, self.nodes[at].next) = (newest, NIL);
        match newest {
            NIL => self.oldest = at,
            newest => self.nodes[newest].next = at,
        }
        self.newest = at;
    }

    fn link_oldest(&mut self, at: usize) {
        let oldest = self.oldest;
        (self.nodes[at].previous, self.nodes[at].next) = (NIL, oldest);
        match oldest {
            NIL => self.newest = at,
            oldest => self.nodes[oldest].previous = at,
        }
        self.oldest = at;
    }

    /// The result of a linked node, which becomes the newest.
    fn hit(&mut self, at: usize) -> Option<Ref> {
        let result = self.nodes.get(at)?.result.clone()?;
        if self.newest != at && self.nodes[at].key.is_some() {
            self.unlink(at);
            self.link_newest(at);
        }
        Some(result)
    }

    fn insert(&mut self, node: Node) -> usize {
        match self.free.pop() {
            Some(at) => {
                self.nodes[at] = node;
                at
            }
            None => {
                self.nodes.push(node);
                self.nodes.len() - 1
            }
        }
    }
}

/// How many results are kept.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Limit {
    Nothing,
    Everything,
    Newest(usize),
}

/// A function and what it returned.
pub struct Lru {
    function: Field,
    cache: Ref<Dict>,
    links: RefCell<Links>,
    clearings: Cell<u64>,
    limit: Limit,
    typed: bool,
    hits: Cell<isize>,
    misses: Cell<isize>,
    info_type: Field,
}

/// The type object.
pub static LRU: taipan_object::statics::StaticType = taipan_object::statics::StaticType::called(
    c"functools._lru_cache_wrapper",
    Native::<Called<Lru>>::SIZE,
    Called::<Lru>::OFFSET,
    GC_BASE
        | abi::Py_TPFLAGS_MANAGED_DICT
        | abi::Py_TPFLAGS_MANAGED_WEAKREF
        | abi::Py_TPFLAGS_METHOD_DESCRIPTOR,
);

impl CalledPayload for Lru {
    const TYPE: &'static taipan_object::statics::StaticType = &LRU;

    fn traverse(&self, visitor: &mut Visitor) {
        Held::show(&self.function, visitor);
        Held::show(&self.info_type, visitor);
        visitor.visit(&self.cache);
        for node in &self.links.borrow().nodes {
            visitor.visit_opt(node.key.as_ref());
            visitor.visit_opt(node.result.as_ref());
        }
    }

    fn clear(&self) {
        self.forget();
        self.function.set(None);
        self.info_type.set(None);
    }
}

type View = Native<Called<Lru>>;

impl Lru {
    fn forget(&self) {
        self.clearings.set(self.clearings.get() + 1);
        let links = self.links.take();
        self.cache.clear();
        drop(links);
    }
}

/// Stands in keys between positional and keyword arguments.
struct Mark(Ref);

fn keyword_mark() -> PyResult {
    let fresh = PyBaseObject_Type.call(&[])?;
    Ok(state::interp().extension(|| Mark(fresh)).0.clone())
}

/// The key of a call: the argument itself where it is a single str or int, a tuple otherwise.
fn make_key(args: CallArgs<'_>, typed: bool) -> PyResult {
    let positional = args.positional();
    let keywords = args.kwnames.is_some_and(|names| !names.is_empty());
    if !typed && !keywords {
        return match positional {
            [only] if only.is_exact(&PyUnicode_Type) || only.is_exact(&PyLong_Type) => Ok(only.new_ref()),
            _ => Tuple::from_refs(positional)?.into_py(),
        };
    }
    let mark = if keywords { Some(keyword_mark()?) } else { None };
    let mut all: Vec<&Object> = positional.to_vec();
    if let Some(mark) = &mark {
        all.push(mark);
        for (name, value) in args.keywords() {
            all.push(name);
            all.push(value);
        }
    }
    if typed {
        all.extend(positional.iter().map(|item| -> &Object { item.ty() }));
        all.extend(args.keywords().map(|(_, value)| -> &Object { value.ty() }));
    }
    Tuple::from_refs(&all)?.into_py()
}

fn node_number(value: &Object) -> usize {
    value.downcast::<Int>().and_then(Int::to_i64).map_or(NIL, |number| number as usize)
}

fn count(cell: &Cell<isize>) {
    cell.set(cell.get() + 1);
}

fn call(lru: &View, args: CallArgs<'_>) -> PyResult {
    let Some(function) = lru.function.get() else { return Err(type_error("the cache has been cleared")) };
    match lru.limit {
        Limit::Nothing => {
            count(&lru.misses);
            vectorcall(&function, args.all, args.kwnames)
        }
        Limit::Everything => call_unlimited(lru, &function, args),
        Limit::Newest(limit) => call_limited(lru, &function, args, limit),
    }
}

fn call_unlimited(lru: &View, function: &Object, args: CallArgs<'_>) -> PyResult {
    let key = make_key(args, lru.typed)?;
    let hash = key.hash()?;
    if let Some(result) = lru.cache.get_hashed(&key, hash)? {
        count(&lru.hits);
        return Ok(result);
    }
    count(&lru.misses);
    let result = vectorcall(function, args.all, args.kwnames)?;
    lru.cache.set_hashed(&key, hash, result.clone())?;
    Ok(result)
}

fn call_limited(lru: &View, function: &Object, args: CallArgs<'_>, limit: usize) -> PyResult {
    let key = make_key(args, lru.typed)?;
    let hash = key.hash()?;
    if let Some(number) = lru.cache.get_hashed(&key, hash)? {
        let result = lru.links.borrow_mut().hit(node_number(&number));
        if let Some(result) = result {
            count(&lru.hits);
            return Ok(result);
        }
    }
    count(&lru.misses);
    let result = vectorcall(function, args.all, args.kwnames)?;
    // The function may have called this wrapper with the same arguments.
    if lru.cache.get_hashed(&key, hash)?.is_none() {
        remember(lru, key, hash, &result, limit)?;
    }
    Ok(result)
}

/// Adds a result, in the place of the oldest one when there is no room.
fn remember(lru: &View, key: Ref, hash: isize, result: &Object, limit: usize) -> PyResult<()> {
    let clearings = lru.clearings.get();
    if lru.cache.len() >= limit && !give_up_oldest(lru)? {
        return Ok(());
    }
    if lru.clearings.get() != clearings {
        return Ok(());
    }
    // The node is not linked before its key is in the dict: adding it may run `__eq__`.
    let node = Node { key: None, hash, result: Some(result.new_ref()), previous: NIL, next: NIL };
    let at = lru.links.borrow_mut().insert(node);
    let stored = lru.cache.set_hashed(&key, hash, Int::from_usize(at).upcast());
    if lru.clearings.get() != clearings {
        return stored;
    }
    if stored.is_err() {
        let unused = core::mem::take(&mut lru.links.borrow_mut().nodes[at].result);
        lru.links.borrow_mut().free.push(at);
        drop(unused);
        return stored;
    }
    let mut links = lru.links.borrow_mut();
    links.nodes[at].key = Some(key);
    links.link_newest(at);
    Ok(())
}

/// Takes the oldest result out; false if somebody else has done so meanwhile.
fn give_up_oldest(lru: &View) -> PyResult<bool> {
    let clearings = lru.clearings.get();
    let (at, key, hash) = {
        let mut links = lru.links.borrow_mut();
        let at = links.oldest;
        if at == NIL {
            return Ok(false);
        }
        links.unlink(at);
        let node = &mut links.nodes[at];
        let Some(key) = node.key.take() else { return Ok(false) };
        (at, key, node.hash)
    };
    let taken = lru.cache.take_hashed(&key, hash);
    if lru.clearings.get() != clearings {
        return Ok(false);
    }
    match taken {
        Err(error) => {
            let mut links = lru.links.borrow_mut();
            links.nodes[at].key = Some(key);
            links.link_oldest(at);
            Err(error)
        }
        Ok(taken) => {
            let result = {
                let mut links = lru.links.borrow_mut();
                links.free.push(at);
                links.nodes[at].result.take()
            };
            let found = taken.is_some();
            drop((taken, result));
            Ok(found && lru.clearings.get() == clearings)
        }
    }
}

fn new(ty: &Type, args: &Tuple, kwargs: Option<&Dict>) -> PyResult {
    bind!(bound = "lru_cache" "(user_function, maxsize, typed, cache_info_type)", args, kwargs);
    let function = bound.required(0);
    if !function.is_callable() {
        return Err(type_error("the first argument must be callable"));
    }
    let size = bound.required(1);
    let limit = if is_none(size) {
        Limit::Everything
    } else if taipan_object::protocol::has_index(size) {
        match size.to_index_clamped(Some(&taipan_object::statics::PyExc_OverflowError))? {
            ..=0 => Limit::Nothing,
            size => Limit::Newest(size.unsigned_abs()),
        }
    } else {
        return Err(type_error("maxsize should be integer or None"));
    };
    let payload = Lru {
        function: Field::of(function),
        cache: Dict::new()?,
        links: RefCell::default(),
        clearings: Cell::new(0),
        limit,
        typed: bound.required(2).is_true()?,
        hits: Cell::new(0),
        misses: Cell::new(0),
        info_type: Field::of(bound.required(3)),
    };
    native_new(ty, Called::new(payload, call))?.into_py()
}

fn cache_info(lru: &View) -> PyResult {
    let Some(make) = lru.info_type.get() else { return Err(type_error("the cache has been cleared")) };
    let limit = match lru.limit {
        Limit::Everything => none().new_ref(),
        Limit::Nothing => Int::from_i64(0).upcast(),
        Limit::Newest(limit) => Int::from_usize(limit).upcast(),
    };
    let (hits, misses) = (Int::from_isize(lru.hits.get()), Int::from_isize(lru.misses.get()));
    make.call(&[&hits, &misses, &limit, &Int::from_usize(lru.cache.len())])
}

fn cache_clear(lru: &View) {
    lru.hits.set(0);
    lru.misses.set(0);
    lru.forget();
}

fn bind(lru: &View, instance: Option<&Object>, _: Option<&Object>) -> PyResult {
    match instance.filter(|instance| !is_none(instance)) {
        None => Ok(lru.object().new_ref()),
        Some(instance) => callable::new_method(lru.object(), instance)?.into_py(),
    }
}

methods! {
    static METHODS = {
        noargs "cache_info" "($self, /)" = cache_info, "How often a result was at hand, and how many are kept.";
        noargs "cache_clear" "($self, /)" = |lru: &View| cache_clear(lru), "Forget all results and counts.";
        noargs "__reduce__" "" = |lru: &View| super::qualified_name(lru.object()), "Describe the function for pickling: by its name.";
        noargs "__copy__" "" = |lru: &View| lru.object().new_ref(), "The function itself.";
        one "__deepcopy__" "" = |lru: &View, _: &Object| lru.object().new_ref(), "The function itself.";
    }
}

pub(super) static SPEC: TypeSpec = TypeSpec {
    doc: Some(
        c"A function that remembers what it returned.\n\nuser_function:      the function\n\nmaxsize:            how many results are kept; None keeps all, 0 none\n\ntyped:              whether arguments of different types are different calls\n\ncache_info_type:    what cache_info() makes of hits, misses, maxsize and currsize\n",
    ),
    slots: &[
        View::DEALLOC,
        View::TRAVERSE,
        View::CLEAR,
        Called::<Lru>::CALL,
        tp_new(new),
        tp_descr_get(bind),
    ],
    methods: METHODS,
    getset: &[typeobject::INSTANCE_DICT],
    ..TypeSpec::new(&LRU)
};
