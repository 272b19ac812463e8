//! Exceptions: the hierarchy, written once, in the order in which types are made ready.
//!
//! A row of [`HIERARCHY`] gives an exception its documentation and the slots of its memory; name,
//! size and base stand with its type object in `taipan_object::statics`. Exceptions with fields or
//! behaviour of their own have a file.

mod base;
mod group;
mod make;
mod os;
mod simple;
mod syntax;
mod unicode;

pub use group::{
    ExceptionGroup, GroupMatch, check_star_type, exception_group_type, exception_matches, match_group,
    new_exception_class, prep_reraise_star,
};
pub use make::{import_error, os_error, os_error2, syntax_error};
pub use os::errno_type;

use taipan_object::native::TypeSpec;
use taipan_object::statics::*;
use taipan_object::{PyResult, typeobject};

/// An exception without anything of its own.
macro_rules! plain {
    ($ty:ident, $doc:literal) => {
        plain!($ty, &base::PLAIN_SLOTS, $doc)
    };
    ($ty:ident, $slots:expr, $doc:literal) => {
        TypeSpec { doc: Some($doc), slots: $slots, ..TypeSpec::new(&$ty) }
    };
}

/// Every exception, bases first.
#[rustfmt::skip]
static HIERARCHY: &[TypeSpec] = &[
    base::SPEC,
    group::SPEC,
    plain!(_PyExc_GeneratorExit, c"A generator or coroutine is asked to end."),
    plain!(_PyExc_KeyboardInterrupt, c"The user has interrupted the program."),
    simple::SYSTEM_EXIT,
    plain!(_PyExc_Exception, c"The base of the exceptions that programs are expected to handle."),
    plain!(_PyExc_ArithmeticError, c"The base of arithmetic errors."),
    plain!(_PyExc_FloatingPointError, c"A floating-point operation failed."),
    plain!(_PyExc_OverflowError, c"A result is too large to be represented."),
    plain!(_PyExc_ZeroDivisionError, c"A division, or a modulo operation, by zero."),
    plain!(_PyExc_AssertionError, c"An assertion failed."),
    simple::ATTRIBUTE_ERROR,
    plain!(_PyExc_BufferError, c"An operation on a buffer is not possible."),
    plain!(_PyExc_EOFError, c"There is no more input to read."),
    simple::IMPORT_ERROR,
    plain!(_PyExc_ModuleNotFoundError, &simple::IMPORT_PLAIN, c"No module of that name was found."),
    plain!(_PyExc_LookupError, c"The base of errors of looking something up."),
    plain!(_PyExc_IndexError, c"An index is outside the sequence."),
    simple::KEY_ERROR,
    plain!(_PyExc_MemoryError, c"There is not enough memory."),
    simple::NAME_ERROR,
    plain!(_PyExc_UnboundLocalError, &simple::NAME_PLAIN, c"A local variable has no value yet."),
    os::SPEC,
    plain!(_PyExc_BlockingIOError, &os::PLAIN, c"An operation would have to wait."),
    plain!(_PyExc_ChildProcessError, &os::PLAIN, c"An operation on a child process failed."),
    plain!(_PyExc_ConnectionError, &os::PLAIN, c"The base of errors of connections."),
    plain!(_PyExc_BrokenPipeError, &os::PLAIN, c"The other end of a pipe or connection is closed."),
    plain!(_PyExc_ConnectionAbortedError, &os::PLAIN, c"A connection was given up by the other side."),
    plain!(_PyExc_ConnectionRefusedError, &os::PLAIN, c"A connection was refused by the other side."),
    plain!(_PyExc_ConnectionResetError, &os::PLAIN, c"A connection was reset by the other side."),
    plain!(_PyExc_FileExistsError, &os::PLAIN, c"A file or folder exists already."),
    plain!(_PyExc_FileNotFoundError, &os::PLAIN, c"A file or folder does not exist."),
    plain!(_PyExc_InterruptedError, &os::PLAIN, c"A system call was interrupted by a signal."),
    plain!(_PyExc_IsADirectoryError, &os::PLAIN, c"A file was wanted, but there is a folder."),
    plain!(_PyExc_NotADirectoryError, &os::PLAIN, c"A folder was wanted, but there is something else."),
    plain!(_PyExc_PermissionError, &os::PLAIN, c"The system does not allow the operation."),
    plain!(_PyExc_ProcessLookupError, &os::PLAIN, c"A process does not exist."),
    plain!(_PyExc_TimeoutError, &os::PLAIN, c"The time for an operation is over."),
    plain!(_PyExc_ReferenceError, c"A weak proxy is used after its object has gone."),
    plain!(_PyExc_RuntimeError, c"An error that fits no other category."),
    plain!(_PyExc_NotImplementedError, c"A method has to be written by a subclass."),
    plain!(_PyExc_RecursionError, c"Calls are nested too deeply."),
    plain!(_PyExc_PythonFinalizationError, c"An operation is not possible while Python is ending."),
    plain!(_PyExc_StopAsyncIteration, c"Tells that an asynchronous iterator has no more items."),
    simple::STOP_ITERATION,
    syntax::SPEC,
    plain!(_PyExc_IndentationError, &syntax::PLAIN, c"The indentation is wrong."),
    plain!(_PyExc_TabError, &syntax::PLAIN, c"Tabs and spaces are mixed in a way that leaves the indentation unclear."),
    plain!(_PyExc_IncompleteInputError, &syntax::PLAIN, c"The source ends too early."),
    plain!(_PyExc_SystemError, c"The interpreter has found a fault in itself."),
    plain!(_PyExc_TypeError, c"An operation got an argument of the wrong type."),
    plain!(_PyExc_ValueError, c"An argument has the right type and a wrong value."),
    plain!(_PyExc_UnicodeError, c"The base of errors of encoding and decoding."),
    unicode::ENCODE,
    unicode::DECODE,
    unicode::TRANSLATE,
    plain!(_PyExc_Warning, c"The base of warnings."),
    plain!(_PyExc_BytesWarning, c"A warning about bytes used as text."),
    plain!(_PyExc_DeprecationWarning, c"A warning, for developers, about something that will go away."),
    plain!(_PyExc_EncodingWarning, c"A warning about an encoding that depends on the system."),
    plain!(_PyExc_FutureWarning, c"A warning, for users, about something that will change its meaning."),
    plain!(_PyExc_ImportWarning, c"A warning about a likely mistake in importing."),
    plain!(_PyExc_PendingDeprecationWarning, c"A warning about something that may go away some day."),
    plain!(_PyExc_ResourceWarning, c"A warning about how a resource is used."),
    plain!(_PyExc_RuntimeWarning, c"A warning about doubtful behaviour at run time."),
    plain!(_PyExc_SyntaxWarning, c"A warning about doubtful syntax."),
    plain!(_PyExc_UnicodeWarning, c"A warning about Unicode."),
    plain!(_PyExc_UserWarning, c"A warning that a program issues itself."),
];

/// Fills every exception type and makes `ExceptionGroup`.
pub(crate) fn install() -> PyResult<()> {
    for spec in HIERARCHY {
        typeobject::install(spec)?;
    }
    group::make_exception_group()
}
