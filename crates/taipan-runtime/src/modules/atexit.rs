//! `atexit`: functions to call when the interpreter ends, the last one first.

use core::cell::RefCell;
use taipan_object::dict::Dict;
use taipan_object::err::type_error;
use taipan_object::module::{Module, ModuleSpec};
use taipan_object::native::CallArgs;
use taipan_object::tuple::Tuple;
use taipan_object::{Object, PyResult, Ref, err, protocol, state};

struct Entry {
    function: Ref,
    args: Ref<Tuple>,
    kwargs: Option<Ref<Dict>>,
}

#[derive(Default)]
struct Entries(RefCell<Vec<Entry>>);

fn entries() -> &'static Entries {
    state::interp().extension(Entries::default)
}

fn register(_: &Object, args: CallArgs<'_>) -> PyResult {
    let Some((function, rest)) = args.positional().split_first() else {
        return Err(type_error("register() takes at least 1 argument (0 given)"));
    };
    if !function.is_callable() {
        return Err(type_error("the first argument must be callable"));
    }
    let entry =
        Entry { function: function.new_ref(), args: Tuple::from_refs(rest)?, kwargs: args.keywords_dict()? };
    entries().0.borrow_mut().push(entry);
    Ok(function.new_ref())
}

/// Calls every registered function. An exception is reported and the next function called.
pub(crate) fn run() {
    loop {
        // Functions may register more functions.
        let Some(entry) = entries().0.borrow_mut().pop() else { return };
        if let Err(error) = protocol::call_with_dict(&entry.function, &entry.args, entry.kwargs.as_deref()) {
            err::write_unraisable_at(error, "Exception ignored in atexit callback", &entry.function);
        }
    }
}

fn unregister(_: &Object, function: &Object) -> PyResult<()> {
    let mut at = 0;
    loop {
        let candidate = match entries().0.borrow().get(at) {
            Some(entry) => entry.function.clone(),
            None => return Ok(()),
        };
        // The comparison may run Python code, which may change the list.
        if candidate.equals(function)? {
            let mut all = entries().0.borrow_mut();
            if all.get(at).is_some_and(|entry| entry.function.is(&candidate)) {
                let gone = all.remove(at);
                drop(all);
                drop(gone);
                continue;
            }
        }
        at += 1;
    }
}

fn clear(_: &Object) {
    let gone = entries().0.take();
    drop(gone);
}

taipan_object::methods! { static METHODS = {
    keywords "register" "($module, func, /, *args, **kwargs)" = register, "Have a function called when the interpreter ends.";
    one "unregister" "($module, func, /)" = unregister, "Forget a registered function.";
    noargs "_clear" "($module, /)" = clear, "Forget all registered functions.";
    noargs "_run_exitfuncs" "($module, /)" = |_: &Object| run(), "Call all registered functions now.";
    noargs "_ncallbacks" "($module, /)" = |_: &Object| entries().0.borrow().len(), "How many functions are registered.";
} }

fn init(_: &Module) -> PyResult<()> {
    Ok(())
}

/// `atexit`.
pub static SPEC: ModuleSpec =
    ModuleSpec { name: "atexit", doc: "Functions to call at exit.", methods: METHODS, init };
