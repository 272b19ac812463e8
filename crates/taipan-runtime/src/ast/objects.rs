//! From a tree of the front end to node objects.

use super::{PLACE, base, classes, key, text};
use taipan_object::bytes::Bytes;
use taipan_object::err::system_error;
use taipan_object::float::{Complex, Float};
use taipan_object::int::Int;
use taipan_object::list::List;
use taipan_object::singletons::{ellipsis, new_bool, new_none};
use taipan_object::statics::PyFrozenSet_Type;
use taipan_object::tuple::Tuple;
use taipan_object::unicode::{self, Str};
use taipan_object::{PyResult, Ref, protocol};
use taipan_syntax::ast::{Constant, FieldRef, NodeRef, PyStr, describe};

/// The node object of a tree.
///
/// # Errors
/// `RecursionError` for trees that are too deep, `MemoryError`.
pub(crate) fn to_object(node: NodeRef<'_>) -> PyResult {
    protocol::recursive(" during ast construction", || {
        let description = node.description();
        let Some(class) = classes()?.nodes.get(&key(description)) else {
            return Err(system_error("a node class is missing"));
        };
        if let Some(single) = &class.single {
            return Ok(single.clone());
        }
        let made = base::new_node(&class.class)?;
        for (index, name) in class.fields.iter().enumerate() {
            let value = field(node.field(index))?;
            // An import without dots has level 0, a number and not None, as the parser gives it.
            made.setattr(name, Some(&value))?;
        }
        if let Some(range) = node.range() {
            let numbers = [range.lineno, range.col_offset, range.end_lineno, range.end_col_offset];
            for (name, number) in PLACE.iter().zip(numbers) {
                made.setattr(&*text(name)?, Some(&Int::from_i64(i64::from(number))))?;
            }
        }
        Ok(made)
    })
}

/// The one `Load()` that trees from the parser have.
pub(super) fn load() -> PyResult {
    match classes()?.nodes.get(&key(&describe::EXPR_CONTEXT_LOAD)).and_then(|node| node.single.clone()) {
        Some(load) => Ok(load),
        None => Err(system_error("a node class is missing")),
    }
}

fn field(value: FieldRef<'_>) -> PyResult {
    Ok(match value {
        FieldRef::None => new_none(),
        FieldRef::Node(node) => to_object(node)?,
        FieldRef::Nodes(nodes) => {
            let list = List::new()?;
            for index in 0..nodes.len() {
                list.append(match nodes.get(index) {
                    Some(node) => to_object(node)?,
                    None => new_none(),
                })?;
            }
            list.upcast()
        }
        FieldRef::Identifier(name) => unicode::intern(Str::from_utf8(name)?).upcast(),
        FieldRef::Identifiers(names) => {
            let list = List::new()?;
            for name in names {
                list.append(unicode::intern(Str::from_utf8(name)?).upcast())?;
            }
            list.upcast()
        }
        FieldRef::String(value) => string(value)?.upcast(),
        FieldRef::Int(value) => Int::from_i64(i64::from(value)).upcast(),
        FieldRef::Constant(value) => constant(value)?,
    })
}

fn string(value: &PyStr) -> PyResult<Ref<Str>> {
    taipan_eval::code::text(value)
}

fn constants(values: &[Constant]) -> PyResult<Ref<Tuple>> {
    let mut all = Vec::with_capacity(values.len());
    for value in values {
        all.push(constant(value)?);
    }
    Tuple::from_vec(all)
}

fn constant(value: &Constant) -> PyResult {
    Ok(match value {
        Constant::None => new_none(),
        Constant::Bool(value) => new_bool(*value),
        Constant::Ellipsis => ellipsis().new_ref(),
        Constant::Str(value) => string(value)?.upcast(),
        Constant::Bytes(value) => Bytes::new(value)?.upcast(),
        Constant::Int(value) => Int::from_i64(*value).upcast(),
        Constant::BigInt(value) => Int::from_digits(value.negative, &value.digits)?.upcast(),
        Constant::Float(value) => Float::new(*value).upcast(),
        Constant::Complex { real, imag } => Complex::new(*real, *imag)?.upcast(),
        Constant::Tuple(values) => constants(values)?.upcast(),
        Constant::FrozenSet(values) => PyFrozenSet_Type.call(&[&*constants(values)?])?,
    })
}
