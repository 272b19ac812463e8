//! `IsoCalendarDate`: a tuple of ISO year, week and weekday that also has their names.

use crate::arguments::{Form, with_call_args};
use crate::date::field;
use taipan_object::abi::Py_TPFLAGS_HAVE_GC;
use taipan_object::abi::Py_TPFLAGS_IMMUTABLETYPE;
use taipan_object::dict::Dict;
use taipan_object::err::PyResult;
use taipan_object::native::*;
use taipan_object::statics::{PyTuple_Type, StaticType, StaticTypeInit};
use taipan_object::tuple::Tuple;
use taipan_object::unicode::Str;
use taipan_object::{Object, Ref, Type};

static FORM: Form =
    Form { name: "IsoCalendarDate", params: &["year", "week", "weekday"], required: 3, positional: 3 };

/// The type object.
pub static ISO_WEEK: StaticType = StaticType::new(StaticTypeInit {
    name: c"datetime.IsoCalendarDate",
    basicsize: 40,
    itemsize: 8,
    dictoffset: 0,
    weaklistoffset: 0,
    vectorcall_offset: 0,
    flags: Py_TPFLAGS_IMMUTABLETYPE | Py_TPFLAGS_HAVE_GC,
    base: &raw const PyTuple_Type,
});

/// A new one of numbers.
pub fn make((year, week, weekday): (i32, i32, i32)) -> PyResult<Ref<Tuple>> {
    Tuple::of_type(&ISO_WEEK, &[&field(year), &field(week), &field(weekday)])
}

fn new(ty: &Type, args: &Tuple, kwargs: Option<&Dict>) -> PyResult<Ref<Tuple>> {
    with_call_args(args, kwargs, |args| {
        let mut given = FORM.call(args)?;
        let fields = [given.required()?, given.required()?, given.required()?];
        given.end()?;
        Tuple::of_type(ty, &fields)
    })
}

/// An item by its place; there always are three.
fn item<const PLACE: usize>(week: &Tuple) -> Option<Ref> {
    week.get(PLACE).map(Object::new_ref)
}

fn repr(week: &Tuple) -> PyResult<Ref<Str>> {
    let mut points: Vec<u32> = week.ty().full_name().chars().map(u32::from).collect();
    points.push('('.into());
    for (index, name) in FORM.params.iter().enumerate() {
        let separator = if index == 0 { "" } else { ", " };
        points.extend(format!("{separator}{name}=").chars().map(u32::from));
        if let Some(value) = week.get(index) {
            points.extend(value.repr()?.code_points());
        }
    }
    points.push(')'.into());
    Str::from_code_points(&points)
}

/// As the plain tuple it is.
fn reduce(week: &Tuple) -> PyResult<Ref<Tuple>> {
    let items = Tuple::from_refs(week.items())?;
    Tuple::from_array([PyTuple_Type.new_ref(), Tuple::from_array([items.upcast()])?.upcast()])
}

taipan_object::methods! {
    static METHODS = {
        noargs "__reduce__" "($self, /)" = reduce, "A plain tuple of the three numbers.";
    }
}

/// `IsoCalendarDate`.
pub static SPEC: TypeSpec = TypeSpec {
    doc: Some(c"What isocalendar() gives: a tuple of year, week and weekday as ISO 8601 counts them.\n\nThe items can also be reached by these names."),
    slots: &[tp_new(new), tp_repr(repr)],
    methods: METHODS,
    getset: &[
        crate::attribute(getset_row(c"year", item::<0>, c"")),
        crate::attribute(getset_row(c"week", item::<1>, c"")),
        crate::attribute(getset_row(c"weekday", item::<2>, c"")),
    ],
    ..TypeSpec::new(&ISO_WEEK)
};

/// Completes the class.
pub fn finish() -> PyResult<()> {
    let ty: &Type = &ISO_WEEK;
    ty.set_own("__module__", &*Str::from_utf8("datetime")?)
}
