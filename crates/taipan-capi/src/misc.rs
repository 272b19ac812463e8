//! Small families: capsules, weak references, buffers, import, `sys`, evaluation, context variables,
//! garbage collection, files.

use crate::border::{
    Obj, arg, bad_call, builtin_method, call_in_module, export, export_plain, ignoring, text, typed,
};
use crate::variadic::variadic;
use core::ffi::{CStr, c_char, c_int, c_void};
use taipan_abi::*;
use taipan_object::bytes::Bytes;
use taipan_object::dict::Dict;
use taipan_object::err::{PyResult, import_error, system_error, value_error};
use taipan_object::int::Int;
use taipan_object::singletons::{is_none, none};
use taipan_object::statics::*;
use taipan_object::tuple::Tuple;
use taipan_object::unicode::Str;
use taipan_object::weakref::{self, WeakRef};
use taipan_object::{Object, Ref, buffer, intern, protocol, raise, state};
use taipan_types_meta::capsule::{self, Capsule};

unsafe fn c_name<'a>(name: *const c_char) -> Option<&'a CStr> {
    // SAFETY: null or a C text by the callers' contract.
    if name.is_null() { None } else { Some(unsafe { CStr::from_ptr(name) }) }
}

/// A capsule that still has its pointer.
unsafe fn live_capsule<'a>(object: Obj, function: &str) -> PyResult<&'a Capsule> {
    // SAFETY: null or a live object; the view guarantees the layout.
    unsafe {
        Object::borrow_opt(object)
            .and_then(Object::downcast::<Capsule>)
            .filter(|capsule| !(*capsule.raw()).pointer.is_null())
            .ok_or_else(|| value_error(&format!("{function} called with invalid PyCapsule object")))
    }
}

/// The pointer in a capsule that is an attribute of a module: `package.module.attribute`.
unsafe fn import_capsule(name: *const c_char) -> PyResult<*mut c_void> {
    // SAFETY: a C text by the callers' contract.
    unsafe {
        let full = text(name)?;
        let mut parts = full.split('.');
        let first = parts.next().unwrap_or(full);
        let mut object = taipan_runtime::import_module(first)?;
        let mut path = first.to_owned();
        for part in parts {
            path = format!("{path}.{part}");
            let key = Str::from_utf8(part)?;
            object = match object.getattr_opt(&key)? {
                Some(found) => found,
                // A submodule that nobody has imported yet.
                None => {
                    taipan_runtime::import_module(&path)?;
                    object.getattr(&key)?
                }
            };
        }
        let valid = object.downcast::<Capsule>().is_some_and(|capsule| capsule.is_valid(c_name(name)));
        if !valid {
            return Err(raise!(PyExc_AttributeError, "PyCapsule_Import \"{full}\" is not valid"));
        }
        capsule::pointer(&object, c_name(name))
    }
}

export! {
    fn PyCapsule_New(pointer: *mut c_void, name: *const c_char, destructor: Option<destructor>) -> Obj {
        capsule::new(pointer, name, destructor)
    }

    fn PyCapsule_GetPointer(object: Obj, name: *const c_char) -> *mut c_void {
        capsule::pointer(arg(object)?, c_name(name))
    }

    fn PyCapsule_GetName(object: Obj) -> *const c_char {
        Ok((*live_capsule(object, "PyCapsule_GetName")?.raw()).name)
    }

    fn PyCapsule_GetContext(object: Obj) -> *mut c_void {
        Ok((*live_capsule(object, "PyCapsule_GetContext")?.raw()).context)
    }

    fn PyCapsule_GetDestructor(object: Obj) -> *mut c_void {
        let found = (*live_capsule(object, "PyCapsule_GetDestructor")?.raw()).destructor;
        Ok(found.map_or(core::ptr::null_mut(), |function| function as *mut c_void))
    }

    fn PyCapsule_SetPointer(object: Obj, pointer: *mut c_void) -> c_int {
        if pointer.is_null() {
            return Err(value_error("PyCapsule_SetPointer called with null pointer"));
        }
        (*live_capsule(object, "PyCapsule_SetPointer")?.raw()).pointer = pointer;
        Ok(())
    }

    fn PyCapsule_SetName(object: Obj, name: *const c_char) -> c_int {
        (*live_capsule(object, "PyCapsule_SetName")?.raw()).name = name;
        Ok(())
    }

    fn PyCapsule_SetContext(object: Obj, context: *mut c_void) -> c_int {
        (*live_capsule(object, "PyCapsule_SetContext")?.raw()).context = context;
        Ok(())
    }

    fn PyCapsule_SetDestructor(object: Obj, destructor: Option<destructor>) -> c_int {
        (*live_capsule(object, "PyCapsule_SetDestructor")?.raw()).destructor = destructor;
        Ok(())
    }

    fn PyCapsule_Import(name: *const c_char, _no_block: c_int) -> *mut c_void {
        import_capsule(name)
    }

    fn PyWeakref_NewRef(object: Obj, callback: Obj) -> Obj {
        let callback = Object::borrow_opt(callback).filter(|callback| !is_none(callback));
        weakref::new(&_PyWeakref_RefType, arg(object)?, callback)
    }

    fn PyWeakref_NewProxy(object: Obj, callback: Obj) -> Obj {
        let callback = Object::borrow_opt(callback).filter(|callback| !is_none(callback));
        taipan_types_meta::weakrefs::new_proxy(arg(object)?, callback)
    }

    fn PyWeakref_GetRef(reference: Obj, place: *mut Obj) -> c_int {
        place.write(core::ptr::null_mut());
        let Some(reference) = arg(reference)?.downcast::<WeakRef>() else {
            return Err(raise!(PyExc_TypeError, "expected a weakref"));
        };
        Ok(match weakref::referent(reference) {
            Some(object) => {
                place.write(object.into_ptr());
                true
            }
            None => false,
        })
    }

    fn PyWeakref_GetObject(reference: Obj) -> Obj {
        let reference = typed::<WeakRef>(reference)?;
        // Borrowed, as this old function promises: somebody else keeps the object alive.
        Ok(weakref::referent(reference).map_or(none().as_ptr(), |object| object.as_ptr()))
    }

    fn PyWeakref_IsDead(reference: Obj) -> c_int {
        Ok(weakref::referent(typed(reference)?).is_none())
    }

    fn PyObject_GetBuffer(object: Obj, view: *mut Py_buffer, flags: c_int) -> c_int {
        let object = arg(object)?;
        let table = (*object.ty().raw()).tp_as_buffer;
        let function = if table.is_null() { None } else { (*table).bf_getbuffer };
        let Some(function) = function else {
            return Err(raise!(
                PyExc_TypeError,
                "a bytes-like object is required, not '{}'",
                object.ty().message_name()
            ));
        };
        taipan_object::native::from_c_int(function(object.as_ptr(), view, flags) as isize).map(drop)
    }

    /// The old look at read-only memory: the address outlives the view, as callers have always relied on.
    fn PyObject_AsReadBuffer(object: Obj, data: *mut *const c_void, len: *mut isize) -> c_int {
        let view = buffer::Buffer::simple(arg(object)?)?;
        data.write(view.view().buf);
        len.write(view.view().len);
        Ok(())
    }

    fn PyObject_AsCharBuffer(object: Obj, data: *mut *const c_void, len: *mut isize) -> c_int {
        let view = buffer::Buffer::simple(arg(object)?)?;
        data.write(view.view().buf);
        len.write(view.view().len);
        Ok(())
    }

    fn PyObject_AsWriteBuffer(object: Obj, data: *mut *mut c_void, len: *mut isize) -> c_int {
        let view = buffer::Buffer::writable(arg(object)?)?;
        data.write(view.view().buf);
        len.write(view.view().len);
        Ok(())
    }

    fn PyBuffer_FillInfo(view: *mut Py_buffer, object: Obj, data: *mut c_void, len: isize, readonly: c_int, flags: c_int) -> c_int {
        if view.is_null() {
            return Err(taipan_object::err::buffer_error("PyBuffer_FillInfo: view==NULL argument is obsolete"));
        }
        if readonly != 0 && flags & PyBUF_WRITABLE != 0 {
            return Err(taipan_object::err::buffer_error("Object is not writable."));
        }
        let owner = Object::borrow_opt(object).map(Object::new_ref);
        view.write(buffer::empty_view());
        let v = &mut *view;
        v.obj = taipan_object::handle::into_ptr_opt(owner);
        v.buf = data;
        v.len = len;
        v.readonly = readonly;
        v.itemsize = 1;
        v.format = if flags & PyBUF_FORMAT != 0 { c"B".as_ptr() } else { core::ptr::null() };
        v.ndim = 1;
        // Shape and strides point into the view itself, as in CPython.
        v.shape = if flags & PyBUF_ND != 0 { &raw mut (*view).len } else { core::ptr::null_mut() };
        v.strides = if flags & PyBUF_STRIDES == PyBUF_STRIDES { &raw mut (*view).itemsize } else { core::ptr::null_mut() };
        Ok(())
    }

    fn PyBuffer_FromContiguous(view: *mut Py_buffer, data: *const c_void, len: isize, _order: c_char) -> c_int {
        if !buffer::is_contiguous(&*view, b'C') {
            return Err(taipan_object::err::buffer_error("only C-contiguous targets can be filled"));
        }
        let count = len.min((*view).len).max(0).cast_unsigned();
        core::ptr::copy(data.cast::<u8>(), (*view).buf.cast::<u8>(), count);
        Ok(())
    }

    fn PyBuffer_ToContiguous(to: *mut c_void, view: *mut Py_buffer, len: isize, order: c_char) -> c_int {
        if len != (*view).len {
            return Err(value_error("PyBuffer_ToContiguous: len != view->len"));
        }
        if buffer::is_contiguous(&*view, order as u8) {
            core::ptr::copy((*view).buf.cast::<u8>(), to.cast::<u8>(), len.cast_unsigned());
            return Ok(());
        }
        let order = Str::from_utf8(if order as u8 == b'F' { "F" } else { "C" })?;
        let object = arg((*view).obj)?;
        let memory = protocol::memoryview_from(object, PyBUF_FULL_RO)?;
        let made = builtin_method(&PyMemoryView_Type, "tobytes", &[&memory, &order])?;
        let made = typed::<Bytes>(made.as_ptr())?;
        core::ptr::copy(made.data_ptr(), to.cast(), made.len().min(len.cast_unsigned()));
        Ok(())
    }

    fn PyBuffer_SizeFromFormat(format: *const c_char) -> isize {
        call_in_module("_struct", "calcsize", &[&*Str::from_utf8(text(format)?)?])?.to_isize()
    }

    fn PyMemoryView_FromObject(object: Obj) -> Obj {
        PyMemoryView_Type.call(&[arg(object)?])
    }

    fn PyMemoryView_FromMemory(data: *mut c_char, len: isize, flags: c_int) -> Obj {
        let readonly = c_int::from(flags == PyBUF_READ);
        memory_over(data.cast(), len, readonly)
    }

    fn PyMemoryView_FromBuffer(view: *const Py_buffer) -> Obj {
        if (*view).buf.is_null() {
            return Err(value_error("PyMemoryView_FromBuffer(): info->buf must not be NULL"));
        }
        memory_over((*view).buf, (*view).len, (*view).readonly)
    }

    fn PyMemoryView_GetContiguous(object: Obj, kind: c_int, order: c_char) -> Obj {
        let memory = PyMemoryView_Type.call(&[arg(object)?])?;
        let view = &*PyMemoryView_GET_BUFFER(memory.as_ptr());
        if kind == PyBUF_WRITE && view.readonly != 0 {
            return Err(taipan_object::err::buffer_error("underlying buffer is not writable"));
        }
        if buffer::is_contiguous(view, order as u8) {
            return Ok(memory);
        }
        if kind == PyBUF_WRITE {
            return Err(taipan_object::err::buffer_error("writable contiguous buffer requested for a non-contiguous object."));
        }
        let order = Str::from_utf8(if order as u8 == b'F' { "F" } else { "C" })?;
        PyMemoryView_Type.call(&[&*builtin_method(&PyMemoryView_Type, "tobytes", &[&memory, &order])?])
    }

    fn PyImport_ImportModule(name: *const c_char) -> Obj {
        taipan_runtime::import_module(text(name)?)
    }

    fn PyImport_ImportModuleNoBlock(name: *const c_char) -> Obj {
        taipan_runtime::import_module(text(name)?)
    }

    fn PyImport_Import(name: Obj) -> Obj {
        taipan_runtime::import_module(typed::<Str>(name)?.to_utf8()?)
    }

    fn PyImport_ImportModuleLevelObject(name: Obj, globals: Obj, locals: Obj, fromlist: Obj, level: c_int) -> Obj {
        import_level(arg(name)?, globals, locals, fromlist, level)
    }

    fn PyImport_ImportModuleLevel(name: *const c_char, globals: Obj, locals: Obj, fromlist: Obj, level: c_int) -> Obj {
        import_level(&*Str::from_utf8(text(name)?)?, globals, locals, fromlist, level)
    }

    fn PyImport_ReloadModule(module: Obj) -> Obj {
        call_in_module("importlib", "reload", &[arg(module)?])
    }

    fn PyImport_GetModuleDict() -> Obj {
        Ok::<&Object, _>(&state::interp().modules)
    }

    fn PyImport_GetModule(name: Obj) -> Obj {
        state::interp().modules.get(arg(name)?)
    }

    fn PyImport_AddModuleRef(name: *const c_char) -> Obj {
        added_module(&*Str::from_utf8(text(name)?)?)
    }

    fn PyImport_AddModule(name: *const c_char) -> Obj {
        // sys.modules keeps it alive.
        Ok(added_module(&*Str::from_utf8(text(name)?)?)?.as_ptr())
    }

    fn PyImport_AddModuleObject(name: Obj) -> Obj {
        Ok(added_module(typed(name)?)?.as_ptr())
    }

    fn PyImport_ExecCodeModule(name: *const c_char, code: Obj) -> Obj {
        exec_module(&*Str::from_utf8(text(name)?)?, code, core::ptr::null_mut())
    }

    fn PyImport_ExecCodeModuleObject(name: Obj, code: Obj, path: Obj, _cached: Obj) -> Obj {
        exec_module(typed(name)?, code, path)
    }

    fn PyImport_GetImporter(path: Obj) -> Obj {
        call_in_module("pkgutil", "get_importer", &[arg(path)?])
    }

    fn PyImport_ImportModuleAttr(module: Obj, attribute: Obj) -> Obj {
        taipan_runtime::import_module(typed::<Str>(module)?.to_utf8()?)?.getattr(typed(attribute)?)
    }

    fn PyImport_ImportModuleAttrString(module: *const c_char, attribute: *const c_char) -> Obj {
        taipan_runtime::import_module(text(module)?)?.getattr(&*Str::from_utf8(text(attribute)?)?)
    }

    fn PySys_SetObject(name: *const c_char, value: Obj) -> c_int {
        let sys = taipan_runtime::import_module("sys")?;
        let key = Str::from_utf8(text(name)?)?;
        let module = typed::<taipan_object::module::Module>(sys.as_ptr())?;
        match Object::borrow_opt(value) {
            Some(value) => module.dict().set_str(&key, value),
            None => module.dict().remove(&key).map(drop),
        }
    }

    fn PySys_GetObject(name: *const c_char) -> Obj {
        let sys = taipan_runtime::import_module("sys")?;
        let module = typed::<taipan_object::module::Module>(sys.as_ptr())?;
        // The namespace keeps the value alive.
        Ok(module.dict().get_text(text(name)?).map_or(core::ptr::null_mut(), |value| value.as_ptr()))
    }

    fn PySys_GetAttr(name: Obj) -> Obj {
        sys_attribute(typed(name)?)?.ok_or_else(|| {
            raise!(PyExc_RuntimeError, "lost sys.{}", arg(name).map_or_else(|_| String::new(), Object::str_lossy))
        })
    }

    fn PySys_GetAttrString(name: *const c_char) -> Obj {
        let key = Str::from_utf8(text(name)?)?;
        sys_attribute(&key)?.ok_or_else(|| raise!(PyExc_RuntimeError, "lost sys.{}", key.to_lossy()))
    }

    fn PySys_AuditTuple(event: *const c_char, args: Obj) -> c_int {
        let event = Str::from_utf8(text(event)?)?;
        let mut all: Vec<&Object> = vec![&event];
        if let Some(args) = Object::borrow_opt(args) {
            all.extend_from_slice(args.downcast::<Tuple>().ok_or_else(bad_call)?.items());
        }
        call_in_module("sys", "audit", &all).map(drop)
    }

    fn PyEval_GetBuiltins() -> Obj {
        // Borrowed: the frame or the interpreter keeps it.
        Ok(taipan_eval::frame::current_builtins().map_or(core::ptr::null_mut(), |builtins| builtins.as_ptr()))
    }

    fn PyEval_GetFrameBuiltins() -> Obj {
        Ok(taipan_eval::frame::current_builtins())
    }

    fn PyEval_GetGlobals() -> Obj {
        Ok(taipan_eval::frame::current_globals().map_or(core::ptr::null_mut(), |dict| dict.as_ptr()))
    }

    fn PyEval_GetFrameGlobals() -> Obj {
        Ok(taipan_eval::frame::current_globals())
    }

    fn PyEval_GetFrameLocals() -> Obj {
        match taipan_eval::frame_object::current() {
            Some(frame) => Ok(Some(frame.getattr(intern!("f_locals"))?)),
            None => Err(system_error("frame does not exist")),
        }
    }

    fn PyEval_GetLocals() -> Obj {
        let Some(frame) = taipan_eval::frame_object::current() else {
            return Err(system_error("frame does not exist"));
        };
        let locals = frame.getattr(intern!("f_locals"))?;
        // The frame keeps what this old function lends.
        let pointer = locals.as_ptr();
        let frame = frame.downcast::<taipan_eval::frame_object::FrameObject>().ok_or_else(bad_call)?;
        taipan_object::handle::set_field(&raw mut (*frame.raw()).f_locals_cache, Some(locals));
        Ok(pointer)
    }

    fn PyEval_GetFrame() -> Obj {
        // The running frame keeps its object alive.
        Ok(taipan_eval::frame_object::current().map_or(core::ptr::null_mut(), |frame| frame.as_ptr()))
    }

    fn PyEval_EvalCode(code: Obj, globals: Obj, locals: Obj) -> Obj {
        evaluate(code, globals, locals)
    }

    fn PyEval_EvalFrame(_frame: Obj) -> Obj {
        Err::<Obj, _>(system_error("a frame object of C has nothing to run"))
    }

    fn Py_CompileString(source: *const c_char, file: *const c_char, start: c_int) -> Obj {
        compile(text(source)?, text(file)?, start)
    }

    fn Py_CompileStringFlags(source: *const c_char, file: *const c_char, start: c_int, _flags: *mut c_void) -> Obj {
        compile(text(source)?, text(file)?, start)
    }

    fn Py_CompileStringExFlags(source: *const c_char, file: *const c_char, start: c_int, _flags: *mut c_void, _optimize: c_int) -> Obj {
        compile(text(source)?, text(file)?, start)
    }

    fn Py_CompileStringObject(source: *const c_char, file: Obj, start: c_int, _flags: *mut c_void, _optimize: c_int) -> Obj {
        compile(text(source)?, typed::<Str>(file)?.to_utf8()?, start)
    }

    fn PyRun_StringFlags(source: *const c_char, start: c_int, globals: Obj, locals: Obj, _flags: *mut c_void) -> Obj {
        let code = compile(text(source)?, "<string>", start)?;
        evaluate(code.as_ptr(), globals, locals)
    }

    fn PyRun_String(source: *const c_char, start: c_int, globals: Obj, locals: Obj) -> Obj {
        let code = compile(text(source)?, "<string>", start)?;
        evaluate(code.as_ptr(), globals, locals)
    }

    fn PyContextVar_New(name: *const c_char, default: Obj) -> Obj {
        let name = Str::from_utf8(text(name)?)?;
        let Some(default) = Object::borrow_opt(default) else { return PyContextVar_Type.call(&[&name]) };
        let kwargs = Dict::new()?;
        kwargs.set_text("default", default)?;
        protocol::call_with_dict(&PyContextVar_Type, &*Tuple::from_refs(&[&name])?, Some(&kwargs))
    }

    fn PyContextVar_Get(variable: Obj, default: Obj, place: *mut Obj) -> c_int {
        place.write(core::ptr::null_mut());
        let result = match Object::borrow_opt(default) {
            Some(default) => builtin_method(&PyContextVar_Type, "get", &[arg(variable)?, default]),
            None => builtin_method(&PyContextVar_Type, "get", &[arg(variable)?]),
        };
        match result {
            Ok(value) => place.write(value.into_ptr()),
            // No value is no error here.
            Err(error) => drop(error.allow::<()>(&PyExc_LookupError)?),
        }
        Ok(())
    }

    fn PyContextVar_Set(variable: Obj, value: Obj) -> Obj {
        builtin_method(&PyContextVar_Type, "set", &[arg(variable)?, arg(value)?])
    }

    fn PyContextVar_Reset(variable: Obj, token: Obj) -> c_int {
        builtin_method(&PyContextVar_Type, "reset", &[arg(variable)?, arg(token)?]).map(drop)
    }

    fn PyContext_New() -> Obj {
        PyContext_Type.call(&[])
    }

    fn PyContext_Copy(context: Obj) -> Obj {
        builtin_method(&PyContext_Type, "copy", &[arg(context)?])
    }

    fn PyContext_CopyCurrent() -> Obj {
        taipan_types_meta::contextvars::copy_current()
    }

    fn PyFile_WriteObject(object: Obj, file: Obj, flags: c_int) -> c_int {
        let object = arg(object)?;
        let shown = if flags & PRINT_RAW != 0 { object.str()? } else { object.repr()? };
        arg(file)?.call_method(intern!("write"), &[&shown]).map(drop)
    }

    fn PyObject_Print(object: Obj, stream: *mut c_void, flags: c_int) -> c_int {
        let shown = match Object::borrow_opt(object) {
            None => Str::from_utf8("<nil>")?,
            Some(object) if flags & PRINT_RAW != 0 => object.str()?,
            Some(object) => object.repr()?,
        };
        let data = taipan_types_text::str::encode(&shown, "utf-8", "backslashreplace")?;
        let data = typed::<Bytes>(data.as_ptr())?;
        if taipan_os::raw_memory::write_stream(stream, data.as_slice()) {
            return Ok(());
        }
        Err(taipan_types_meta::exceptions::os_error2(taipan_os::last_errno(), None, None))
    }

    fn PyFile_WriteString(message: *const c_char, file: Obj) -> c_int {
        arg(file)?.call_method(intern!("write"), &[&*Str::from_utf8(text(message)?)?]).map(drop)
    }

    fn PyFile_GetLine(file: Obj, limit: c_int) -> Obj {
        let read = intern!("readline");
        match limit > 0 {
            true => arg(file)?.call_method(read, &[&Int::from_i64(i64::from(limit))]),
            false => arg(file)?.call_method(read, &[]),
        }
    }

    fn PyFile_FromFd(fd: c_int, _name: *const c_char, mode: *const c_char, buffering: c_int, encoding: *const c_char, errors: *const c_char, newline: *const c_char, close: c_int) -> Obj {
        let or_none = |value: *const c_char| match value.is_null() {
            true => Ok(none().new_ref()),
            false => Ok::<_, taipan_object::PyErr>(Str::from_utf8(text(value)?)?.upcast()),
        };
        let (fd, buffering) = (Int::from_i64(i64::from(fd)), Int::from_i64(i64::from(buffering)));
        let closes = taipan_object::singletons::bool_object(close != 0);
        let rest = [or_none(mode)?, or_none(encoding)?, or_none(errors)?, or_none(newline)?];
        call_in_module("io", "open", &[&fd, &rest[0], &buffering, &rest[1], &rest[2], &rest[3], closes])
    }

    fn PyMarshal_ReadObjectFromString(data: *const c_char, len: isize) -> Obj {
        call_in_module("marshal", "loads", &[&*Bytes::new(crate::unicodeobject::bytes(data, len)?)?])
    }

    fn PyMarshal_WriteObjectToString(object: Obj, version: c_int) -> Obj {
        call_in_module("marshal", "dumps", &[arg(object)?, &Int::from_i64(i64::from(version))])
    }

    fn Py_AtExit(function: Option<unsafe extern "C" fn()>) -> c_int {
        let Some(function) = function else { return Err(bad_call()) };
        at_exit(function)
    }
}

const PRINT_RAW: c_int = 1;

/// Has `atexit` call a C function.
unsafe fn at_exit(function: unsafe extern "C" fn()) -> PyResult<()> {
    unsafe extern "C" fn run(capsule: Obj, _: Obj) -> Obj {
        crate::border::guard(|| {
            // SAFETY: made below around such a function.
            unsafe {
                let pointer = capsule::pointer(Object::borrow(capsule), None)?;
                let function: unsafe extern "C" fn() = core::mem::transmute(pointer);
                function();
            }
            Ok(taipan_object::singletons::new_none())
        })
    }
    // SAFETY: the definition is leaked: it outlives the function object.
    unsafe {
        let capsule = capsule::new(function as *mut c_void, core::ptr::null(), None)?;
        let def = Box::leak(Box::new(PyMethodDef {
            ml_name: c"run_at_exit".as_ptr(),
            ml_meth: Some(run),
            ml_flags: METH_NOARGS,
            ml_doc: core::ptr::null(),
        }));
        let function = taipan_object::callable::new_cfunction(def, Some(&capsule), None, None)?;
        call_in_module("atexit", "register", &[&function]).map(drop)
    }
}

/// A memoryview over memory of C: exported by an object that only exists for that.
fn memory_over(data: *mut c_void, len: isize, readonly: c_int) -> PyResult {
    let exporter = crate::memory_object::new(data, len, readonly)?;
    protocol::memoryview_from(&exporter, PyBUF_FULL_RO)
}

unsafe fn import_level(name: &Object, globals: Obj, locals: Obj, fromlist: Obj, level: c_int) -> PyResult {
    // SAFETY: null or live objects by the callers' contract.
    unsafe {
        let or_none = |object: Obj| Object::borrow_opt(object).unwrap_or(none());
        let empty = Tuple::empty();
        let names = Object::borrow_opt(fromlist).unwrap_or(&empty);
        let level = Int::from_i64(i64::from(level));
        call_in_module("builtins", "__import__", &[name, or_none(globals), or_none(locals), names, &level])
    }
}

/// The module of that name in `sys.modules`, made empty if there is none.
fn added_module(name: &Str) -> PyResult {
    let modules = &state::interp().modules;
    if let Some(found) = modules.get(name)?
        && found.downcast::<taipan_object::module::Module>().is_some()
    {
        return Ok(found);
    }
    let made = taipan_object::module::Module::new(name, None)?.upcast();
    modules.set(name, &made)?;
    Ok(made)
}

unsafe fn exec_module(name: &Str, code: Obj, path: Obj) -> PyResult {
    // SAFETY: null or live objects by the callers' contract.
    unsafe {
        let module = added_module(name)?;
        let dict = typed::<taipan_object::module::Module>(module.as_ptr())?.dict();
        if let Some(builtins) = state::interp().builtins.borrow().clone() {
            dict.set_default(intern!("__builtins__"), &builtins)?;
        }
        if let Some(path) = Object::borrow_opt(path) {
            dict.set_str(intern!("__file__"), path)?;
        }
        let run = taipan_eval::call::run_code(typed(code)?, dict, None);
        if let Err(error) = run {
            let _ = state::interp().modules.remove(name)?;
            return Err(error);
        }
        state::interp().modules.get(name)?.ok_or_else(|| {
            import_error(&format!("Loaded module {} not found in sys.modules", name.repr_lossy()))
        })
    }
}

fn sys_attribute(name: &Str) -> PyResult<Option<Ref>> {
    taipan_runtime::import_module("sys")?.getattr_opt(name)
}

unsafe fn evaluate(code: Obj, globals: Obj, locals: Obj) -> PyResult {
    // SAFETY: live objects by the callers' contract.
    unsafe {
        let globals = typed::<Dict>(globals)?;
        if let Some(builtins) = state::interp().builtins.borrow().clone() {
            globals.set_default(intern!("__builtins__"), &builtins)?;
        }
        taipan_eval::call::run_code(typed(code)?, globals, Object::borrow_opt(locals))
    }
}

/// The start symbols of the grammar: 256 one statement, 257 a file, 258 an expression.
fn compile(source: &str, file: &str, start: c_int) -> PyResult {
    let mode = match start {
        256 => "single",
        257 => "exec",
        258 => "eval",
        _ => return Err(value_error("mode must be Py_single_input, Py_file_input or Py_eval_input")),
    };
    let (source, file, mode) = (Str::from_utf8(source)?, Str::from_utf8(file)?, Str::from_utf8(mode)?);
    call_in_module("builtins", "compile", &[&source, &file, &mode])
}

export_plain! {
    fn PyCapsule_IsValid(object: Obj, name: *const c_char) -> c_int {
        let capsule = Object::borrow_opt(object).and_then(Object::downcast::<Capsule>);
        c_int::from(capsule.is_some_and(|capsule| capsule.is_valid(c_name(name))))
    }

    fn PyObject_CheckReadBuffer(object: Obj) -> c_int {
        let readable = Object::borrow_opt(object).is_some_and(|object| buffer::Buffer::simple(object).is_ok());
        c_int::from(readable)
    }

    fn PyObject_CheckBuffer(object: Obj) -> c_int {
        c_int::from(buffer::has_buffer(Object::borrow(object)))
    }

    fn PyBuffer_Release(view: *mut Py_buffer) {
        if !(*view).obj.is_null() {
            crate::border::keeping_error(|| buffer::release(&mut *view));
        }
    }

    fn PyBuffer_IsContiguous(view: *const Py_buffer, order: c_char) -> c_int {
        c_int::from(buffer::is_contiguous(&*view, order as u8))
    }

    fn PyBuffer_GetPointer(view: *const Py_buffer, indices: *const isize) -> *mut c_void {
        item_address(&*view, indices)
    }

    fn PyBuffer_FillContiguousStrides(dims: c_int, shape: *mut isize, strides: *mut isize, itemsize: c_int, order: c_char) {
        let mut step = itemsize as isize;
        let dims = dims as isize;
        for index in 0..dims {
            let at = if order as u8 == b'F' { index } else { dims - 1 - index };
            *strides.offset(at) = step;
            step *= *shape.offset(at);
        }
    }

    fn PyMemoryView_GET_BUFFER(object: Obj) -> *mut Py_buffer {
        &raw mut (*object.cast::<PyMemoryViewObject>()).view
    }

    fn PyImport_GetMagicNumber() -> std::ffi::c_long {
        i64::from(u32::from_le_bytes(taipan_bytecode::marshal::MAGIC))
    }

    fn PyImport_GetMagicTag() -> *const c_char {
        c"cpython-314".as_ptr()
    }

    fn PyGC_Enable() -> c_int {
        switch_gc("enable")
    }

    fn PyGC_Disable() -> c_int {
        switch_gc("disable")
    }

    fn PyGC_IsEnabled() -> c_int {
        gc_enabled()
    }

    fn PyEval_MergeCompilerFlags(_flags: *mut c_void) -> c_int {
        0
    }

    fn PyEval_GetFuncName(function: Obj) -> *const c_char {
        name_of(function)
    }

    fn PyEval_GetFuncDesc(function: Obj) -> *const c_char {
        let object = Object::borrow(function);
        let calls = [&*PyFunction_Type, &*PyCFunction_Type, &*PyMethod_Type];
        if calls.iter().any(|class| object.ty().is_subtype(class)) { c"()".as_ptr() } else { c" object".as_ptr() }
    }

    fn PyOS_InterruptOccurred() -> c_int {
        c_int::from(taipan_os::signals::any_pending())
    }

    fn PyUnstable_GC_VisitObjects(visit: unsafe extern "C" fn(Obj, *mut c_void) -> c_int, argument: *mut c_void) {
        for object in state::interp().gc.objects(None) {
            if visit(object.as_ptr(), argument) == 0 {
                break;
            }
        }
    }
}

unsafe fn item_address(view: &Py_buffer, indices: *const isize) -> *mut c_void {
    // SAFETY: as many indices as dimensions by the callers' contract.
    unsafe {
        let mut at = view.buf.cast::<u8>();
        for dimension in 0..view.ndim as isize {
            at = at.offset(*view.strides.offset(dimension) * *indices.offset(dimension));
            if !view.suboffsets.is_null() && *view.suboffsets.offset(dimension) >= 0 {
                at = at.cast::<*mut u8>().read().offset(*view.suboffsets.offset(dimension));
            }
        }
        at.cast()
    }
}

fn gc_enabled() -> c_int {
    let ask = || call_in_module("gc", "isenabled", &[])?.is_true();
    c_int::from(ignoring(ask(), true))
}

/// Switches the collector; says whether it was on.
fn switch_gc(to: &str) -> c_int {
    let before = gc_enabled();
    ignoring(call_in_module("gc", to, &[]).map(drop), ());
    before
}

unsafe fn name_of(function: Obj) -> *const c_char {
    // SAFETY: a live object by the callers' contract; a name or a type keeps its text.
    unsafe {
        let object = Object::borrow(function);
        match ignoring(object.getattr_opt(intern!("__name__")), None) {
            Some(name) if name.downcast::<Str>().is_some() => {
                crate::unicodeobject::PyUnicode_AsUTF8(name.as_ptr())
            }
            _ => (*object.ty().raw()).tp_name,
        }
    }
}

variadic! {
    fn PySys_Audit(va) -> c_int {
        let event = Str::from_utf8(text(va.text())?)?;
        let format = va.text();
        let mut all: Vec<&Object> = vec![&event];
        let built = match format.is_null() || *format == 0 {
            true => None,
            false => Some(crate::modsupport::build(CStr::from_ptr(format).to_bytes(), va)?),
        };
        if let Some(built) = built.as_deref() {
            match built.downcast::<Tuple>() {
                Some(args) => all.extend_from_slice(args.items()),
                None => all.push(built),
            }
        }
        call_in_module("sys", "audit", &all).map(drop)
    }
}
