//! From node objects to a tree of the front end.

use super::{attribute, base, classes, key, text};
use std::rc::Rc;
use taipan_object::bytes::Bytes;
use taipan_object::err::{runtime_error, type_error, value_error};
use taipan_object::float::Complex;
use taipan_object::int::Int;
use taipan_object::list::List;
use taipan_object::native::Native;
use taipan_object::singletons::{bool_object, ellipsis, is_none};
use taipan_object::statics::*;
use taipan_object::tuple::Tuple;
use taipan_object::unicode::Str;
use taipan_object::{Object, PyErr, PyResult, Ref, protocol, raise};
use taipan_syntax::Mode;
use taipan_syntax::ast::{
    BigInt, Build, Constant, FieldDescription, GroupDescription, Identifier, Mod, NodeDescription, PyStr,
    Range, Source, describe,
};

/// Whether an object is a node.
pub(crate) fn is_node(object: &Object) -> bool {
    object.downcast::<Native<base::Node>>().is_some()
}

/// The tree that node objects describe, for a mode of compilation.
///
/// # Errors
/// `TypeError` and `ValueError` where they describe none.
pub(crate) fn from_object(object: &Object, mode: Mode) -> PyResult<Mod> {
    let wanted = check_root(object, mode)?;
    let tree = Mod::build(&Node { object: object.new_ref(), name: wanted.name })?;
    taipan_syntax::validate::validate(&tree).map_err(|error| {
        let class: &taipan_object::Type =
            if error.is_type_error { &PyExc_TypeError } else { &PyExc_ValueError };
        PyErr::new(class, &error.message)
    })?;
    Ok(tree)
}

/// Makes sure that a node is the root that a mode of compilation wants.
///
/// # Errors
/// `TypeError` for another node.
pub(crate) fn check_root(object: &Object, mode: Mode) -> PyResult<&'static NodeDescription> {
    let wanted: &'static NodeDescription = match mode {
        Mode::Exec => &describe::MOD_MODULE,
        Mode::Eval => &describe::MOD_EXPRESSION,
        Mode::Single => &describe::MOD_INTERACTIVE,
        Mode::FuncType => &describe::MOD_FUNCTION_TYPE,
    };
    if let Some(class) = classes()?.nodes.get(&key(wanted))
        && !protocol::is_instance(object, &class.class)?
    {
        return Err(type_error(&format!(
            "expected {} node, got {}",
            wanted.name,
            object.ty().message_name()
        )));
    }
    Ok(wanted)
}

/// An object where a node is wanted; `name` is the class that it is a field of, for messages.
struct Node {
    object: Ref,
    name: &'static str,
}

impl Node {
    fn field(&self, node: &'static NodeDescription, field: usize) -> PyResult<Option<Ref>> {
        attribute(&self.object, &*text(node.fields[field].name)?)
    }

    fn number(&self, group: &GroupDescription, name: &str) -> PyResult<Option<i32>> {
        match attribute(&self.object, &*text(name)?)? {
            None => Ok(None),
            Some(value) if is_none(&value) && name.starts_with("end_") => Ok(None),
            Some(value) => int(&value, group.name).map(Some),
        }
    }
}

fn int(value: &Object, _: &str) -> PyResult<i32> {
    if value.downcast::<Int>().is_none() {
        return Err(value_error(&format!("invalid integer value: {}", value.repr()?.to_lossy())));
    }
    value.to_i32()
}

fn required(field: &FieldDescription, node: &NodeDescription) -> PyErr {
    raise!(PyExc_TypeError, "required field \"{}\" missing from {}", field.name, node.name)
}

impl Source for Node {
    type Error = PyErr;

    fn nested<T>(&self, build: impl FnOnce() -> PyResult<T>) -> PyResult<T> {
        protocol::recursive(&format!(" while traversing '{}' node", self.name), build)
    }

    fn range(&self, group: &'static GroupDescription) -> PyResult<Range> {
        if is_none(&self.object) {
            // The field that must not be None says so itself.
            return Ok(Range::default());
        }
        let missing =
            |name: &str| raise!(PyExc_TypeError, "required field \"{name}\" missing from {}", group.name);
        let lineno = self.number(group, "lineno")?.ok_or_else(|| missing("lineno"))?;
        let col_offset = self.number(group, "col_offset")?.ok_or_else(|| missing("col_offset"))?;
        Ok(Range {
            lineno,
            col_offset,
            end_lineno: self.number(group, "end_lineno")?.unwrap_or(lineno),
            end_col_offset: self.number(group, "end_col_offset")?.unwrap_or(col_offset),
        })
    }

    fn class(&self, group: &'static GroupDescription) -> PyResult<usize> {
        let classes = classes()?;
        for (index, &member) in group.members.iter().enumerate() {
            if let Some(node) = classes.nodes.get(&key(member))
                && protocol::is_instance(&self.object, &node.class)?
            {
                return Ok(index);
            }
        }
        if !group.is_sum {
            // Classes of their own are taken by their fields.
            return Ok(0);
        }
        Err(raise!(
            PyExc_TypeError,
            "expected some sort of {}, but got {}",
            group.name,
            self.object.repr()?.to_lossy()
        ))
    }

    fn one(&self, node: &'static NodeDescription, field: usize) -> PyResult<Self> {
        let description = &node.fields[field];
        let value = self.field(node, field)?.ok_or_else(|| required(description, node))?;
        if is_none(&value) && !matches!(description.kind, "constant" | "int") {
            return Err(value_error(&format!("field '{}' is required for {}", description.name, node.name)));
        }
        Ok(Node { object: value, name: node.name })
    }

    fn optional(&self, node: &'static NodeDescription, field: usize) -> PyResult<Option<Self>> {
        let value = self.field(node, field)?.filter(|value| !is_none(value));
        Ok(value.map(|object| Node { object, name: node.name }))
    }

    fn many(&self, node: &'static NodeDescription, field: usize) -> PyResult<Vec<Option<Self>>> {
        let description = &node.fields[field];
        // A list that is missing counts as empty.
        let Some(value) = self.field(node, field)? else { return Ok(Vec::new()) };
        let Some(list) = value.downcast::<List>() else {
            return Err(raise!(
                PyExc_TypeError,
                "{} field \"{}\" must be a list, not a {}",
                node.name,
                description.name,
                value.ty().message_name()
            ));
        };
        let items = list.to_vec();
        let count = items.len();
        let mut made = Vec::with_capacity(count);
        for item in items {
            if !is_none(&item) {
                made.push(Some(Node { object: item, name: node.name }));
                continue;
            }
            match (description.count, description.kind) {
                (taipan_syntax::ast::Count::ManyOptional, _) => made.push(None),
                (_, "expr") => return Err(value_error("None disallowed in expression list")),
                (_, "stmt") => return Err(value_error("None disallowed in statement list")),
                (_, kind) => return Err(value_error(&format!("None disallowed in {kind} list"))),
            }
        }
        if list.len() != count {
            return Err(runtime_error(&format!(
                "{} field \"{}\" changed size during iteration",
                node.name, description.name
            )));
        }
        Ok(made)
    }

    fn identifier(&self) -> PyResult<Identifier> {
        match self.object.downcast::<Str>() {
            Some(name) if name.is_exact(&PyUnicode_Type) => Ok(Identifier::from(name.to_utf8()?)),
            _ => Err(type_error("AST identifier must be of type str")),
        }
    }

    fn string(&self) -> PyResult<PyStr> {
        match self.object.downcast::<Str>() {
            Some(value) if value.is_exact(&PyUnicode_Type) => Ok(plain(value)),
            _ => Err(type_error("AST string must be of type str")),
        }
    }

    fn int(&self) -> PyResult<i32> {
        int(&self.object, self.name)
    }

    fn constant(&self) -> PyResult<Constant> {
        constant(&self.object)
    }
}

fn plain(value: &Str) -> PyStr {
    let mut text = taipan_text::PyStrBuilder::with_capacity(value.len());
    for point in value.code_points() {
        text.push_code_point(point);
    }
    text.take()
}

/// The constant of the syntax that an object is.
///
/// # Errors
/// `TypeError` for an object of another type.
pub(crate) fn constant(value: &Object) -> PyResult<Constant> {
    if is_none(value) {
        return Ok(Constant::None);
    }
    if value.is(ellipsis()) {
        return Ok(Constant::Ellipsis);
    }
    if value.is(bool_object(true)) || value.is(bool_object(false)) {
        return Ok(Constant::Bool(value.is(bool_object(true))));
    }
    if let Some(int) = value.downcast::<Int>().filter(|_| value.is_exact(&PyLong_Type)) {
        return Ok(match int.to_i64() {
            Some(small) => Constant::Int(small),
            None => {
                Constant::BigInt(Rc::new(BigInt { negative: int.is_negative(), digits: int.digits().into() }))
            }
        });
    }
    if value.is_exact(&PyFloat_Type) {
        return Ok(Constant::Float(value.to_f64()?));
    }
    if let Some(complex) = value.downcast::<Complex>().filter(|_| value.is_exact(&PyComplex_Type)) {
        let (real, imag) = complex.value();
        return Ok(Constant::Complex { real, imag });
    }
    if let Some(text) = value.downcast::<Str>().filter(|_| value.is_exact(&PyUnicode_Type)) {
        return Ok(Constant::Str(plain(text)));
    }
    if let Some(bytes) = value.downcast::<Bytes>().filter(|_| value.is_exact(&PyBytes_Type)) {
        return Ok(Constant::Bytes(bytes.as_slice().into()));
    }
    let items = match value.downcast::<Tuple>() {
        Some(tuple) if value.is_exact(&PyTuple_Type) => {
            Some(tuple.items().iter().map(|item| item.new_ref()).collect::<Vec<Ref>>())
        }
        _ if value.is_exact(&PyFrozenSet_Type) => Some(protocol::to_vec(value)?),
        _ => None,
    };
    let Some(items) = items else {
        return Err(raise!(
            PyExc_TypeError,
            "got an invalid type in Constant: {}",
            value.ty().message_name()
        ));
    };
    protocol::recursive(" during compilation", || {
        let all: Rc<[Constant]> = items.iter().map(|item| constant(item)).collect::<PyResult<_>>()?;
        Ok(if value.is_exact(&PyFrozenSet_Type) { Constant::FrozenSet(all) } else { Constant::Tuple(all) })
    })
}
