//! `object.__dir__`: the instance's names and those of its class and every base.

use taipan_object::dict::Dict;
use taipan_object::list::List;
use taipan_object::singletons::none;
use taipan_object::tuple::Tuple;
use taipan_object::{Object, PyResult, Ref, intern, protocol};

pub(super) fn object_dir(object: &Object) -> PyResult<Ref<List>> {
    let names = match object.getattr_opt(intern!("__dict__"))? {
        Some(dict) => match dict.downcast::<Dict>() {
            Some(dict) => dict.copy()?,
            None => Dict::new()?,
        },
        None => Dict::new()?,
    };
    if let Some(class) = object.getattr_opt(intern!("__class__"))? {
        merge_class_names(&names, &class)?;
    }
    List::from_vec(names.items_vec().into_iter().map(|(name, _)| name).collect())
}

/// Adds the names of a class and of its bases, in the order of a walk from the class upwards.
pub(crate) fn merge_class_names(names: &Dict, class: &Object) -> PyResult<()> {
    protocol::recursive("", || {
        if let Some(dict) = class.getattr_opt(intern!("__dict__"))? {
            for name in protocol::to_vec(&dict)? {
                names.set(&name, none())?;
            }
        }
        let bases = class.getattr_opt(intern!("__bases__"))?;
        // Things that are no classes may have any `__bases__`; only tuples are followed.
        if let Some(bases) = bases.and_then(|bases| bases.downcast_owned::<Tuple>().ok()) {
            for base in bases.items() {
                merge_class_names(names, base)?;
            }
        }
        Ok(())
    })
}
