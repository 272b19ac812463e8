//! Code objects: CPython's layout, made from the compiler's plain data.
//!
//! The instructions stand at the end of the object with their inline caches, where the specialiser
//! rewrites them in place; `co_code` gives the original back. Constants are shared, immortal where
//! interned; names are interned strs.

use core::cell::Cell;
use core::mem::offset_of;
use taipan_abi::*;
use taipan_bytecode as bytecode;
use taipan_object::bytes::Bytes;
use taipan_object::int::Int;
use taipan_object::native::{Args, CompareOp};
use taipan_object::native::{
    GetSetRow, IntoPy, Member, TypeSpec, getset_row, raw_dealloc, tp_hash, tp_repr, tp_richcompare,
};
use taipan_object::statics::PyCode_Type;
use taipan_object::tuple::Tuple;
use taipan_object::unicode::Str;
use taipan_object::{Object, PyResult, Ref, alloc, layout, refcount, singletons, state};

layout!(
    /// A code object.
    Code, PyCodeObject, "code", |o| o.is_exact(&PyCode_Type)
);

/// The counter that a fresh inline cache starts with: so many runs before the first specialisation.
pub const WARMUP: u16 = 1;

impl Code {
    #[inline(always)]
    pub fn instructions(&self) -> *mut u16 {
        // SAFETY: the instructions follow the fields.
        unsafe { self.as_ptr().cast::<u8>().add(offset_of!(PyCodeObject, co_code_adaptive)).cast() }
    }

    /// Code units.
    pub fn unit_count(&self) -> usize {
        // SAFETY: the view guarantees the layout.
        unsafe { (*self.raw()).ob_base.ob_size as usize }
    }

    #[inline(always)]
    pub fn nlocalsplus(&self) -> usize {
        // SAFETY: the view guarantees the layout.
        unsafe { (*self.raw()).co_nlocalsplus as usize }
    }

    /// Words of a frame: head, locals, operand stack.
    #[inline(always)]
    pub fn framesize(&self) -> usize {
        // SAFETY: the view guarantees the layout.
        unsafe { (*self.raw()).co_framesize as usize }
    }

    #[inline(always)]
    pub fn flags(&self) -> u32 {
        // SAFETY: the view guarantees the layout.
        unsafe { (*self.raw()).co_flags as u32 }
    }

    #[inline(always)]
    pub fn argcount(&self) -> usize {
        // SAFETY: the view guarantees the layout.
        unsafe { (*self.raw()).co_argcount as usize }
    }

    pub fn posonlyargcount(&self) -> usize {
        // SAFETY: the view guarantees the layout.
        unsafe { (*self.raw()).co_posonlyargcount as usize }
    }

    pub fn kwonlyargcount(&self) -> usize {
        // SAFETY: the view guarantees the layout.
        unsafe { (*self.raw()).co_kwonlyargcount as usize }
    }

    #[inline(always)]
    pub fn consts(&self) -> &Tuple {
        // SAFETY: always a tuple.
        unsafe { Object::borrow((*self.raw()).co_consts).cast() }
    }

    #[inline(always)]
    pub fn names(&self) -> &Tuple {
        // SAFETY: always a tuple.
        unsafe { Object::borrow((*self.raw()).co_names).cast() }
    }

    /// Names of locals, cells and free variables in frame order.
    pub fn localsplusnames(&self) -> &Tuple {
        // SAFETY: always a tuple.
        unsafe { Object::borrow((*self.raw()).co_localsplusnames).cast() }
    }

    pub fn localspluskinds(&self) -> &[u8] {
        // SAFETY: always bytes.
        unsafe { Object::borrow((*self.raw()).co_localspluskinds).cast::<Bytes>() }.as_slice()
    }

    /// The name of local `index`.
    pub fn local_name(&self, index: usize) -> &Str {
        // SAFETY: names are strs.
        unsafe { self.localsplusnames().items()[index].cast() }
    }

    pub fn name(&self) -> &Str {
        // SAFETY: always a str.
        unsafe { Object::borrow((*self.raw()).co_name).cast() }
    }

    pub fn qualname(&self) -> &Str {
        // SAFETY: always a str.
        unsafe { Object::borrow((*self.raw()).co_qualname).cast() }
    }

    pub fn filename(&self) -> &Str {
        // SAFETY: always a str.
        unsafe { Object::borrow((*self.raw()).co_filename).cast() }
    }

    pub fn nfreevars(&self) -> usize {
        // SAFETY: the view guarantees the layout.
        unsafe { (*self.raw()).co_nfreevars as usize }
    }

    pub fn firstlineno(&self) -> i32 {
        // SAFETY: the view guarantees the layout.
        unsafe { (*self.raw()).co_firstlineno }
    }

    pub fn linetable(&self) -> &[u8] {
        // SAFETY: always bytes.
        unsafe { Object::borrow((*self.raw()).co_linetable).cast::<Bytes>() }.as_slice()
    }

    pub fn exceptiontable(&self) -> &[u8] {
        // SAFETY: always bytes.
        unsafe { Object::borrow((*self.raw()).co_exceptiontable).cast::<Bytes>() }.as_slice()
    }

    /// The location of a code unit.
    pub fn location_of(&self, unit: usize) -> Option<bytecode::Location> {
        let mut end = 0;
        for (units, location) in bytecode::LocationReader::new(self.linetable(), self.firstlineno()) {
            end += units;
            if unit < end {
                return Some(location);
            }
        }
        None
    }

    /// The line of a code unit, if it has one.
    pub fn line_of(&self, unit: usize) -> Option<i32> {
        bytecode::location::line_at(self.linetable(), self.firstlineno(), unit)
    }

    /// The instructions as the compiler wrote them: families' heads, empty caches.
    pub fn original_code(&self) -> Vec<u8> {
        let mut code = Vec::with_capacity(self.unit_count() * 2);
        let mut at = 0;
        while at < self.unit_count() {
            // SAFETY: within the instructions.
            let word = unsafe { self.instructions().add(at).read() };
            let opcode = crate::monitor::base_opcode(self, at);
            code.push(opcode);
            code.push((word >> 8) as u8);
            let caches = usize::from(bytecode::CACHES[usize::from(opcode)]);
            code.extend(core::iter::repeat_n(0, caches * 2));
            at += 1 + caches;
        }
        code
    }

    fn names_of_kind(&self, kind: u8) -> PyResult<Ref<Tuple>> {
        let kinds = self.localspluskinds();
        let names: Vec<Ref> = self
            .localsplusnames()
            .items()
            .iter()
            .zip(kinds)
            .filter(|(_, bits)| **bits & kind != 0)
            .map(|(name, _)| name.new_ref())
            .collect();
        Tuple::from_vec(names)
    }

    /// A code object from objects that have the right types.
    ///
    /// # Errors
    /// `MemoryError`.
    pub fn from_parts(parts: Parts<'_>) -> PyResult<Ref<Code>> {
        let parts = if debug_ranges().get() { parts } else { parts.without_columns()? };
        let object = alloc::alloc_object(&PyCode_Type, (parts.code.len() / 2 + 4).cast_signed())?;
        let kinds = parts.localspluskinds.as_slice();
        let count = |bit: u8| kinds.iter().filter(|kind| **kind & bit != 0).count() as i32;
        // SAFETY: fresh memory of this layout with room for the instructions.
        unsafe {
            let code: Ref<Code> = object.cast_owned();
            let raw = code.raw();
            (*raw).ob_base.ob_size = (parts.code.len() / 2).cast_signed();
            (*raw).co_flags = parts.flags.cast_signed();
            (*raw).co_argcount = parts.argcount.cast_signed();
            (*raw).co_posonlyargcount = parts.posonlyargcount.cast_signed();
            (*raw).co_kwonlyargcount = parts.kwonlyargcount.cast_signed();
            (*raw).co_stacksize = parts.stacksize.cast_signed();
            (*raw).co_firstlineno = parts.firstlineno;
            (*raw).co_nlocalsplus = kinds.len() as i32;
            (*raw).co_framesize =
                (crate::frame::HEAD_WORDS + kinds.len() + parts.stacksize as usize + 2) as i32;
            (*raw).co_nlocals = count(bytecode::CO_FAST_LOCAL);
            (*raw).co_ncellvars = count(bytecode::CO_FAST_CELL);
            (*raw).co_nfreevars = count(bytecode::CO_FAST_FREE);
            (*raw).co_consts = parts.consts.into_ptr();
            (*raw).co_names = parts.names.into_ptr();
            (*raw).co_localsplusnames = parts.localsplusnames.into_ptr();
            (*raw).co_localspluskinds = parts.localspluskinds.into_ptr();
            (*raw).co_filename = parts.filename.into_ptr();
            (*raw).co_name = parts.name.into_ptr();
            (*raw).co_qualname = parts.qualname.into_ptr();
            (*raw).co_linetable = parts.linetable.into_ptr();
            (*raw).co_exceptiontable = parts.exceptiontable.into_ptr();
            core::ptr::copy_nonoverlapping(
                parts.code.as_ptr(),
                code.instructions().cast::<u8>(),
                parts.code.len(),
            );
            code.warm_up();
            code.trust();
            Ok(code)
        }
    }

    /// Sets the counters of all inline caches.
    unsafe fn warm_up(&self) {
        let mut at = 0;
        while at < self.unit_count() {
            // SAFETY: within the instructions.
            unsafe {
                let opcode = self.instructions().add(at).read() as u8;
                let caches = usize::from(bytecode::CACHES[usize::from(opcode)]);
                if caches > 0 && at + caches < self.unit_count() {
                    self.instructions().add(at + 1).write(WARMUP);
                }
                at += 1 + caches;
            }
        }
    }

    /// Notes that the code can be run as it is.
    pub(crate) fn trust(&self) {
        // SAFETY: the view guarantees the layout.
        unsafe { (*self.raw())._co_firsttraceable = self.first_traceable() };
    }

    fn first_traceable(&self) -> i32 {
        (0..self.unit_count())
            .find(|&at| crate::monitor::base_opcode(self, at) == bytecode::op::RESUME)
            .unwrap_or(0) as i32
    }

    /// Gives the code object another file name; `importlib` does so for code from a cache that was moved.
    pub fn set_filename(&self, filename: &Str) {
        // SAFETY: the view guarantees the layout; the field owns its reference.
        unsafe {
            taipan_object::handle::set_field(&raw mut (*self.raw()).co_filename, Some(filename.new_ref()));
        }
    }

    /// A version for inline caches; 0 when there are no more.
    pub fn version(&self) -> u32 {
        // SAFETY: the view guarantees the layout.
        unsafe { (*self.raw()).co_version }
    }

    pub fn set_version(&self, version: u32) {
        // SAFETY: the view guarantees the layout.
        unsafe { (*self.raw()).co_version = version }
    }
}

/// What a code object is made of.
pub struct Parts<'a> {
    pub argcount: u32,
    pub posonlyargcount: u32,
    pub kwonlyargcount: u32,
    pub stacksize: u32,
    pub flags: u32,
    pub code: &'a [u8],
    pub consts: Ref<Tuple>,
    pub names: Ref<Tuple>,
    pub localsplusnames: Ref<Tuple>,
    pub localspluskinds: Ref<Bytes>,
    pub filename: Ref<Str>,
    pub name: Ref<Str>,
    pub qualname: Ref<Str>,
    pub firstlineno: i32,
    pub linetable: Ref<Bytes>,
    pub exceptiontable: Ref<Bytes>,
}

impl Parts<'_> {
    /// Keeps of the places in the source only the lines.
    fn without_columns(self) -> PyResult<Self> {
        let mut writer = bytecode::location::LocationWriter::new(self.firstlineno);
        for (units, location) in
            bytecode::location::LocationReader::new(self.linetable.as_slice(), self.firstlineno)
        {
            let line = location.lineno;
            let kept =
                bytecode::Location { lineno: line, end_lineno: line, col_offset: -1, end_col_offset: -1 };
            writer.push(&kept, units);
        }
        Ok(Self { linetable: Bytes::new(&writer.finish())?, ..self })
    }
}

/// Whether code objects keep columns.
struct DebugRanges(Cell<bool>);

fn debug_ranges() -> &'static Cell<bool> {
    &state::interp().extension(|| DebugRanges(Cell::new(true))).0
}

/// Sets whether code objects that are made from now on know columns and ends of what they come from.
pub fn keep_debug_ranges(keep: bool) {
    debug_ranges().set(keep);
}

/// A str from the compiler's text.
///
/// # Errors
/// `MemoryError`.
pub fn text(plain: &bytecode::PyStr) -> PyResult<Ref<Str>> {
    match plain.as_str() {
        Some(text) => Str::from_utf8(text),
        None => Str::from_code_points(&plain.code_points().collect::<Vec<u32>>()),
    }
}

unsafe extern "C" fn dealloc(ptr: *mut PyObject) {
    // SAFETY: dead by contract; the fields own references.
    unsafe {
        taipan_object::weakref::clear_on_dealloc(Object::borrow(ptr));
        crate::monitor::free_tables(Object::borrow(ptr).cast());
        let raw = ptr.cast::<PyCodeObject>();
        for field in [
            (*raw).co_consts,
            (*raw).co_names,
            (*raw).co_exceptiontable,
            (*raw).co_localsplusnames,
            (*raw).co_localspluskinds,
            (*raw).co_filename,
            (*raw).co_name,
            (*raw).co_qualname,
            (*raw).co_linetable,
        ] {
            refcount::xdecref(field);
        }
        alloc::free_object(ptr);
    }
}

fn repr(code: &Code) -> PyResult {
    format!(
        "<code object {} at {:#x}, file \"{}\", line {}>",
        code.name().to_lossy(),
        code.as_ptr().addr(),
        code.filename().to_lossy(),
        if code.firstlineno() == 0 { -1 } else { code.firstlineno() }
    )
    .into_py()
}

fn key(code: &Code) -> PyResult<Ref<Tuple>> {
    // SAFETY: the view guarantees the layout.
    let raw = unsafe { &*code.raw() };
    Tuple::from_vec(vec![
        Ref::of(code.name()).upcast(),
        Int::from_i64(i64::from(raw.co_argcount)).upcast(),
        Int::from_i64(i64::from(raw.co_posonlyargcount)).upcast(),
        Int::from_i64(i64::from(raw.co_kwonlyargcount)).upcast(),
        Int::from_i64(i64::from(raw.co_flags)).upcast(),
        Int::from_i64(i64::from(raw.co_firstlineno)).upcast(),
        Bytes::new(&code.original_code())?.upcast(),
        Ref::of(code.consts()).upcast(),
        Ref::of(code.names()).upcast(),
        Ref::of(code.localsplusnames()).upcast(),
        Bytes::new(code.linetable())?.upcast(),
        Bytes::new(code.exceptiontable())?.upcast(),
    ])
}

fn compare(code: &Code, other: &Object, op: CompareOp) -> PyResult {
    let (CompareOp::Eq | CompareOp::Ne, Some(other)) = (op, other.downcast::<Code>()) else {
        return Ok(singletons::not_implemented().new_ref());
    };
    // Constants of different types are different even where Python calls them equal (1 and 1.0).
    let same = typed_equal(&*key(code)?, &*key(other)?)?;
    (same == (op == CompareOp::Eq)).into_py()
}

fn typed_equal(a: &Object, b: &Object) -> PyResult<bool> {
    if !a.is_exact(b.ty()) {
        return Ok(false);
    }
    if let (Some(a), Some(b)) = (a.downcast::<Tuple>(), b.downcast::<Tuple>()) {
        if a.len() != b.len() {
            return Ok(false);
        }
        for (a, b) in a.items().iter().zip(b.items()) {
            if !taipan_object::protocol::recursive(" in comparison", || typed_equal(a, b))? {
                return Ok(false);
            }
        }
        return Ok(true);
    }
    a.equals(b)
}

fn hash(code: &Code) -> PyResult<isize> {
    key(code)?.hash()
}

macro_rules! field {
    ($name:literal, $field:ident, $kind:ident) => {
        Member::new($name, $kind, offset_of!(PyCodeObject, $field), Py_READONLY, c"")
    };
}

static MEMBERS: &[Member] = &[
    field!(c"co_argcount", co_argcount, Py_T_INT),
    field!(c"co_posonlyargcount", co_posonlyargcount, Py_T_INT),
    field!(c"co_kwonlyargcount", co_kwonlyargcount, Py_T_INT),
    field!(c"co_stacksize", co_stacksize, Py_T_INT),
    field!(c"co_flags", co_flags, Py_T_INT),
    field!(c"co_names", co_names, T_OBJECT),
    field!(c"co_filename", co_filename, T_OBJECT),
    field!(c"co_name", co_name, T_OBJECT),
    field!(c"co_qualname", co_qualname, T_OBJECT),
    field!(c"co_firstlineno", co_firstlineno, Py_T_INT),
    field!(c"co_linetable", co_linetable, T_OBJECT),
    field!(c"co_exceptiontable", co_exceptiontable, T_OBJECT),
    field!(c"co_nlocals", co_nlocals, Py_T_INT),
    field!(c"co_consts", co_consts, T_OBJECT),
];

static GETSET: &[GetSetRow] = &[
    getset_row(c"co_code", |c: &Code| Bytes::new(&c.original_code()), c""),
    getset_row(c"_co_code_adaptive", |c: &Code| Bytes::new(&crate::monitor::visible_code(c)), c""),
    getset_row(c"co_lnotab", co_lnotab, c""),
    getset_row(c"co_varnames", |c: &Code| c.names_of_kind(bytecode::CO_FAST_LOCAL), c""),
    getset_row(c"co_cellvars", |c: &Code| c.names_of_kind(bytecode::CO_FAST_CELL), c""),
    getset_row(c"co_freevars", |c: &Code| c.names_of_kind(bytecode::CO_FAST_FREE), c""),
];

fn optional_int(value: i32) -> PyResult {
    if value < 0 { ().into_py() } else { value.into_py() }
}

fn co_positions(code: &Code) -> PyResult {
    let mut all = Vec::new();
    for (units, location) in bytecode::LocationReader::new(code.linetable(), code.firstlineno()) {
        let row = Tuple::from_array([
            optional_int(location.lineno)?,
            optional_int(location.end_lineno)?,
            optional_int(location.col_offset)?,
            optional_int(location.end_col_offset)?,
        ])?;
        all.extend(core::iter::repeat_n(row, units).map(Ref::upcast));
    }
    Tuple::from_vec(all)?.iter()
}

fn co_lines(code: &Code) -> PyResult {
    let mut rows: Vec<(usize, usize, i32)> = Vec::new();
    let mut start = 0;
    for (units, location) in bytecode::LocationReader::new(code.linetable(), code.firstlineno()) {
        let end = start + units * 2;
        match rows.last_mut() {
            Some(last) if last.2 == location.lineno => last.1 = end,
            _ => rows.push((start, end, location.lineno)),
        }
        start = end;
    }
    let mut all = Vec::with_capacity(rows.len());
    for (start, end, line) in rows {
        all.push(Tuple::from_array([start.into_py()?, end.into_py()?, optional_int(line)?])?.upcast());
    }
    Tuple::from_vec(all)?.iter()
}

/// Every conditional jump: where it stands and where it may go, in bytes.
fn co_branches(code: &Code) -> PyResult {
    use bytecode::Opcode;
    let original = code.original_code();
    let mut rows = Vec::new();
    let (mut at, mut oparg) = (0, 0usize);
    while at + 1 < original.len() {
        oparg = oparg << 8 | usize::from(original[at + 1]);
        let opcode = Opcode::from_u8(original[at]);
        let next = at + 2 + opcode.map_or(0, Opcode::caches) * 2;
        match opcode {
            Some(Opcode::EXTENDED_ARG) => {
                at = next;
                continue;
            }
            Some(
                Opcode::POP_JUMP_IF_TRUE
                | Opcode::POP_JUMP_IF_FALSE
                | Opcode::POP_JUMP_IF_NONE
                | Opcode::POP_JUMP_IF_NOT_NONE,
            ) => rows.push((at, next + 2, next + oparg * 2)),
            // The end of the loop is behind END_FOR and POP_ITER.
            Some(Opcode::FOR_ITER) => rows.push((at, next, next + oparg * 2 + 4)),
            Some(Opcode::END_ASYNC_FOR) => {
                // The jump goes back to the SEND; what follows it is the way that is not taken.
                let source = next.saturating_sub(oparg * 2);
                rows.push((source, source + 4, next));
            }
            _ => {}
        }
        oparg = 0;
        at = next;
    }
    let mut all = Vec::with_capacity(rows.len());
    for (from, not_taken, taken) in rows {
        all.push(Tuple::from_array([from.into_py()?, not_taken.into_py()?, taken.into_py()?])?.upcast());
    }
    Tuple::from_vec(all)?.iter()
}

/// The line table in the form that ended with Python 3.9, which old tools still read.
fn co_lnotab(code: &Code) -> PyResult<Ref<Bytes>> {
    (state::interp().hooks.get().warn)(
        &taipan_object::statics::PyExc_DeprecationWarning,
        "co_lnotab is deprecated, use co_lines instead.",
        1,
    )?;
    let mut table: Vec<u8> = Vec::new();
    let (mut at, mut line, mut from) = (0, code.firstlineno(), 0);
    for (units, location) in bytecode::LocationReader::new(code.linetable(), code.firstlineno()) {
        if location.lineno >= 0 && location.lineno != line {
            let (mut bytes, mut lines) = (at - from, location.lineno - line);
            while bytes > 255 {
                table.extend([255, 0]);
                bytes -= 255;
            }
            while lines > 127 {
                table.extend([bytes as u8, 127]);
                (bytes, lines) = (0, lines - 127);
            }
            while lines < -128 {
                table.extend([bytes as u8, 0x80]);
                (bytes, lines) = (0, lines + 128);
            }
            table.extend([bytes as u8, lines as i8 as u8]);
            (line, from) = (location.lineno, at);
        }
        at += units * 2;
    }
    Bytes::new(&table)
}

fn varname_from_oparg(code: &Code, args: &Args<'_>) -> PyResult {
    let index = args.isize_or(0, 0)?;
    usize::try_from(index)
        .ok()
        .and_then(|index| code.localsplusnames().get(index))
        .map(Object::new_ref)
        .ok_or_else(|| taipan_object::err::index_error("tuple index out of range"))
}

taipan_object::methods! { static METHODS = {
    noargs "co_positions" "($self, /)" = co_positions,
        "Iterate over the (line, end line, column, end column) of every code unit.";
    noargs "co_lines" "($self, /)" = co_lines,
        "Iterate over (start, end, line) of every stretch of bytecode.";
    noargs "co_branches" "($self, /)" = co_branches,
        "Iterate over (branch, target if not taken, target if taken).";
    keywords "replace" "($self, /, **changes)" = crate::code_make::replace,
        "A copy of the code object with some attributes changed.";
    keywords "__replace__" "($self, /, **changes)" = crate::code_make::replace,
        "The same as replace().";
    noargs "__sizeof__" "($self, /)" = |c: &Code| (offset_of!(PyCodeObject, co_code_adaptive) + c.unit_count() * 2),
        "How many bytes the code object takes.";
    args "_varname_from_oparg" "($self, /, oparg)" = varname_from_oparg,
        "Name the local variable behind an instruction's argument.";
} }

/// `code`.
pub static SPEC: TypeSpec = TypeSpec {
    doc: Some(c"A code object: compiled Python."),
    slots: &[
        raw_dealloc(dealloc),
        taipan_object::native::tp_new(crate::code_make::new),
        tp_repr(repr),
        tp_hash(hash),
        tp_richcompare(compare),
    ],
    methods: METHODS,
    getset: GETSET,
    members: MEMBERS,
    ..TypeSpec::new(&PyCode_Type)
};
