//! `gc`: the cycle collector, as Python sees it.

use taipan_object::dict::Dict;
use taipan_object::err::value_error;
use taipan_object::gc::{self, GENERATIONS};
use taipan_object::int::Int;
use taipan_object::list::List;
use taipan_object::module::{Module, ModuleSpec};
use taipan_object::native::Args;
use taipan_object::singletons::is_none;
use taipan_object::tuple::Tuple;
use taipan_object::unicode::Str;
use taipan_object::{Object, PyResult, Ref, err, state};

fn collector() -> &'static gc::GcState {
    &state::interp().gc
}

fn notify(phase: &str, generation: usize, collected: usize, uncollectable: usize) -> PyResult<()> {
    let callbacks = collector().callbacks.borrow().clone();
    let Some(callbacks) = callbacks.and_then(|list| list.downcast_owned::<List>().ok()) else {
        return Ok(());
    };
    for callback in callbacks.to_vec() {
        let info = Dict::new()?;
        for (name, value) in
            [("generation", generation), ("collected", collected), ("uncollectable", uncollectable)]
        {
            info.set_text(name, &Int::from_usize(value))?;
        }
        if let Err(error) = callback.call(&[&*Str::from_utf8(phase)?, &*info]) {
            err::write_unraisable_at(error, "Exception ignored while calling GC callback", &callback);
        }
    }
    Ok(())
}

fn collect(_: &Object, args: &Args<'_>) -> PyResult<usize> {
    let generation = args.i32_or(0, GENERATIONS as i32 - 1)?;
    let Some(generation) = usize::try_from(generation).ok().filter(|g| *g < GENERATIONS) else {
        return Err(value_error("invalid generation"));
    };
    if gc::is_collecting() {
        return Ok(0);
    }
    notify("start", generation, 0, 0)?;
    let before = collector().stats[generation].get();
    let found = gc::collect(generation);
    let after = collector().stats[generation].get();
    notify(
        "stop",
        generation,
        after.collected - before.collected,
        after.uncollectable - before.uncollectable,
    )?;
    Ok(found)
}

fn get_count(_: &Object) -> PyResult<Ref<Tuple>> {
    let gc = collector();
    Tuple::from_array([0, 1, 2].map(|at| Int::from_i64(i64::from(gc.count[at].get())).upcast()))
}

fn get_threshold(_: &Object) -> PyResult<Ref<Tuple>> {
    let gc = collector();
    Tuple::from_array([0, 1, 2].map(|at| Int::from_i64(i64::from(gc.threshold[at].get())).upcast()))
}

fn set_threshold(_: &Object, args: &Args<'_>) -> PyResult<()> {
    let gc = collector();
    for at in 0..GENERATIONS {
        let value = args.i32_or(at, gc.threshold[at].get())?;
        gc.threshold[at].set(value);
    }
    Ok(())
}

fn get_objects(_: &Object, args: &Args<'_>) -> PyResult<Ref<List>> {
    let generation = match args.get_some(0) {
        None => None,
        Some(generation) => match generation.to_isize()? {
            value if value < 0 => return Err(value_error("generation parameter cannot be negative")),
            value if value >= GENERATIONS.cast_signed() => {
                return Err(value_error(&format!(
                    "generation parameter must be less than the number of available generations ({GENERATIONS})"
                )));
            }
            value => Some(value.cast_unsigned()),
        },
    };
    List::from_vec(collector().objects(generation))
}

fn get_stats(_: &Object) -> PyResult<Ref<List>> {
    let mut all = Vec::new();
    for stats in &collector().stats {
        let stats = stats.get();
        let row = Dict::new()?;
        for (name, value) in [
            ("collections", stats.collections),
            ("collected", stats.collected),
            ("uncollectable", stats.uncollectable),
        ] {
            row.set_text(name, &Int::from_usize(value))?;
        }
        all.push(row.upcast());
    }
    List::from_vec(all)
}

fn get_referents(_: &Object, objects: &[&Object]) -> PyResult<Ref<List>> {
    let mut all = Vec::new();
    for object in objects {
        all.extend(gc::referents(object));
    }
    List::from_vec(all)
}

fn get_referrers(_: &Object, objects: &[&Object]) -> PyResult<Ref<List>> {
    let mut all = Vec::new();
    for candidate in collector().objects(None) {
        let held = gc::referents(&candidate);
        if objects.iter().any(|object| held.iter().any(|other| other.is(object))) {
            all.push(candidate);
        }
    }
    List::from_vec(all)
}

taipan_object::methods! { static METHODS = {
    noargs "enable" "($module, /)" = |_: &Object| collector().enabled.set(true), "Collect automatically.";
    noargs "disable" "($module, /)" = |_: &Object| collector().enabled.set(false), "Do not collect automatically.";
    noargs "isenabled" "($module, /)" = |_: &Object| collector().enabled.get(), "Whether collection is automatic.";
    one "set_debug" "($module, flags, /)" = |_: &Object, flags: &Object| -> PyResult<()> {
        collector().debug.set(flags.to_i32()?);
        Ok(())
    }, "Set the debugging flags.";
    noargs "get_debug" "($module, /)" = |_: &Object| collector().debug.get(), "The debugging flags.";
    noargs "get_count" "($module, /)" = get_count, "The counters of the three generations.";
    args "set_threshold" "($module, threshold0, threshold1=10, threshold2=0, /)" = set_threshold, "Set when each generation is collected.";
    noargs "get_threshold" "($module, /)" = get_threshold, "When each generation is collected.";
    args "collect" "($module, /, generation=2)" = collect, "Collect now; gives how many objects were unreachable.";
    args "get_objects" "($module, /, generation=None)" = get_objects, "All objects that the collector watches.";
    noargs "get_stats" "($module, /)" = get_stats, "Figures for each generation.";
    one "is_tracked" "($module, obj, /)" = |_: &Object, object: &Object| gc::is_gc(object) && gc::is_tracked(object), "Whether the collector watches an object.";
    one "is_finalized" "($module, obj, /)" = |_: &Object, object: &Object| gc::is_gc(object) && gc::is_finalized(object), "Whether an object's finaliser has been called.";
    many "get_referrers" "($module, /, *objs)" = get_referrers, "The objects that refer to any of these.";
    many "get_referents" "($module, /, *objs)" = get_referents, "The objects that these refer to.";
    noargs "freeze" "($module, /)" = |_: &Object| collector().freeze(), "Take all objects out of the collector's sight.";
    noargs "unfreeze" "($module, /)" = |_: &Object| collector().unfreeze(), "Put frozen objects into the oldest generation.";
    noargs "get_freeze_count" "($module, /)" = |_: &Object| collector().frozen(), "How many objects are frozen.";
} }

fn init(module: &Module) -> PyResult<()> {
    let gc = collector();
    for (name, place) in [("garbage", &gc.garbage), ("callbacks", &gc.callbacks)] {
        let list = match place.borrow().clone() {
            Some(list) if !is_none(&list) => list,
            _ => List::new()?.upcast(),
        };
        *place.borrow_mut() = Some(list.clone());
        module.add(name, &list)?;
    }
    for (name, value) in [
        ("DEBUG_STATS", 1),
        ("DEBUG_COLLECTABLE", 2),
        ("DEBUG_UNCOLLECTABLE", 4),
        ("DEBUG_SAVEALL", 32),
        ("DEBUG_LEAK", 38),
    ] {
        module.add(name, &Int::from_i64(value))?;
    }
    Ok(())
}

/// `gc`.
pub static SPEC: ModuleSpec =
    ModuleSpec { name: "gc", doc: "The collector of cyclic garbage.", methods: METHODS, init };
