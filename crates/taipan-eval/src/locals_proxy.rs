//! `FrameLocalsProxy`: what `frame.f_locals` gives for functions (PEP 667).
//!
//! Problem: whoever holds a frame wants to read and change its local variables by name, while the frame
//! runs. Idea: a mapping without contents of its own. Each access goes to the frame's words, cells are
//! looked through, and names that are no locals stand in a dict that the frame object keeps.
//!
//! Invariant: words of the operand stack may borrow what a local holds. A value that is written over is
//! therefore kept by the frame object (`f_overwritten_fast_locals`) until the frame has ended.

use crate::frame::Frame;
use crate::frame_object::{FrameObject, live, local_value};
use crate::stackref::StackRef;
use taipan_abi::PyCellObject;
use taipan_bytecode::{CO_FAST_CELL, CO_FAST_FREE, CO_FAST_HIDDEN};
use taipan_object::dict::Dict;
use taipan_object::err::{key_error, type_error, value_error};
use taipan_object::handle::set_field;
use taipan_object::list::List;
use taipan_object::native::*;
use taipan_object::protocol;
use taipan_object::singletons::{none, not_implemented};
use taipan_object::statics::*;
use taipan_object::tuple::Tuple;
use taipan_object::unicode::Str;
use taipan_object::{Object, PyResult, Ref, Type, intern, raise};

/// The state: the frame object.
struct Proxy {
    frame: Ref<FrameObject>,
}
const _: () = assert!(Native::<Proxy>::SIZE <= 24, "the type object declares this size");

impl Payload for Proxy {
    const TYPE: &'static StaticType = &PyFrameLocalsProxy_Type;
    fn traverse(&self, visitor: &mut Visitor) {
        visitor.visit(&self.frame);
    }
}

type View = Native<Proxy>;

/// The proxy of a frame.
///
/// # Errors
/// `MemoryError`.
pub fn of(frame: &FrameObject) -> PyResult {
    Ok(native_new(&PyFrameLocalsProxy_Type, Proxy { frame: Ref::of(frame) })?.upcast())
}

fn new(_: &Type, args: &Tuple, kwargs: Option<&Dict>) -> PyResult {
    if kwargs.is_some_and(|kwargs| !kwargs.is_empty()) {
        return Err(type_error("FrameLocalsProxy takes no keyword arguments"));
    }
    let [frame] = args.items() else {
        return Err(raise!(PyExc_TypeError, "FrameLocalsProxy expected 1 argument, got {}", args.len()));
    };
    match frame.downcast::<FrameObject>() {
        Some(frame) => of(frame),
        None => Err(raise!(PyExc_TypeError, "expect frame, not {}", frame.ty().message_name())),
    }
}

/// The names of the frame's variables that can be seen, with their positions.
fn visible(frame: *mut Frame) -> Vec<(usize, Ref<Str>)> {
    // SAFETY: a live frame.
    let code = unsafe { Frame::code(frame) };
    (0..code.nlocalsplus())
        .filter(|index| code.localspluskinds()[*index] & CO_FAST_HIDDEN == 0)
        .map(|index| (index, Ref::of(code.local_name(index))))
        .collect()
}

fn position(frame: *mut Frame, key: &Object) -> PyResult<Option<usize>> {
    let Some(name) = key.downcast::<Str>() else { return Ok(None) };
    if name.is_exact(&PyUnicode_Type) {
        return Ok(visible(frame)
            .into_iter()
            .find(|(_, own)| own.is(name) || own.same_text(name))
            .map(|(index, _)| index));
    }
    for (index, own) in visible(frame) {
        let own: &Object = &own;
        if own.hash()? == key.hash()? && own.equals(key)? {
            return Ok(Some(index));
        }
    }
    Ok(None)
}

/// Where names that are no variables of the frame stand.
fn extra(view: &View) -> Option<Ref<Dict>> {
    // SAFETY: the view guarantees the layout; the field is null or owns a dict.
    unsafe {
        Object::borrow_opt((*view.frame.raw()).f_extra_locals)
            .and_then(|dict| dict.downcast::<Dict>())
            .map(Ref::of)
    }
}

fn extra_or_new(view: &View) -> PyResult<Ref<Dict>> {
    if let Some(dict) = extra(view) {
        return Ok(dict);
    }
    let dict = Dict::new()?;
    // SAFETY: as above.
    unsafe { set_field(&raw mut (*view.frame.raw()).f_extra_locals, Some(dict.clone().upcast())) };
    Ok(dict)
}

fn find(view: &View, key: &Object) -> PyResult<Option<Ref>> {
    let frame = live(&view.frame)?;
    if let Some(index) = position(frame, key)? {
        // SAFETY: a live frame and one of its positions.
        return Ok(unsafe { local_value(frame, index) });
    }
    match extra(view) {
        Some(extra) => extra.get(key),
        None => {
            key.hash()?;
            Ok(None)
        }
    }
}

fn get_item(view: &View, key: &Object) -> PyResult {
    match find(view, key)? {
        Some(value) => Ok(value),
        None => match key.downcast::<Str>() {
            Some(name) => Err(raise!(PyExc_KeyError, "local variable '{}' is not defined", name.to_lossy())),
            None => Err(key_error(key)),
        },
    }
}

/// Keeps what a local held: the operand stack may still use it.
fn keep(view: &View, old: Ref) -> PyResult<()> {
    // SAFETY: the view guarantees the layout; the field is null or owns a list.
    unsafe {
        let place = &raw mut (*view.frame.raw()).f_overwritten_fast_locals;
        match Object::borrow_opt(*place).and_then(|list| list.downcast::<List>()) {
            Some(list) => list.append(old),
            None => {
                set_field(place, Some(List::from_vec(vec![old])?.upcast()));
                Ok(())
            }
        }
    }
}

fn store(view: &View, frame: *mut Frame, index: usize, value: &Object) -> PyResult<()> {
    // SAFETY: a live frame and one of its positions.
    unsafe {
        let place = Frame::locals(frame).add(index);
        let kind = Frame::code(frame).localspluskinds()[index];
        let word = *place;
        if kind & (CO_FAST_CELL | CO_FAST_FREE) != 0 && !word.is_null() && word.is_exact(&PyCell_Type) {
            set_field(&raw mut (*word.ptr().cast::<PyCellObject>()).ob_ref, Some(value.new_ref()));
            return Ok(());
        }
        if !word.is_null() {
            keep(view, word.look().new_ref())?;
        }
        place.write(StackRef::owned(value.new_ref()));
        if !word.is_null() {
            word.close();
        }
        Ok(())
    }
}

fn set_item(view: &View, key: &Object, value: Option<&Object>) -> PyResult<()> {
    let frame = live(&view.frame)?;
    match (position(frame, key)?, value) {
        (Some(_), None) => Err(value_error("cannot remove local variables from FrameLocalsProxy")),
        (Some(index), Some(value)) => store(view, frame, index, value),
        (None, Some(value)) => extra_or_new(view)?.set(key, value),
        (None, None) => match extra(view) {
            Some(extra) => match extra.remove(key)? {
                Some(_) => Ok(()),
                None => Err(key_error(key)),
            },
            None => Err(key_error(key)),
        },
    }
}

/// Names and values that are there now.
fn pairs(view: &View) -> PyResult<Vec<(Ref, Ref)>> {
    let frame = live(&view.frame)?;
    let mut all = Vec::new();
    for (index, name) in visible(frame) {
        // SAFETY: a live frame and one of its positions.
        if let Some(value) = unsafe { local_value(frame, index) } {
            all.push((name.upcast(), value));
        }
    }
    if let Some(extra) = extra(view) {
        all.extend(extra.items_vec());
    }
    Ok(all)
}

fn as_dict(view: &View) -> PyResult<Ref<Dict>> {
    let dict = Dict::new()?;
    for (name, value) in pairs(view)? {
        dict.set(&name, &value)?;
    }
    Ok(dict)
}

fn keys(view: &View) -> PyResult<Ref<List>> {
    List::from_vec(pairs(view)?.into_iter().map(|(name, _)| name).collect())
}

fn values(view: &View) -> PyResult<Ref<List>> {
    List::from_vec(pairs(view)?.into_iter().map(|(_, value)| value).collect())
}

fn items(view: &View) -> PyResult<Ref<List>> {
    let mut all = Vec::new();
    for (name, value) in pairs(view)? {
        all.push(Tuple::from_array([name, value])?.upcast());
    }
    List::from_vec(all)
}

fn get(view: &View, args: &Args<'_>) -> PyResult {
    Ok(find(view, args.required(0))?.unwrap_or_else(|| args.get(1).unwrap_or(none()).new_ref()))
}

fn set_default(view: &View, args: &Args<'_>) -> PyResult {
    let key = args.required(0);
    if let Some(found) = find(view, key)? {
        return Ok(found);
    }
    let default = args.get(1).unwrap_or(none());
    set_item(view, key, Some(default))?;
    Ok(default.new_ref())
}

fn pop(view: &View, args: &Args<'_>) -> PyResult {
    let key = args.required(0);
    if position(live(&view.frame)?, key)?.is_some() {
        return Err(value_error("cannot remove local variables from FrameLocalsProxy"));
    }
    let found = match extra(view) {
        Some(extra) => extra.remove(key)?,
        None => None,
    };
    match (found, args.get(1)) {
        (Some(value), _) => Ok(value),
        (None, Some(default)) => Ok(default.new_ref()),
        (None, None) => Err(key_error(key)),
    }
}

fn mapping_like(object: &Object) -> PyResult<Option<Ref<Dict>>> {
    if let Some(view) = object.downcast::<View>() {
        return as_dict(view).map(Some);
    }
    Ok(object.downcast::<Dict>().map(Ref::of))
}

/// Takes over the pairs of a dict, another proxy or, with `any`, of whatever `dict()` understands.
fn update_from(view: &View, other: &Object) -> PyResult<()> {
    for (name, value) in match mapping_like(other)? {
        Some(dict) => dict.items_vec(),
        None => {
            let made = PyDict_Type.call(&[other])?;
            made.downcast::<Dict>().map(Dict::items_vec).unwrap_or_default()
        }
    } {
        set_item(view, &name, Some(&value))?;
    }
    Ok(())
}

fn update(view: &View, other: &Object) -> PyResult<()> {
    // SAFETY: a live type.
    let mapping = mapping_like(other)?.is_some() || other.getattr_opt(intern!("keys"))?.is_some();
    if !mapping {
        return Err(type_error("update() argument must be dict or another FrameLocalsProxy"));
    }
    update_from(view, other)
}

fn or(left: &Object, right: &Object) -> PyResult {
    let (Some(a), Some(b)) = (mapping_like(left)?, mapping_like(right)?) else {
        return Ok(not_implemented().new_ref());
    };
    let dict = a.copy()?;
    for (name, value) in b.items_vec() {
        dict.set(&name, &value)?;
    }
    Ok(dict.upcast())
}

fn inplace_or(left: &Object, right: &Object) -> PyResult {
    let Some(view) =
        left.downcast::<View>().filter(|_| mapping_like(right).is_ok_and(|found| found.is_some()))
    else {
        return Ok(not_implemented().new_ref());
    };
    update_from(view, right)?;
    Ok(left.new_ref())
}

fn repr(view: &View) -> PyResult {
    let text = protocol::repr_guard(view.object(), || as_dict(view)?.repr())?;
    match text {
        Some(text) => Ok(text.upcast()),
        None => Ok(Str::from_utf8("{...}")?.upcast()),
    }
}

fn compare(view: &View, other: &Object, op: CompareOp) -> PyResult {
    if !matches!(op, CompareOp::Eq | CompareOp::Ne) {
        return Ok(not_implemented().new_ref());
    }
    if let Some(other) = other.downcast::<View>() {
        return (other.frame.is(&view.frame) == (op == CompareOp::Eq)).into_py();
    }
    match other.downcast::<Dict>() {
        Some(other) => protocol::richcompare(&*as_dict(view)?, other, op),
        None => Ok(not_implemented().new_ref()),
    }
}

fn reversed(view: &View) -> PyResult {
    let names = keys(view)?;
    names.call_method(intern!("reverse"), &[])?;
    Ok(names.upcast())
}

taipan_object::methods! { static METHODS = {
    coexist one "__contains__" "($self, key, /)" = |view: &View, key: &Object| -> PyResult<bool> { Ok(find(view, key)?.is_some()) },
        "Whether a variable has a value.";
    coexist one "__getitem__" "($self, key, /)" = get_item, "The value of a variable.";
    one "update" "($self, object, /)" = update, "Set the variables that a mapping names.";
    noargs "__reversed__" "($self, /)" = reversed, "The names from the last to the first, as a list.";
    noargs "copy" "($self, /)" = as_dict, "A dict of names and values.";
    noargs "keys" "($self, /)" = keys, "The names.";
    noargs "values" "($self, /)" = values, "The values.";
    noargs "items" "($self, /)" = items, "The pairs of name and value.";
    args "get" "($self, key, default=None, /)" = get, "The value of a variable, or the default.";
    args "pop" "($self, key, default=<unrepresentable>, /)" = pop, "Remove a name that is no variable of the frame.";
    args "setdefault" "($self, key, default=None, /)" = set_default, "The value of a variable, set to the default if it has none.";
} }

/// `FrameLocalsProxy`.
pub static SPEC: TypeSpec = TypeSpec {
    slots: &[
        View::DEALLOC,
        View::TRAVERSE,
        tp_new(new),
        tp_repr(repr),
        tp_richcompare(compare),
        tp_iter(|view: &View| keys(view)?.iter()),
        mp_length(|view: &View| -> PyResult<isize> { Ok(pairs(view)?.len().cast_signed()) }),
        mp_subscript(get_item),
        mp_ass_subscript(set_item),
        sq_contains(|view: &View, key: &Object| -> PyResult<bool> { Ok(find(view, key)?.is_some()) }),
        nb_or(or),
        nb_inplace_or(inplace_or),
    ],
    methods: METHODS,
    ..TypeSpec::new(&PyFrameLocalsProxy_Type)
};
