//! `_string`: how `string.Formatter` takes templates and field names apart.

use core::cell::{Cell, RefCell};
use taipan_format::fields::{First, Part, Template, split_name};
use taipan_object::int::Int;
use taipan_object::module::{Module, ModuleSpec};
use taipan_object::native::*;
use taipan_object::singletons::{new_bool, new_none};
use taipan_object::statics::{PyExc_TypeError, StaticType};
use taipan_object::tuple::Tuple;
use taipan_object::unicode::Str;
use taipan_object::{Object, PyResult, Ref, TypeSpec, abi, err, methods, raise};

/// Items that were found before an error, and the error.
#[derive(Default)]
struct Found {
    items: RefCell<Vec<Ref>>,
    next: Cell<usize>,
    error: Cell<Option<&'static str>>,
}

impl Found {
    fn step(&self) -> PyResult<Option<Ref>> {
        let at = self.next.get();
        if let Some(item) = self.items.borrow().get(at) {
            self.next.set(at + 1);
            return Ok(Some(item.clone()));
        }
        self.error.take().map_or(Ok(None), |message| Err(err::value_error(message)))
    }
}

macro_rules! iterator {
    ($payload:ident, $ty:ident, $spec:ident, $python:literal) => {
        #[derive(Default)]
        struct $payload(Found);
        static $ty: StaticType = StaticType::native(
            $python,
            Native::<$payload>::SIZE,
            abi::Py_TPFLAGS_HAVE_GC | abi::Py_TPFLAGS_DISALLOW_INSTANTIATION,
        );
        impl Payload for $payload {
            const TYPE: &'static StaticType = &$ty;
            fn traverse(&self, visitor: &mut Visitor) {
                self.0.items.show(visitor);
            }
            fn clear(&self) {
                self.0.items.release();
            }
        }
        static $spec: TypeSpec = TypeSpec {
            slots: &[
                Native::<$payload>::DEALLOC,
                Native::<$payload>::TRAVERSE,
                Native::<$payload>::CLEAR,
                tp_iter(|it: &Native<$payload>| it.object().new_ref()),
                tp_iternext(|it: &Native<$payload>| it.0.step()),
            ],
            ..TypeSpec::new(&$ty)
        };
    };
}

iterator!(FormatterIterator, FORMATTER_ITERATOR, FORMATTER_SPEC, c"formatteriterator");
iterator!(FieldIterator, FIELD_ITERATOR, FIELD_SPEC, c"fieldnameiterator");

fn text_of(points: &[u32]) -> PyResult<Ref> {
    Str::from_code_points(points).map(Ref::upcast)
}

fn str_of(object: &Object) -> PyResult<Vec<u32>> {
    match object.downcast::<Str>() {
        Some(text) => Ok(text.code_points().collect()),
        None => Err(raise!(PyExc_TypeError, "expected str, got {}", object.ty().message_name())),
    }
}

fn formatter_parser(_: &Object, template: &Object) -> PyResult {
    let points = str_of(template)?;
    let found = Found::default();
    for step in Template::new(&points) {
        let step = match step {
            Ok(step) => step,
            Err(message) => {
                found.error.set(Some(message));
                break;
            }
        };
        let literal = text_of(&points[step.literal])?;
        let item = match step.field {
            None => [literal, new_none(), new_none(), new_none()],
            Some(field) => {
                let conversion = field.conversion.map_or_else(|| Ok(new_none()), |c| text_of(&[c]))?;
                [literal, text_of(&points[field.name])?, text_of(&points[field.spec])?, conversion]
            }
        };
        let item = Tuple::from_array(item)?.upcast();
        found.items.borrow_mut().push(item);
    }
    native_new(&FORMATTER_ITERATOR, FormatterIterator(found))?.into_py()
}

fn formatter_field_name_split(_: &Object, name: &Object) -> PyResult {
    let points = str_of(name)?;
    let (first, parts) = split_name(&points, 0..points.len()).map_err(err::value_error)?;
    let first = match first {
        First::Auto => Str::from_utf8("")?.upcast(),
        First::Index(index) => Int::from_usize(index).upcast(),
        First::Name(range) => text_of(&points[range])?,
    };
    let found = Found::default();
    for part in parts {
        let (attribute, value) = match part {
            Ok(Part::Attribute(range)) => (true, text_of(&points[range])?),
            Ok(Part::Index(index)) => (false, Int::from_usize(index).upcast()),
            Ok(Part::Key(range)) => (false, text_of(&points[range])?),
            Err(message) => {
                found.error.set(Some(message));
                break;
            }
        };
        let item = Tuple::from_array([new_bool(attribute), value])?.upcast();
        found.items.borrow_mut().push(item);
    }
    let rest = native_new(&FIELD_ITERATOR, FieldIterator(found))?;
    Tuple::from_array([first, rest.upcast()])?.into_py()
}

methods! {
    static METHODS = {
        one "formatter_parser" "($module, object, /)" = formatter_parser,
            "Take a template apart: tuples of literal text, field name, specification, conversion.";
        one "formatter_field_name_split" "($module, object, /)" = formatter_field_name_split,
            "Take a field name apart: what comes first, and an iterator over the rest.";
    }
}

fn init(_: &Module) -> PyResult<()> {
    make_ready(&FORMATTER_SPEC)?;
    make_ready(&FIELD_SPEC)
}

/// `_string`.
pub static SPEC: ModuleSpec =
    ModuleSpec { name: "_string", doc: "What string.Formatter is made with.", methods: METHODS, init };
