//! Globals, names, cells and attributes.

use super::*;

instructions! {
    load_global: LOAD_GLOBAL;
    load_global_module: LOAD_GLOBAL_MODULE;
    load_global_builtin: LOAD_GLOBAL_BUILTIN;
    load_name: LOAD_NAME;
    load_from_dict_or_globals: LOAD_FROM_DICT_OR_GLOBALS;
    store_name: STORE_NAME;
    delete_name: DELETE_NAME;
    store_global: STORE_GLOBAL;
    delete_global: DELETE_GLOBAL;
    load_locals: LOAD_LOCALS;
    load_build_class: LOAD_BUILD_CLASS;
    load_common_constant: LOAD_COMMON_CONSTANT;
    make_cell: MAKE_CELL;
    copy_free_vars: COPY_FREE_VARS;
    load_deref: LOAD_DEREF;
    store_deref: STORE_DEREF;
    delete_deref: DELETE_DEREF;
    load_from_dict_or_deref: LOAD_FROM_DICT_OR_DEREF;
    load_attr: LOAD_ATTR, LOAD_ATTR_GETATTRIBUTE_OVERRIDDEN;
    load_attr_with_hint: LOAD_ATTR_WITH_HINT;
    load_attr_method_lazy_dict: LOAD_ATTR_METHOD_LAZY_DICT;
    load_attr_instance_value: LOAD_ATTR_INSTANCE_VALUE;
    load_attr_slot: LOAD_ATTR_SLOT;
    load_attr_class: LOAD_ATTR_CLASS;
    load_attr_class_checked: LOAD_ATTR_CLASS_WITH_METACLASS_CHECK;
    load_attr_module: LOAD_ATTR_MODULE;
    load_attr_nondescriptor_no_dict: LOAD_ATTR_NONDESCRIPTOR_NO_DICT;
    load_attr_nondescriptor_with_values: LOAD_ATTR_NONDESCRIPTOR_WITH_VALUES;
    load_attr_method_no_dict: LOAD_ATTR_METHOD_NO_DICT;
    load_attr_method_with_values: LOAD_ATTR_METHOD_WITH_VALUES;
    load_attr_property: LOAD_ATTR_PROPERTY;
    store_attr: STORE_ATTR;
    store_attr_with_hint: STORE_ATTR_WITH_HINT;
    store_attr_instance_value: STORE_ATTR_INSTANCE_VALUE;
    store_attr_slot: STORE_ATTR_SLOT;
    delete_attr: DELETE_ATTR;
    load_super_attr: LOAD_SUPER_ATTR, LOAD_SUPER_ATTR_ATTR, LOAD_SUPER_ATTR_METHOD;
    load_special: LOAD_SPECIAL;
}

/// `LOAD_GLOBAL`.
#[inline(always)]
unsafe fn load_global(mut vm: Step) -> Next {
    // SAFETY: see the invariants of the interpreter.
    unsafe {
        save!(vm);
        let value = check!(vm, sp::load_global(vm.frame, vm.ip, vm.oparg >> 1));
        push!(vm, StackRef::owned(value));
        if vm.oparg & 1 != 0 {
            push!(vm, StackRef::NULL);
        }
        next!(vm, 4);
    }
}

/// `LOAD_GLOBAL_MODULE`.
#[inline(always)]
unsafe fn load_global_module(mut vm: Vm) -> Next {
    // SAFETY: see the invariants of the interpreter.
    unsafe {
        let globals: &Dict = Object::borrow((*vm.frame).f_globals).cast();
        if let Some(value) = globals.cached_value(u32::from(*vm.ip.add(3)), usize::from(*vm.ip.add(2))) {
            push!(vm, StackRef::owned(value.new_ref()));
            if vm.oparg & 1 != 0 {
                push!(vm, StackRef::NULL);
            }
            next!(vm, 4);
        }
        deopt!(vm, op::LOAD_GLOBAL);
    }
}

/// `LOAD_GLOBAL_BUILTIN`.
#[inline(always)]
unsafe fn load_global_builtin(mut vm: Vm) -> Next {
    // SAFETY: see the invariants of the interpreter.
    unsafe {
        let globals: &Dict = Object::borrow((*vm.frame).f_globals).cast();
        // Another function with this code may have builtins of another kind.
        let builtins = Object::borrow((*vm.frame).f_builtins).downcast::<Dict>();
        if let Some(builtins) = builtins
            && globals.has_keys_version(u32::from(*vm.ip.add(3)))
            && let Some(value) = builtins.cached_value(u32::from(*vm.ip.add(4)), usize::from(*vm.ip.add(2)))
        {
            push!(vm, StackRef::owned(value.new_ref()));
            if vm.oparg & 1 != 0 {
                push!(vm, StackRef::NULL);
            }
            next!(vm, 4);
        }
        deopt!(vm, op::LOAD_GLOBAL);
    }
}

/// `LOAD_NAME`.
#[inline(always)]
unsafe fn load_name(mut vm: Step) -> Next {
    // SAFETY: see the invariants of the interpreter.
    unsafe {
        save!(vm);
        let value = check!(vm, ops::load_name(vm.frame, vm.oparg));
        push!(vm, StackRef::owned(value));
        next!(vm, 0);
    }
}

/// `LOAD_FROM_DICT_OR_GLOBALS`.
#[inline(always)]
unsafe fn load_from_dict_or_globals(vm: Step) -> Next {
    // SAFETY: see the invariants of the interpreter.
    unsafe {
        save!(vm);
        let mapping = peek!(vm, 1);
        let value = check!(vm, ops::load_from_dict_or_globals(vm.frame, &mapping.look(), vm.oparg));
        peek!(vm, 1) = StackRef::owned(value);
        mapping.close();
        next!(vm, 0);
    }
}

/// `STORE_NAME`.
#[inline(always)]
unsafe fn store_name(mut vm: Step) -> Next {
    // SAFETY: see the invariants of the interpreter.
    unsafe {
        save!(vm);
        let value = peek!(vm, 1);
        check!(vm, ops::store_name(vm.frame, vm.oparg, Some(&value.look())));
        vm.sp = vm.sp.sub(1);
        value.close();
        next!(vm, 0);
    }
}

/// `DELETE_NAME`.
#[inline(always)]
unsafe fn delete_name(vm: Step) -> Next {
    // SAFETY: see the invariants of the interpreter.
    unsafe {
        save!(vm);
        check!(vm, ops::store_name(vm.frame, vm.oparg, None));
        next!(vm, 0);
    }
}

/// `STORE_GLOBAL`.
#[inline(always)]
unsafe fn store_global(mut vm: Step) -> Next {
    // SAFETY: see the invariants of the interpreter.
    unsafe {
        save!(vm);
        let value = peek!(vm, 1);
        let name: &Str = Frame::code(vm.frame).names().items()[vm.oparg].cast();
        check!(vm, Frame::globals(vm.frame).set_str(name, &value.look()));
        vm.sp = vm.sp.sub(1);
        value.close();
        next!(vm, 0);
    }
}

/// `DELETE_GLOBAL`.
#[inline(always)]
unsafe fn delete_global(vm: Step) -> Next {
    // SAFETY: see the invariants of the interpreter.
    unsafe {
        save!(vm);
        check!(vm, ops::delete_global(vm.frame, vm.oparg));
        next!(vm, 0);
    }
}

/// `LOAD_LOCALS`.
#[inline(always)]
unsafe fn load_locals(mut vm: Vm) -> Next {
    // SAFETY: see the invariants of the interpreter.
    unsafe {
        save!(vm);
        let found = check!(vm, ops::load_locals(vm.frame));
        push!(vm, StackRef::owned(found));
        next!(vm, 0);
    }
}

/// `LOAD_BUILD_CLASS`.
#[inline(always)]
unsafe fn load_build_class(mut vm: Step) -> Next {
    // SAFETY: see the invariants of the interpreter.
    unsafe {
        save!(vm);
        let found = check!(vm, ops::load_build_class(vm.frame));
        push!(vm, StackRef::owned(found));
        next!(vm, 0);
    }
}

/// `LOAD_COMMON_CONSTANT`.
#[inline(always)]
unsafe fn load_common_constant(mut vm: Step) -> Next {
    // SAFETY: see the invariants of the interpreter.
    unsafe {
        push!(vm, StackRef::owned(check!(vm, ops::common_constant(vm.oparg))));
        next!(vm, 0);
    }
}

/// `MAKE_CELL`.
#[inline(always)]
unsafe fn make_cell(vm: Step) -> Next {
    // SAFETY: see the invariants of the interpreter.
    unsafe {
        save!(vm);
        let initial = local!(vm, vm.oparg).replace(StackRef::NULL);
        let cell = check!(vm, ops::new_cell(initial.into_ref_opt()));
        local!(vm, vm.oparg).write(StackRef::owned(cell));
        next!(vm, 0);
    }
}

/// `COPY_FREE_VARS`.
#[inline(always)]
unsafe fn copy_free_vars(vm: Vm) -> Next {
    // SAFETY: see the invariants of the interpreter.
    unsafe {
        let function: &Function = (*vm.frame).f_funcobj.object().cast();
        if let Some(closure) = function.closure() {
            let start = Frame::code(vm.frame).nlocalsplus() - vm.oparg;
            for (index, cell) in closure.items().iter().enumerate().take(vm.oparg) {
                local!(vm, start + index).write(StackRef::owned(cell.new_ref()));
            }
        }
        next!(vm, 0);
    }
}

/// `LOAD_DEREF`.
#[inline(always)]
unsafe fn load_deref(mut vm: Step) -> Next {
    // SAFETY: see the invariants of the interpreter.
    unsafe {
        let cell = (*local!(vm, vm.oparg)).ptr().cast::<PyCellObject>();
        match Object::borrow_opt((*cell).ob_ref) {
            Some(value) => push!(vm, StackRef::owned(value.new_ref())),
            None => {
                save!(vm);
                raise!(vm, ops::unbound_deref(vm.frame, vm.oparg));
            }
        }
        next!(vm, 0);
    }
}

/// `STORE_DEREF`.
#[inline(always)]
unsafe fn store_deref(mut vm: Vm) -> Next {
    // SAFETY: see the invariants of the interpreter.
    unsafe {
        let value = pop!(vm).into_ref();
        save!(vm);
        let cell = (*local!(vm, vm.oparg)).ptr().cast::<PyCellObject>();
        taipan_object::handle::set_field(&raw mut (*cell).ob_ref, Some(value));
        next!(vm, 0);
    }
}

/// `DELETE_DEREF`.
#[inline(always)]
unsafe fn delete_deref(vm: Step) -> Next {
    // SAFETY: see the invariants of the interpreter.
    unsafe {
        save!(vm);
        let cell = (*local!(vm, vm.oparg)).ptr().cast::<PyCellObject>();
        if (*cell).ob_ref.is_null() {
            raise!(vm, ops::unbound_deref(vm.frame, vm.oparg));
        }
        taipan_object::handle::clear_field(&raw mut (*cell).ob_ref);
        next!(vm, 0);
    }
}

/// `LOAD_FROM_DICT_OR_DEREF`.
#[inline(always)]
unsafe fn load_from_dict_or_deref(vm: Step) -> Next {
    // SAFETY: see the invariants of the interpreter.
    unsafe {
        save!(vm);
        let mapping = peek!(vm, 1);
        let value = check!(vm, ops::load_from_dict_or_deref(vm.frame, &mapping.look(), vm.oparg));
        peek!(vm, 1) = StackRef::owned(value);
        mapping.close();
        next!(vm, 0);
    }
}

/// `LOAD_ATTR`, `LOAD_ATTR_GETATTRIBUTE_OVERRIDDEN`.
#[inline(always)]
unsafe fn load_attr(mut vm: Step) -> Next {
    // SAFETY: see the invariants of the interpreter.
    unsafe {
        let owner = peek!(vm, 1);
        save!(vm);
        let name: &Str = Frame::code(vm.frame).names().items()[vm.oparg >> 1].cast();
        let look = owner.look();
        let (value, bound) = check!(vm, sp::load_attr(&look, name, vm.oparg & 1 != 0, vm.ip));
        drop(look);
        peek!(vm, 1) = StackRef::owned(value);
        if bound {
            push!(vm, owner);
        } else {
            if vm.oparg & 1 != 0 {
                push!(vm, StackRef::NULL);
            }
            save!(vm);
            owner.close();
        }
        next!(vm, 9);
    }
}

/// `LOAD_ATTR_INSTANCE_VALUE`.
#[inline(always)]
unsafe fn load_attr_instance_value(mut vm: Vm) -> Next {
    // SAFETY: see the invariants of the interpreter.
    unsafe {
        attr_arm!(vm, sp::instance_value);
    }
}

/// `LOAD_ATTR_WITH_HINT`.
#[inline(always)]
unsafe fn load_attr_with_hint(mut vm: Vm) -> Next {
    // SAFETY: see the invariants of the interpreter.
    unsafe {
        let owner = peek!(vm, 1);
        let name: &Str = Frame::code(vm.frame).names().items()[vm.oparg >> 1].cast();
        if let Some(place) = sp::hinted_place(owner, vm.ip.add(1), name) {
            peek!(vm, 1) = StackRef::owned(Object::borrow(place.read()).new_ref());
            if vm.oparg & 1 != 0 {
                push!(vm, StackRef::NULL);
            }
            save!(vm);
            owner.close();
            next!(vm, 9);
        }
        deopt!(vm, op::LOAD_ATTR);
    }
}

/// `LOAD_ATTR_SLOT`.
#[inline(always)]
unsafe fn load_attr_slot(mut vm: Vm) -> Next {
    // SAFETY: see the invariants of the interpreter.
    unsafe {
        attr_arm!(vm, sp::slot_value);
    }
}

/// `LOAD_ATTR_CLASS`.
#[inline(always)]
unsafe fn load_attr_class(mut vm: Vm) -> Next {
    // SAFETY: see the invariants of the interpreter.
    unsafe {
        attr_arm!(vm, sp::class_value);
    }
}

/// `LOAD_ATTR_CLASS_WITH_METACLASS_CHECK`.
#[inline(always)]
unsafe fn load_attr_class_checked(mut vm: Vm) -> Next {
    // SAFETY: see the invariants of the interpreter.
    unsafe {
        attr_arm!(vm, sp::class_value_checked);
    }
}

/// `LOAD_ATTR_MODULE`.
#[inline(always)]
unsafe fn load_attr_module(mut vm: Vm) -> Next {
    // SAFETY: see the invariants of the interpreter.
    unsafe {
        attr_arm!(vm, sp::module_value);
    }
}

/// `LOAD_ATTR_NONDESCRIPTOR_NO_DICT`.
#[inline(always)]
unsafe fn load_attr_nondescriptor_no_dict(mut vm: Vm) -> Next {
    // SAFETY: see the invariants of the interpreter.
    unsafe {
        attr_arm!(vm, sp::type_value);
    }
}

/// `LOAD_ATTR_NONDESCRIPTOR_WITH_VALUES`.
#[inline(always)]
unsafe fn load_attr_nondescriptor_with_values(mut vm: Vm) -> Next {
    // SAFETY: see the invariants of the interpreter.
    unsafe {
        attr_arm!(vm, sp::type_value_unhidden);
    }
}

/// `LOAD_ATTR_METHOD_NO_DICT`.
#[inline(always)]
unsafe fn load_attr_method_no_dict(mut vm: Vm) -> Next {
    // SAFETY: see the invariants of the interpreter.
    unsafe {
        let owner = peek!(vm, 1);
        if let Some(method) = sp::type_value(owner, vm.ip.add(1)) {
            peek!(vm, 1) = method;
            push!(vm, owner);
            next!(vm, 9);
        }
        deopt!(vm, op::LOAD_ATTR);
    }
}

/// `LOAD_ATTR_METHOD_WITH_VALUES`.
#[inline(always)]
unsafe fn load_attr_method_with_values(mut vm: Vm) -> Next {
    // SAFETY: see the invariants of the interpreter.
    unsafe {
        let owner = peek!(vm, 1);
        if let Some(method) = sp::type_value_unhidden(owner, vm.ip.add(1)) {
            peek!(vm, 1) = method;
            push!(vm, owner);
            next!(vm, 9);
        }
        deopt!(vm, op::LOAD_ATTR);
    }
}

/// `LOAD_ATTR_METHOD_LAZY_DICT`.
#[inline(always)]
unsafe fn load_attr_method_lazy_dict(mut vm: Vm) -> Next {
    // SAFETY: see the invariants of the interpreter.
    unsafe {
        let owner = peek!(vm, 1);
        if let Some(method) = sp::type_value_without_dict(owner, vm.ip.add(1)) {
            peek!(vm, 1) = method;
            push!(vm, owner);
            next!(vm, 9);
        }
        deopt!(vm, op::LOAD_ATTR);
    }
}

/// `LOAD_ATTR_PROPERTY`.
#[inline(always)]
unsafe fn load_attr_property(mut vm: Vm) -> Next {
    // SAFETY: see the invariants of the interpreter.
    unsafe {
        let owner = peek!(vm, 1);
        if let Some(getter) = sp::property_getter(owner, vm.ip.add(1)) {
            let function: &Function = getter.object().cast();
            vm.sp = vm.sp.sub(1);
            let mut words = [owner];
            save!(vm);
            if let Some(new) =
                crate::call::push_exact(vm.thread, getter, function.code(), words.as_mut_ptr(), 1, vm.frame)
            {
                enter!(vm, new, 9);
            }
            getter.close();
            vm.sp = vm.sp.add(1);
        }
        deopt!(vm, op::LOAD_ATTR);
    }
}

/// `STORE_ATTR`.
#[inline(always)]
unsafe fn store_attr(mut vm: Step) -> Next {
    // SAFETY: see the invariants of the interpreter.
    unsafe {
        let (value, owner) = (peek!(vm, 2), peek!(vm, 1));
        save!(vm);
        let name: &Str = Frame::code(vm.frame).names().items()[vm.oparg].cast();
        let look = owner.look();
        check!(vm, look.setattr(name, Some(&value.look())));
        sp::specialize_store_attr(&look, name, vm.ip);
        drop(look);
        vm.sp = vm.sp.sub(2);
        save!(vm);
        value.close();
        owner.close();
        next!(vm, 4);
    }
}

/// `STORE_ATTR_INSTANCE_VALUE`.
#[inline(always)]
unsafe fn store_attr_instance_value(mut vm: Vm) -> Next {
    // SAFETY: see the invariants of the interpreter.
    unsafe {
        let (value, owner) = (peek!(vm, 2), peek!(vm, 1));
        if let Some((values, position)) = sp::instance_place(owner, vm.ip.add(1)) {
            vm.sp = vm.sp.sub(2);
            save!(vm);
            taipan_object::instance::store_inline(owner.object(), values, position, value.into_ref());
            owner.close();
            next!(vm, 4);
        }
        deopt!(vm, op::STORE_ATTR);
    }
}

/// `STORE_ATTR_WITH_HINT`.
#[inline(always)]
unsafe fn store_attr_with_hint(mut vm: Vm) -> Next {
    // SAFETY: see the invariants of the interpreter.
    unsafe {
        let (value, owner) = (peek!(vm, 2), peek!(vm, 1));
        let name: &Str = Frame::code(vm.frame).names().items()[vm.oparg].cast();
        if let Some(place) = sp::hinted_place(owner, vm.ip.add(1), name) {
            vm.sp = vm.sp.sub(2);
            save!(vm);
            taipan_object::handle::set_field(place, Some(value.into_ref()));
            owner.close();
            next!(vm, 4);
        }
        deopt!(vm, op::STORE_ATTR);
    }
}

/// `STORE_ATTR_SLOT`.
#[inline(always)]
unsafe fn store_attr_slot(mut vm: Vm) -> Next {
    // SAFETY: see the invariants of the interpreter.
    unsafe {
        let (value, owner) = (peek!(vm, 2), peek!(vm, 1));
        if let Some(place) = sp::slot_place(owner, vm.ip.add(1)) {
            vm.sp = vm.sp.sub(2);
            save!(vm);
            taipan_object::handle::set_field(place, Some(value.into_ref()));
            owner.close();
            next!(vm, 4);
        }
        deopt!(vm, op::STORE_ATTR);
    }
}

/// `DELETE_ATTR`.
#[inline(always)]
unsafe fn delete_attr(mut vm: Step) -> Next {
    // SAFETY: see the invariants of the interpreter.
    unsafe {
        save!(vm);
        let owner = peek!(vm, 1);
        let name: &Str = Frame::code(vm.frame).names().items()[vm.oparg].cast();
        check!(vm, owner.look().setattr(name, None));
        vm.sp = vm.sp.sub(1);
        owner.close();
        next!(vm, 0);
    }
}

/// `LOAD_SUPER_ATTR`, `LOAD_SUPER_ATTR_ATTR`, `LOAD_SUPER_ATTR_METHOD`.
#[inline(always)]
unsafe fn load_super_attr(mut vm: Step) -> Next {
    // SAFETY: see the invariants of the interpreter.
    unsafe {
        save!(vm);
        let (super_type, class, object) = (peek!(vm, 3), peek!(vm, 2), peek!(vm, 1));
        let (value, bound) = check!(vm, ops::load_super_attr(vm.frame, super_type, class, object, vm.oparg));
        vm.sp = vm.sp.sub(3);
        push!(vm, StackRef::owned(value));
        if bound {
            push!(vm, object);
        } else if vm.oparg & 1 != 0 {
            push!(vm, StackRef::NULL);
        }
        save!(vm);
        super_type.close();
        class.close();
        if !bound {
            object.close();
        }
        next!(vm, 1);
    }
}

/// `LOAD_SPECIAL`.
#[inline(always)]
unsafe fn load_special(mut vm: Step) -> Next {
    // SAFETY: see the invariants of the interpreter.
    unsafe {
        save!(vm);
        let owner = peek!(vm, 1);
        let (method, bound) = check!(vm, ops::load_special(&owner.look(), vm.oparg));
        peek!(vm, 1) = StackRef::owned(method);
        if bound {
            push!(vm, owner);
        } else {
            push!(vm, StackRef::NULL);
            owner.close();
        }
        next!(vm, 0);
    }
}
