//! The other ways to read a text than as a module.

use taipan_syntax::{ErrorKind, Flags, Mode, dump, parse};

fn verdict(text: &str, mode: Mode, flags: &Flags) -> String {
    match parse(text, mode, flags) {
        Ok(parsed) => dump::dump_node(taipan_syntax::ast::NodeRef::Mod(&parsed.module), false),
        Err(rejected) => format!("{}: {}", rejected.error.kind.name(), rejected.error.msg),
    }
}

#[test]
fn eval() {
    let flags = Flags::default();
    assert_eq!(verdict("1", Mode::Eval, &flags), "Expression(body=Constant(value=1))");
    assert_eq!(verdict("1\n\n", Mode::Eval, &flags), "Expression(body=Constant(value=1))");
    assert_eq!(verdict("a = 1", Mode::Eval, &flags), "SyntaxError: invalid syntax");
    assert_eq!(verdict("", Mode::Eval, &flags), "SyntaxError: invalid syntax");
}

#[test]
fn single() {
    let flags = Flags::default();
    assert_eq!(verdict("pass", Mode::Single, &flags), "Interactive(body=[Pass()])");
    assert_eq!(
        verdict("if a:\n  pass\n", Mode::Single, &flags),
        "Interactive(body=[If(test=Name(id='a', ctx=Load()), body=[Pass()])])"
    );
    assert_eq!(
        verdict("pass\npass", Mode::Single, &flags),
        "SyntaxError: multiple statements found while compiling a single statement"
    );
    assert_eq!(verdict("pass # fine\n\n", Mode::Single, &flags), "Interactive(body=[Pass()])");
}

#[test]
fn incomplete_input() {
    let flags = Flags { allow_incomplete_input: true, dont_imply_dedent: true, ..Flags::default() };
    for text in ["if a:", "(", "def f():\n", "'''abc", "a = [1,\n", "x = \\\n", "a b", ""] {
        let error = parse(text, Mode::Single, &flags).err().map(|r| (r.error.kind, r.error.msg));
        assert_eq!(error, Some((ErrorKind::IncompleteInput, "incomplete input".into())), "{text:?}");
    }
    for text in [")", "if a:\n  pass\n", "f'abc"] {
        let error = parse(text, Mode::Single, &flags).err().map(|r| r.error.kind);
        assert_ne!(error, Some(ErrorKind::IncompleteInput), "{text:?}");
    }
}

#[test]
fn function_types() {
    let flags = Flags::default();
    assert_eq!(
        verdict("(int, *str, **a) -> b", Mode::FuncType, &flags),
        "FunctionType(argtypes=[Name(id='int', ctx=Load()), Name(id='str', ctx=Load()), \
         Name(id='a', ctx=Load())], returns=Name(id='b', ctx=Load()))"
    );
    assert_eq!(verdict("() -> b", Mode::FuncType, &flags), "FunctionType(returns=Name(id='b', ctx=Load()))");
}

#[test]
fn type_comments() {
    let flags = Flags { type_comments: true, ..Flags::default() };
    assert_eq!(
        verdict("a = 1 # type: int\nb # type: ignore[x]\n", Mode::Exec, &flags),
        "Module(body=[Assign(targets=[Name(id='a', ctx=Store())], value=Constant(value=1), \
         type_comment='int'), Expr(value=Name(id='b', ctx=Load()))], \
         type_ignores=[TypeIgnore(lineno=2, tag='[x]')])"
    );
}
