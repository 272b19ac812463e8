//! The opcodes that build objects, and the textual ones of old protocols.

use super::load::Load;
use super::op;
use super::shared::{import, unpickling_error};
use taipan_object::buffer::has_buffer;
use taipan_object::bytes::Bytes;
use taipan_object::dict::Dict;
use taipan_object::int::Int;
use taipan_object::list::List;
use taipan_object::protocol::{call_with_dict, iter_next, set_item};
use taipan_object::singletons::{is_none, new_bool};
use taipan_object::statics::*;
use taipan_object::tuple::Tuple;
use taipan_object::unicode::{Str, intern};
use taipan_object::{Object, PyErr, PyResult, Ref, Type, err, intern, raise, state};
use taipan_types_collections::set::{self, AnySet};

/// Decodes with a codec.
fn decode(data: &[u8], codec: &str, errors: &str) -> PyResult<Ref<Str>> {
    (state::interp().hooks.get().decode)(data, codec, errors)?
        .downcast_owned()
        .map_err(|_| err::type_error("decoder did not return a str object"))
}

/// The integer that a line of text says.
fn parse_int(text: &[u8]) -> PyResult<Ref<Int>> {
    let text = decode(text, "latin-1", "strict")?;
    PyLong_Type.call(&[&text])?.downcast_owned().map_err(|_| err::type_error("int() gave no int"))
}

/// A line without its end.
fn body(line: &[u8]) -> &[u8] {
    line.strip_suffix(b"\n").unwrap_or(line)
}

impl Load<'_> {
    /// The opcodes that are not in the loop itself.
    pub fn step_rare(&mut self, opcode: u8) -> PyResult<()> {
        match opcode {
            op::APPEND => {
                let item = self.pop()?;
                self.append(vec![item])
            }
            op::APPENDS => {
                let items = self.pop_mark()?;
                self.append(items)
            }
            op::SETITEM => {
                let value = self.pop()?;
                let key = self.pop()?;
                self.store(vec![key, value])
            }
            op::SETITEMS => {
                let items = self.pop_mark()?;
                self.store(items)
            }
            op::ADDITEMS => self.add_items(),
            op::FROZENSET => {
                let items = Tuple::from_vec(self.pop_mark()?)?;
                self.push(set::new_frozenset(Some(&items))?.upcast());
                Ok(())
            }
            op::DICT => self.load_dict(),
            op::BUILD => self.build(),
            op::REDUCE => self.reduce(),
            op::NEWOBJ => self.new_object("NEWOBJ"),
            op::NEWOBJ_EX => self.new_object("NEWOBJ_EX"),
            op::STACK_GLOBAL => self.stack_global(),
            op::GLOBAL => {
                let (module, name) = self.two_names("utf-8")?;
                self.find(&module, &name)
            }
            op::INST => self.load_inst(),
            op::OBJ => {
                let mut args = self.pop_mark()?;
                if args.is_empty() {
                    self.pop()?;
                    return Err(unpickling_error("unpickling stack underflow"));
                }
                let class = args.remove(0);
                self.instantiate(&class, args)
            }
            op::NEXT_BUFFER => self.next_buffer(),
            op::READONLY_BUFFER => self.read_only_buffer(),
            op::INT => self.load_int(),
            op::LONG => {
                let line = self.line(2)?;
                let text = line.strip_suffix(b"L\n").unwrap_or(&line);
                let int = parse_int(text)?;
                self.push(int.upcast());
                Ok(())
            }
            op::FLOAT => self.load_float(),
            op::STRING => self.load_string(),
            op::UNICODE => {
                let line = self.line(1)?;
                let text = decode(body(&line), "raw-unicode-escape", "strict")?;
                self.push(text.upcast());
                Ok(())
            }
            op::PERSID => {
                let line = self.line(1)?;
                let text = body(&line);
                let Some(text) = core::str::from_utf8(text).ok().filter(|text| text.is_ascii()) else {
                    return Err(unpickling_error("persistent IDs in protocol 0 must be ASCII strings"));
                };
                let id = Str::from_utf8(text)?;
                self.persistent(id.upcast())
            }
            op::GET => {
                let number = parse_int(&self.line(2)?)?.to_isize()?;
                match usize::try_from(number) {
                    Ok(number) => self.get_number(number),
                    Err(_) => Err(unpickling_error(&format!("Memo value not found at index {number}"))),
                }
            }
            op::PUT => {
                let line = self.line(2)?;
                self.top()?;
                let number = parse_int(&line)?.to_isize()?;
                let number =
                    usize::try_from(number).map_err(|_| err::value_error("negative PUT argument"))?;
                self.put_number(number)
            }
            0x20..=0x7e if opcode != b'\'' && opcode != b'\\' => {
                Err(unpickling_error(&format!("invalid load key, '{}'.", char::from(opcode))))
            }
            _ => Err(unpickling_error(&format!("invalid load key, '\\x{opcode:02x}'."))),
        }
    }

    fn load_int(&mut self) -> PyResult<()> {
        let line = self.line(2)?;
        let failed = |error: PyErr| match error.is(&PyExc_ValueError) {
            true => err::value_error("could not convert string to int"),
            false => error,
        };
        let int = parse_int(&line).map_err(failed)?;
        // Two digits are how protocols 0 and 1 write truth values.
        match int.to_i64() {
            Some(value @ 0..=1) if line.len() == 3 => self.push(new_bool(value == 1)),
            _ => self.push(int.upcast()),
        }
        Ok(())
    }

    fn load_float(&mut self) -> PyResult<()> {
        let line = self.line(2)?;
        let shown = String::from_utf8_lossy(&line);
        let text = core::str::from_utf8(body(&line)).unwrap_or_default();
        let Ok(value) = text.parse::<f64>() else {
            // How much of the line is a number decides between CPython's two messages.
            let begins = (1..text.len()).any(|end| text.get(..end).is_some_and(|t| t.parse::<f64>().is_ok()));
            return Err(err::value_error(&match begins {
                true => "could not convert string to float".to_owned(),
                false => format!("could not convert string to float: '{shown}'"),
            }));
        };
        if value.is_infinite() && text.bytes().any(|byte| byte.is_ascii_digit()) {
            return Err(err::overflow_error(&format!("value too large to convert to float: '{shown}'")));
        }
        self.push(taipan_object::float::Float::new(value).upcast());
        Ok(())
    }

    fn load_string(&mut self) -> PyResult<()> {
        let line = self.line(1)?;
        let quoted = match body(&line) {
            [first @ (b'"' | b'\''), inner @ .., last] if first == last => inner,
            _ => return Err(unpickling_error("the STRING opcode argument must be quoted")),
        };
        let escape_decode = import("_codecs")?.getattr(intern!("escape_decode"))?;
        let pair = escape_decode.call(&[&*Bytes::new(quoted)?])?;
        let data = pair.downcast::<Tuple>().and_then(|pair| pair.get(0)?.downcast::<Bytes>());
        let data = data.map(|data| data.as_slice().to_vec()).unwrap_or_default();
        self.push_old_str(&data)
    }

    fn two_names(&mut self, codec: &str) -> PyResult<(Ref<Str>, Ref<Str>)> {
        let module = decode(body(&self.line(2)?), codec, "strict")?;
        let name = decode(body(&self.line(2)?), codec, "strict")?;
        Ok((module, name))
    }

    fn stack_global(&mut self) -> PyResult<()> {
        let name = self.pop()?;
        let module = self.pop()?;
        match (module.downcast::<Str>(), name.downcast::<Str>()) {
            (Some(module), Some(name))
                if module.is_exact(&PyUnicode_Type) && name.is_exact(&PyUnicode_Type) =>
            {
                self.find(module, name)
            }
            _ => Err(unpickling_error("STACK_GLOBAL requires str")),
        }
    }

    /// The object that has a code in the extension registry.
    pub fn load_extension(&mut self, code: i64) -> PyResult<()> {
        if code <= 0 {
            return Err(unpickling_error("EXT specifies code <= 0"));
        }
        let key = Int::from_i64(code);
        if let Some(object) = self.shared.extension_cache.get(&key)? {
            self.push(object);
            return Ok(());
        }
        let Some(pair) = self.shared.inverted_registry.get(&key)? else {
            return Err(err::value_error(&format!("unregistered extension code {code}")));
        };
        let names = pair.downcast::<Tuple>().map(Tuple::items);
        let (module, name) = match names {
            Some([module, name]) => (module.downcast::<Str>(), name.downcast::<Str>()),
            _ => (None, None),
        };
        let (Some(module), Some(name)) = (module, name) else {
            return Err(err::value_error(&format!("_inverted_registry[{code}] isn't a 2-tuple of strings")));
        };
        self.find(module, name)?;
        let object = self.top()?.clone();
        self.shared.extension_cache.set(&key, &object)
    }

    /// Appends to the list on the stack.
    fn append(&mut self, items: Vec<Ref>) -> PyResult<()> {
        let target = self.top()?.clone();
        if items.is_empty() {
            return Ok(());
        }
        if let Some(list) = target.downcast::<List>().filter(|list| list.is_exact(&PyList_Type)) {
            for item in items {
                list.append(item)?;
            }
            return Ok(());
        }
        if let Some(extend) = target.getattr_opt(intern!("extend"))? {
            return extend.call(&[&*List::from_vec(items)?]).map(drop);
        }
        let append = target.getattr(intern!("append"))?;
        for item in items {
            append.call(&[&item])?;
        }
        Ok(())
    }

    /// Stores pairs in the mapping on the stack.
    fn store(&mut self, items: Vec<Ref>) -> PyResult<()> {
        let target = self.top()?.clone();
        if items.len() % 2 != 0 {
            return Err(unpickling_error("odd number of items for SETITEMS"));
        }
        let plain = target.downcast::<Dict>().filter(|dict| dict.is_exact(&PyDict_Type));
        for pair in items.chunks_exact(2) {
            match plain {
                Some(dict) => dict.set(&pair[0], &pair[1])?,
                None => set_item(&target, &pair[0], &pair[1])?,
            }
        }
        Ok(())
    }

    fn add_items(&mut self) -> PyResult<()> {
        let items = self.pop_mark()?;
        let target = self.top()?.clone();
        if items.is_empty() {
            return Ok(());
        }
        if let Some(set) = target.downcast::<AnySet>().filter(|set| set.ty().is_subtype(&PySet_Type)) {
            for item in &items {
                set::add(set, item)?;
            }
            return Ok(());
        }
        let add = target.getattr(intern!("add"))?;
        for item in &items {
            add.call(&[item])?;
        }
        Ok(())
    }

    fn load_dict(&mut self) -> PyResult<()> {
        let items = self.pop_mark()?;
        if items.len() % 2 != 0 {
            return Err(unpickling_error("odd number of items for DICT"));
        }
        let dict = Dict::new()?;
        for pair in items.chunks_exact(2) {
            dict.set(&pair[0], &pair[1])?;
        }
        self.push(dict.upcast());
        Ok(())
    }

    fn build(&mut self) -> PyResult<()> {
        let state = self.pop()?;
        let object = self.top()?.clone();
        if let Some(set_state) = object.getattr_opt(intern!("__setstate__"))? {
            return set_state.call(&[&state]).map(drop);
        }
        let pair = state.downcast::<Tuple>().filter(|pair| pair.len() == 2).map(Tuple::items);
        let (state, slots) = match pair {
            Some(&[state, slots]) => (state, Some(slots)),
            _ => (&*state, None),
        };
        if !is_none(state) {
            let Some(state) = state.downcast::<Dict>() else {
                return Err(unpickling_error("state is not a dictionary"));
            };
            let target = object.getattr(intern!("__dict__"))?;
            for (key, value) in state.items_vec() {
                // Names of attributes are shared between all instances.
                let key = match key.downcast_owned::<Str>() {
                    Ok(key) if key.is_exact(&PyUnicode_Type) => intern(key).upcast(),
                    Ok(key) => key.upcast(),
                    Err(key) => key,
                };
                set_item(&target, &key, &value)?;
            }
        }
        if let Some(slots) = slots {
            let Some(slots) = slots.downcast::<Dict>() else {
                return Err(unpickling_error("slot state is not a dictionary"));
            };
            for (key, value) in slots.items_vec() {
                let Some(name) = key.downcast::<Str>() else {
                    return Err(raise!(
                        PyExc_TypeError,
                        "attribute name must be string, not '{}'",
                        key.ty().message_name()
                    ));
                };
                object.setattr(name, Some(&value))?;
            }
        }
        Ok(())
    }

    fn reduce(&mut self) -> PyResult<()> {
        let args = self.pop()?;
        let callable = self.pop()?;
        let Some(args) = args.downcast::<Tuple>() else {
            return Err(err::type_error("argument list must be a tuple"));
        };
        let made = callable.call(args.items())?;
        self.push(made);
        Ok(())
    }

    fn new_object(&mut self, name: &str) -> PyResult<()> {
        let kwargs = match name {
            "NEWOBJ_EX" => Some(self.pop()?),
            _ => None,
        };
        let args = self.pop()?;
        let class = self.pop()?;
        let wrong = |what: &str, wanted: &str, got: &Object| {
            unpickling_error(&format!(
                "{name} {what} argument must be {wanted}, not {}",
                got.ty().message_name()
            ))
        };
        if class.downcast::<Type>().is_none() {
            return Err(wrong("class", "a type", &class));
        }
        let Some(args) = args.downcast::<Tuple>() else { return Err(wrong("args", "a tuple", &args)) };
        let kwargs = match &kwargs {
            None => None,
            Some(kwargs) => Some(kwargs.downcast::<Dict>().ok_or_else(|| wrong("kwargs", "a dict", kwargs))?),
        };
        let make = class.getattr(intern!("__new__"))?;
        let mut all: Vec<Ref> = Vec::with_capacity(args.len() + 1);
        all.push(class.clone());
        all.extend(args.items().iter().map(|item| item.new_ref()));
        let made = match kwargs {
            Some(kwargs) => call_with_dict(&make, &*Tuple::from_vec(all)?, Some(kwargs))?,
            None => {
                let all: Vec<&Object> = all.iter().map(|item| &**item).collect();
                make.call(&all)?
            }
        };
        self.push(made);
        Ok(())
    }

    fn load_inst(&mut self) -> PyResult<()> {
        let args = self.pop_mark()?;
        let (module, name) = self.two_names("ascii")?;
        self.find(&module, &name)?;
        let class = self.pop()?;
        self.instantiate(&class, args)
    }

    fn instantiate(&mut self, class: &Object, args: Vec<Ref>) -> PyResult<()> {
        let made = if args.is_empty()
            && class.downcast::<Type>().is_some()
            && class.getattr_opt(intern!("__getinitargs__"))?.is_none()
        {
            class.call_method(intern!("__new__"), &[class])?
        } else {
            let args: Vec<&Object> = args.iter().map(|arg| &**arg).collect();
            class.call(&args)?
        };
        self.push(made);
        Ok(())
    }

    fn next_buffer(&mut self) -> PyResult<()> {
        let Some(buffers) = self.unpickler.buffers.get() else {
            return Err(unpickling_error(
                "pickle stream refers to out-of-band data but no *buffers* argument was given",
            ));
        };
        match iter_next(&buffers)? {
            Some(buffer) => {
                self.push(buffer);
                Ok(())
            }
            None => Err(unpickling_error("not enough out-of-band buffers")),
        }
    }

    fn read_only_buffer(&mut self) -> PyResult<()> {
        let top = self.top()?.clone();
        if !has_buffer(&top) {
            return Err(raise!(
                PyExc_TypeError,
                "memoryview: a bytes-like object is required, not '{}'",
                top.ty().message_name()
            ));
        }
        let view = PyMemoryView_Type.call(&[&top])?.upcast();
        if !view.getattr(intern!("readonly"))?.is_true()? {
            self.pop()?;
            self.push(view.call_method(intern!("toreadonly"), &[])?);
        }
        Ok(())
    }
}
