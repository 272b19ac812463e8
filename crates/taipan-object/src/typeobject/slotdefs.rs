//! The one table that ties Python's special method names to type slots.
//!
//! Each row names the method, the slot, the C function that a class written in Python gets in that
//! slot (it calls the method), how the method of a native type calls the slot (its wrapper), and the
//! documentation. Rows of one slot stand together; where several names share a slot, all of them are
//! looked at when one changes.

use super::trampolines as t;
use super::wrappers::Wrap;
use crate::handle::{Object, Type};
use crate::native::{self, Slot};
use crate::unicode::Str;
use core::ffi::c_void;
use core::mem::offset_of;
use taipan_abi::*;

/// One special method.
pub struct SlotDef {
    pub name: &'static str,
    pub id: i32,
    /// What a Python class gets in the slot.
    pub generic: *mut c_void,
    pub wrap: Wrap,
    /// Signature and documentation.
    pub doc: &'static str,
}
// SAFETY: addresses of functions.
unsafe impl Sync for SlotDef {}

const fn row(name: &'static str, slot: Slot, wrap: Wrap, doc: &'static str) -> SlotDef {
    SlotDef { name, id: slot.id, generic: slot.function, wrap, doc }
}

macro_rules! binary_rows {
    ($($slot:ident $name:literal $reflected:literal $symbol:literal $function:ident,)*) => {
        [$(
            row($name, native::$slot(t::$function), Wrap::BinaryLeft,
                concat!($name, "($self, value, /)\n--\n\nCompute self ", $symbol, " value.")),
            row($reflected, native::$slot(t::$function), Wrap::BinaryRight,
                concat!($reflected, "($self, value, /)\n--\n\nCompute value ", $symbol, " self.")),
        )*]
    };
}

static BINARY: [SlotDef; 26] = binary_rows![
    nb_add "__add__" "__radd__" "+" nb_add,
    nb_subtract "__sub__" "__rsub__" "-" nb_subtract,
    nb_multiply "__mul__" "__rmul__" "*" nb_multiply,
    nb_remainder "__mod__" "__rmod__" "%" nb_remainder,
    nb_divmod "__divmod__" "__rdivmod__" "divmod" nb_divmod,
    nb_lshift "__lshift__" "__rlshift__" "<<" nb_lshift,
    nb_rshift "__rshift__" "__rrshift__" ">>" nb_rshift,
    nb_and "__and__" "__rand__" "&" nb_and,
    nb_xor "__xor__" "__rxor__" "^" nb_xor,
    nb_or "__or__" "__ror__" "|" nb_or,
    nb_floor_divide "__floordiv__" "__rfloordiv__" "//" nb_floor_divide,
    nb_true_divide "__truediv__" "__rtruediv__" "/" nb_true_divide,
    nb_matrix_multiply "__matmul__" "__rmatmul__" "@" nb_matrix_multiply,
];

macro_rules! inplace_rows {
    ($($id:ident $name:literal $symbol:literal,)*) => {
        [$(
            SlotDef {
                name: $name,
                id: $id,
                generic: t::method_binary!($name),
                wrap: Wrap::BinaryLeft,
                doc: concat!($name, "($self, value, /)\n--\n\nCompute self ", $symbol, "= value, in place where possible."),
            },
        )*]
    };
}

static INPLACE: [SlotDef; 12] = inplace_rows![
    Py_nb_inplace_add "__iadd__" "+",
    Py_nb_inplace_subtract "__isub__" "-",
    Py_nb_inplace_multiply "__imul__" "*",
    Py_nb_inplace_remainder "__imod__" "%",
    Py_nb_inplace_lshift "__ilshift__" "<<",
    Py_nb_inplace_rshift "__irshift__" ">>",
    Py_nb_inplace_and "__iand__" "&",
    Py_nb_inplace_xor "__ixor__" "^",
    Py_nb_inplace_or "__ior__" "|",
    Py_nb_inplace_floor_divide "__ifloordiv__" "//",
    Py_nb_inplace_true_divide "__itruediv__" "/",
    Py_nb_inplace_matrix_multiply "__imatmul__" "@",
];

static OTHERS: [SlotDef; 53] = [
    row(
        "__getattribute__",
        native::raw_getattro(t::slot_getattro),
        Wrap::BinaryLeft,
        "__getattribute__($self, name, /)\n--\n\nLook the attribute up.",
    ),
    row("__getattr__", native::raw_getattro(t::slot_getattr_hook), Wrap::None, ""),
    row(
        "__setattr__",
        native::tp_setattro(t::setattro),
        Wrap::SetAttr,
        "__setattr__($self, name, value, /)\n--\n\nSet the attribute.",
    ),
    row(
        "__delattr__",
        native::tp_setattro(t::setattro),
        Wrap::DelAttr,
        "__delattr__($self, name, /)\n--\n\nDelete the attribute.",
    ),
    row("__repr__", native::tp_repr(t::repr), Wrap::Unary, "__repr__($self, /)\n--\n\nCompute repr(self)."),
    row("__hash__", native::tp_hash(t::hash), Wrap::Hash, "__hash__($self, /)\n--\n\nCompute hash(self)."),
    row(
        "__call__",
        native::tp_call(t::call),
        Wrap::Call,
        "__call__($self, /, *args, **kwargs)\n--\n\nCall self.",
    ),
    row("__str__", native::tp_str(t::str), Wrap::Unary, "__str__($self, /)\n--\n\nCompute str(self)."),
    row(
        "__lt__",
        native::tp_richcompare(t::richcompare),
        Wrap::Compare(0),
        "__lt__($self, value, /)\n--\n\nCompute self<value.",
    ),
    row(
        "__le__",
        native::tp_richcompare(t::richcompare),
        Wrap::Compare(1),
        "__le__($self, value, /)\n--\n\nCompute self<=value.",
    ),
    row(
        "__eq__",
        native::tp_richcompare(t::richcompare),
        Wrap::Compare(2),
        "__eq__($self, value, /)\n--\n\nCompute self==value.",
    ),
    row(
        "__ne__",
        native::tp_richcompare(t::richcompare),
        Wrap::Compare(3),
        "__ne__($self, value, /)\n--\n\nCompute self!=value.",
    ),
    row(
        "__gt__",
        native::tp_richcompare(t::richcompare),
        Wrap::Compare(4),
        "__gt__($self, value, /)\n--\n\nCompute self>value.",
    ),
    row(
        "__ge__",
        native::tp_richcompare(t::richcompare),
        Wrap::Compare(5),
        "__ge__($self, value, /)\n--\n\nCompute self>=value.",
    ),
    row(
        "__iter__",
        native::tp_iter(t::iter),
        Wrap::Unary,
        "__iter__($self, /)\n--\n\nMake an iterator over self.",
    ),
    row(
        "__next__",
        native::tp_iternext(t::iternext),
        Wrap::Next,
        "__next__($self, /)\n--\n\nGive the next item.",
    ),
    row(
        "__get__",
        native::tp_descr_get(t::descr_get),
        Wrap::DescrGet,
        "__get__($self, instance, owner=None, /)\n--\n\nGive the attribute of an instance of owner.",
    ),
    row(
        "__set__",
        native::tp_descr_set(t::descr_set),
        Wrap::DescrSet,
        "__set__($self, instance, value, /)\n--\n\nSet the attribute of the instance.",
    ),
    row(
        "__delete__",
        native::tp_descr_set(t::descr_set),
        Wrap::DescrDelete,
        "__delete__($self, instance, /)\n--\n\nDelete the attribute of the instance.",
    ),
    row(
        "__init__",
        native::tp_init(t::init),
        Wrap::Init,
        "__init__($self, /, *args, **kwargs)\n--\n\nInitialise self; help(type(self)) has the signature.",
    ),
    row(
        "__new__",
        native::tp_new(t::new),
        Wrap::None,
        "__new__(type, /, *args, **kwargs)\n--\n\nMake a new object; help(type) has the signature.",
    ),
    row(
        "__del__",
        native::tp_finalize(t::finalize),
        Wrap::Del,
        "__del__($self, /)\n--\n\nCalled when the object is about to go.",
    ),
    row(
        "__buffer__",
        native::raw_getbuffer(t::slot_getbuffer),
        Wrap::Buffer,
        "__buffer__($self, flags, /)\n--\n\nGive a memoryview of the object's memory.",
    ),
    row(
        "__release_buffer__",
        native::raw_releasebuffer(t::slot_releasebuffer),
        Wrap::ReleaseBuffer,
        "__release_buffer__($self, buffer, /)\n--\n\nGive the memoryview back.",
    ),
    row(
        "__await__",
        native::am_await(t::await_),
        Wrap::Unary,
        "__await__($self, /)\n--\n\nMake an iterator to await self with.",
    ),
    row(
        "__aiter__",
        native::am_aiter(t::aiter),
        Wrap::Unary,
        "__aiter__($self, /)\n--\n\nMake an asynchronous iterator over self.",
    ),
    row(
        "__anext__",
        native::am_anext(t::anext),
        Wrap::Unary,
        "__anext__($self, /)\n--\n\nGive an awaitable of the next item.",
    ),
    row(
        "__pow__",
        native::nb_power(t::power),
        Wrap::TernaryLeft,
        "__pow__($self, value, mod=None, /)\n--\n\nCompute pow(self, value, mod).",
    ),
    row(
        "__rpow__",
        native::nb_power(t::power),
        Wrap::TernaryRight,
        "__rpow__($self, value, mod=None, /)\n--\n\nCompute pow(value, self, mod).",
    ),
    SlotDef {
        name: "__ipow__",
        id: Py_nb_inplace_power,
        generic: t::inplace_power(),
        wrap: Wrap::TernaryLeft,
        doc: "__ipow__($self, value, mod=None, /)\n--\n\nCompute self **= value.",
    },
    row("__neg__", native::nb_negative(t::neg), Wrap::Unary, "__neg__($self, /)\n--\n\nCompute -self."),
    row("__pos__", native::nb_positive(t::pos), Wrap::Unary, "__pos__($self, /)\n--\n\nCompute +self."),
    row("__abs__", native::nb_absolute(t::abs), Wrap::Unary, "__abs__($self, /)\n--\n\nCompute abs(self)."),
    row("__bool__", native::nb_bool(t::bool), Wrap::Bool, "__bool__($self, /)\n--\n\nWhether self is true."),
    row(
        "__invert__",
        native::nb_invert(t::invert),
        Wrap::Unary,
        "__invert__($self, /)\n--\n\nCompute ~self.",
    ),
    row("__int__", native::nb_int(t::int), Wrap::Unary, "__int__($self, /)\n--\n\nCompute int(self)."),
    row(
        "__float__",
        native::nb_float(t::float),
        Wrap::Unary,
        "__float__($self, /)\n--\n\nCompute float(self).",
    ),
    row(
        "__index__",
        native::nb_index(t::index),
        Wrap::Unary,
        "__index__($self, /)\n--\n\nGive self as an integer, for use as an index or a size.",
    ),
    row("__len__", native::mp_length(t::len), Wrap::Len, "__len__($self, /)\n--\n\nCompute len(self)."),
    row(
        "__getitem__",
        native::mp_subscript(t::subscript),
        Wrap::BinaryLeft,
        "__getitem__($self, key, /)\n--\n\nCompute self[key].",
    ),
    row(
        "__setitem__",
        native::mp_ass_subscript(t::ass_subscript),
        Wrap::SetItem,
        "__setitem__($self, key, value, /)\n--\n\nSet self[key] to value.",
    ),
    row(
        "__delitem__",
        native::mp_ass_subscript(t::ass_subscript),
        Wrap::DelItem,
        "__delitem__($self, key, /)\n--\n\nDelete self[key].",
    ),
    row("__len__", native::sq_length(t::len), Wrap::Len, "__len__($self, /)\n--\n\nCompute len(self)."),
    SlotDef {
        name: "__add__",
        id: Py_sq_concat,
        generic: core::ptr::null_mut(),
        wrap: Wrap::BinaryLeft,
        doc: "__add__($self, value, /)\n--\n\nCompute self+value.",
    },
    SlotDef {
        name: "__mul__",
        id: Py_sq_repeat,
        generic: core::ptr::null_mut(),
        wrap: Wrap::Index,
        doc: "__mul__($self, value, /)\n--\n\nCompute self*value.",
    },
    SlotDef {
        name: "__rmul__",
        id: Py_sq_repeat,
        generic: core::ptr::null_mut(),
        wrap: Wrap::Index,
        doc: "__rmul__($self, value, /)\n--\n\nCompute value*self.",
    },
    row(
        "__getitem__",
        native::sq_item(t::item),
        Wrap::SeqItem,
        "__getitem__($self, key, /)\n--\n\nCompute self[key].",
    ),
    row(
        "__setitem__",
        native::sq_ass_item(t::ass_item),
        Wrap::SeqSetItem,
        "__setitem__($self, key, value, /)\n--\n\nSet self[key] to value.",
    ),
    row(
        "__delitem__",
        native::sq_ass_item(t::ass_item),
        Wrap::SeqDelItem,
        "__delitem__($self, key, /)\n--\n\nDelete self[key].",
    ),
    row(
        "__contains__",
        native::sq_contains(t::contains),
        Wrap::Contains,
        "__contains__($self, key, /)\n--\n\nWhether key is in self.",
    ),
    SlotDef {
        name: "__iadd__",
        id: Py_sq_inplace_concat,
        generic: core::ptr::null_mut(),
        wrap: Wrap::BinaryLeft,
        doc: "__iadd__($self, value, /)\n--\n\nCompute self += value.",
    },
    SlotDef {
        name: "__imul__",
        id: Py_sq_inplace_repeat,
        generic: core::ptr::null_mut(),
        wrap: Wrap::Index,
        doc: "__imul__($self, value, /)\n--\n\nCompute self *= value.",
    },
    // `tp_getattr` and `tp_setattr`, the forms with C strings, have no names of their own.
    SlotDef { name: "", id: 0, generic: core::ptr::null_mut(), wrap: Wrap::None, doc: "" },
];

/// Every row.
pub fn slot_defs() -> impl Iterator<Item = &'static SlotDef> {
    OTHERS.iter().chain(BINARY.iter()).chain(INPLACE.iter()).filter(|def| def.id != 0)
}

/// The sub-tables that hang off a type object.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Table {
    Type,
    Async,
    Number,
    Mapping,
    Sequence,
    Buffer,
}

macro_rules! locations {
    ($id:expr; $($number:ident => $table:ident $struct:ident.$field:ident,)*) => {
        match $id {
            $($number => Some((Table::$table, offset_of!($struct, $field))),)*
            _ => None,
        }
    };
}

#[rustfmt::skip]
fn location(id: i32) -> Option<(Table, usize)> {
    locations! { id;
        Py_bf_getbuffer => Buffer PyBufferProcs.bf_getbuffer, Py_bf_releasebuffer => Buffer PyBufferProcs.bf_releasebuffer,
        Py_mp_ass_subscript => Mapping PyMappingMethods.mp_ass_subscript, Py_mp_length => Mapping PyMappingMethods.mp_length,
        Py_mp_subscript => Mapping PyMappingMethods.mp_subscript,
        Py_nb_absolute => Number PyNumberMethods.nb_absolute, Py_nb_add => Number PyNumberMethods.nb_add,
        Py_nb_and => Number PyNumberMethods.nb_and, Py_nb_bool => Number PyNumberMethods.nb_bool,
        Py_nb_divmod => Number PyNumberMethods.nb_divmod, Py_nb_float => Number PyNumberMethods.nb_float,
        Py_nb_floor_divide => Number PyNumberMethods.nb_floor_divide, Py_nb_index => Number PyNumberMethods.nb_index,
        Py_nb_inplace_add => Number PyNumberMethods.nb_inplace_add, Py_nb_inplace_and => Number PyNumberMethods.nb_inplace_and,
        Py_nb_inplace_floor_divide => Number PyNumberMethods.nb_inplace_floor_divide,
        Py_nb_inplace_lshift => Number PyNumberMethods.nb_inplace_lshift,
        Py_nb_inplace_matrix_multiply => Number PyNumberMethods.nb_inplace_matrix_multiply,
        Py_nb_inplace_multiply => Number PyNumberMethods.nb_inplace_multiply, Py_nb_inplace_or => Number PyNumberMethods.nb_inplace_or,
        Py_nb_inplace_power => Number PyNumberMethods.nb_inplace_power,
        Py_nb_inplace_remainder => Number PyNumberMethods.nb_inplace_remainder,
        Py_nb_inplace_rshift => Number PyNumberMethods.nb_inplace_rshift,
        Py_nb_inplace_subtract => Number PyNumberMethods.nb_inplace_subtract,
        Py_nb_inplace_true_divide => Number PyNumberMethods.nb_inplace_true_divide,
        Py_nb_inplace_xor => Number PyNumberMethods.nb_inplace_xor, Py_nb_int => Number PyNumberMethods.nb_int,
        Py_nb_invert => Number PyNumberMethods.nb_invert, Py_nb_lshift => Number PyNumberMethods.nb_lshift,
        Py_nb_matrix_multiply => Number PyNumberMethods.nb_matrix_multiply, Py_nb_multiply => Number PyNumberMethods.nb_multiply,
        Py_nb_negative => Number PyNumberMethods.nb_negative, Py_nb_or => Number PyNumberMethods.nb_or,
        Py_nb_positive => Number PyNumberMethods.nb_positive, Py_nb_power => Number PyNumberMethods.nb_power,
        Py_nb_remainder => Number PyNumberMethods.nb_remainder, Py_nb_rshift => Number PyNumberMethods.nb_rshift,
        Py_nb_subtract => Number PyNumberMethods.nb_subtract, Py_nb_true_divide => Number PyNumberMethods.nb_true_divide,
        Py_nb_xor => Number PyNumberMethods.nb_xor,
        Py_sq_ass_item => Sequence PySequenceMethods.sq_ass_item, Py_sq_concat => Sequence PySequenceMethods.sq_concat,
        Py_sq_contains => Sequence PySequenceMethods.sq_contains, Py_sq_inplace_concat => Sequence PySequenceMethods.sq_inplace_concat,
        Py_sq_inplace_repeat => Sequence PySequenceMethods.sq_inplace_repeat, Py_sq_item => Sequence PySequenceMethods.sq_item,
        Py_sq_length => Sequence PySequenceMethods.sq_length, Py_sq_repeat => Sequence PySequenceMethods.sq_repeat,
        Py_am_await => Async PyAsyncMethods.am_await, Py_am_aiter => Async PyAsyncMethods.am_aiter,
        Py_am_anext => Async PyAsyncMethods.am_anext, Py_am_send => Async PyAsyncMethods.am_send,
        Py_tp_alloc => Type PyTypeObject.tp_alloc, Py_tp_call => Type PyTypeObject.tp_call, Py_tp_clear => Type PyTypeObject.tp_clear,
        Py_tp_dealloc => Type PyTypeObject.tp_dealloc, Py_tp_del => Type PyTypeObject.tp_del,
        Py_tp_descr_get => Type PyTypeObject.tp_descr_get, Py_tp_descr_set => Type PyTypeObject.tp_descr_set,
        Py_tp_finalize => Type PyTypeObject.tp_finalize, Py_tp_free => Type PyTypeObject.tp_free,
        Py_tp_getattr => Type PyTypeObject.tp_getattr, Py_tp_getattro => Type PyTypeObject.tp_getattro,
        Py_tp_hash => Type PyTypeObject.tp_hash, Py_tp_init => Type PyTypeObject.tp_init, Py_tp_is_gc => Type PyTypeObject.tp_is_gc,
        Py_tp_iter => Type PyTypeObject.tp_iter, Py_tp_iternext => Type PyTypeObject.tp_iternext, Py_tp_new => Type PyTypeObject.tp_new,
        Py_tp_repr => Type PyTypeObject.tp_repr, Py_tp_richcompare => Type PyTypeObject.tp_richcompare,
        Py_tp_setattr => Type PyTypeObject.tp_setattr, Py_tp_setattro => Type PyTypeObject.tp_setattro,
        Py_tp_str => Type PyTypeObject.tp_str, Py_tp_traverse => Type PyTypeObject.tp_traverse,
        Py_tp_vectorcall => Type PyTypeObject.tp_vectorcall,
    }
}

/// Every slot number that [`get_slot`] knows.
pub(super) const ALL_IDS: core::ops::RangeInclusive<i32> = 1..=82;

/// The address of a sub-table, which is made for static types that lack it.
fn table(ty: &Type, which: Table, make: bool) -> *mut u8 {
    // SAFETY: a live type; heap types have their tables inline.
    unsafe {
        let raw = ty.raw();
        macro_rules! sub {
            ($field:ident, $struct:ident) => {{
                if (*raw).$field.is_null() && make {
                    // Zero is a valid table: all functions absent. It lives as long as the static type.
                    let fresh: $struct = core::mem::zeroed();
                    (*raw).$field = Box::into_raw(Box::new(fresh));
                }
                (*raw).$field.cast()
            }};
        }
        match which {
            Table::Type => raw.cast(),
            Table::Async => sub!(tp_as_async, PyAsyncMethods),
            Table::Number => sub!(tp_as_number, PyNumberMethods),
            Table::Mapping => sub!(tp_as_mapping, PyMappingMethods),
            Table::Sequence => sub!(tp_as_sequence, PySequenceMethods),
            Table::Buffer => sub!(tp_as_buffer, PyBufferProcs),
        }
    }
}

/// Whether a slot is one of the number table.
pub fn is_number_slot(id: i32) -> bool {
    matches!(location(id), Some((Table::Number, _)))
}

/// The function in a slot, or null.
pub fn get_slot(ty: &Type, id: i32) -> *mut c_void {
    let Some((which, offset)) = location(id) else { return core::ptr::null_mut() };
    let base = table(ty, which, false);
    if base.is_null() {
        return core::ptr::null_mut();
    }
    // SAFETY: the offset is that of a function pointer in the table.
    unsafe { base.add(offset).cast::<*mut c_void>().read() }
}

/// Puts a function (or null) into a slot.
#[expect(clippy::not_unsafe_ptr_arg_deref, reason = "the pointer is stored, not followed")]
pub fn set_slot(ty: &Type, id: i32, function: *mut c_void) {
    let Some((which, offset)) = location(id) else { return };
    let base = table(ty, which, !function.is_null());
    if !base.is_null() {
        // SAFETY: the offset is that of a function pointer in the table.
        unsafe { base.add(offset).cast::<*mut c_void>().write(function) }
    }
}

/// Works a class's slot out afresh from the special methods that share it.
fn update_one(ty: &Type, id: i32) {
    let mut specific: *mut c_void = core::ptr::null_mut();
    let mut generic: *mut c_void = core::ptr::null_mut();
    let mut use_generic = false;
    for def in slot_defs().filter(|def| def.id == id) {
        let Some(name) = interned(def.name) else { continue };
        let found = ty.lookup_ptr(name);
        if found.is_null() {
            continue;
        }
        // SAFETY: alive in a type's dict.
        let found = unsafe { Object::borrow(found) };
        if let Some(wrapped) = crate::descr::wrapped_slot(found, def, ty) {
            if specific.is_null() || specific == wrapped {
                specific = wrapped;
                generic = if generic.is_null() { def.generic } else { generic };
            } else {
                use_generic = true;
                generic = def.generic;
            }
        } else if id == Py_tp_new && super::new_wrapper::is_new_wrapper(found) {
            specific = super::new_wrapper::new_wrapper_function(found);
        } else if crate::singletons::is_none(found) && id == Py_tp_hash {
            specific = crate::protocol::hash_not_implemented_slot();
        } else if !def.generic.is_null() {
            use_generic = true;
            // A `__getattr__` needs the slot that falls back on it, whatever else is defined.
            if generic.is_null() || def.name == "__getattr__" {
                generic = def.generic;
            }
        } else {
            // The sequence forms of operators never call Python methods: the number forms do.
            return set_slot(ty, id, core::ptr::null_mut());
        }
    }
    let chosen = if use_generic { generic } else { specific };
    set_slot(ty, id, chosen);
}

fn interned(name: &str) -> Option<&'static Str> {
    crate::unicode::permanent(name)
}

/// Works out the slots that the special method `name` affects, in the type and its subclasses.
pub fn update_slot(ty: &Type, name: &Str) {
    let ids: Vec<i32> = slot_defs().filter(|def| name.equals(def.name)).map(|def| def.id).collect();
    if ids.is_empty() {
        return;
    }
    update_ids(ty, &ids, name, true);
}

fn update_ids(ty: &Type, ids: &[i32], name: &Str, first: bool) {
    // A subclass with the method in its own dict is not affected.
    if !first
        && let Some(dict) = ty.dict()
        && !dict_misses(dict, name)
    {
        return;
    }
    if ty.has_flag(Py_TPFLAGS_HEAPTYPE) {
        for &id in ids {
            update_one(ty, id);
        }
    }
    for subclass in ty.subclasses() {
        update_ids(&subclass, ids, name, false);
    }
}

fn dict_misses(dict: &crate::dict::Dict, name: &Str) -> bool {
    matches!(dict.get_str(name), Ok(None))
}

/// Works out every slot of a class that was just made.
pub fn update_all_slots(ty: &Type) {
    let mut done = [false; 90];
    for def in slot_defs() {
        let id = def.id as usize;
        if !core::mem::replace(&mut done[id], true) {
            update_one(ty, def.id);
        }
    }
}
