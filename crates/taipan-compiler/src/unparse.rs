//! Annotations as text, for `from __future__ import annotations`: an expression written the way `ast.unparse` would,
//! with as few parentheses as keep its meaning.

use taipan_bytecode::PyStr;
use taipan_bytecode::code::PyStrBuilder;
use taipan_syntax::ast::*;
use taipan_syntax::dump::repr_constant;

/// Binding strength of the surroundings, from loosest to tightest.
mod level {
    pub const TUPLE: u8 = 0;
    pub const TEST: u8 = 1;
    pub const OR: u8 = 2;
    pub const AND: u8 = 3;
    pub const NOT: u8 = 4;
    pub const CMP: u8 = 5;
    pub const EXPR: u8 = 6;
    pub const BOR: u8 = EXPR;
    pub const BXOR: u8 = 7;
    pub const BAND: u8 = 8;
    pub const SHIFT: u8 = 9;
    pub const ARITH: u8 = 10;
    pub const TERM: u8 = 11;
    pub const FACTOR: u8 = 12;
    pub const POWER: u8 = 13;
    pub const AWAIT: u8 = 14;
    pub const ATOM: u8 = 15;
}

/// The text of an annotation.
pub fn expression(expr: &Expr) -> PyStr {
    let mut writer = Writer { out: PyStrBuilder::default() };
    writer.expr(expr, level::TEST);
    writer.out.take()
}

struct Writer {
    out: PyStrBuilder,
}

impl Writer {
    fn text(&mut self, text: &str) {
        self.out.push_str(text);
    }

    fn open(&mut self, parens: bool) {
        if parens {
            self.text("(");
        }
    }

    fn close(&mut self, parens: bool) {
        if parens {
            self.text(")");
        }
    }

    fn comma_separated<T>(&mut self, items: &[T], mut write: impl FnMut(&mut Self, &T)) {
        for (index, item) in items.iter().enumerate() {
            if index > 0 {
                self.text(", ");
            }
            write(self, item);
        }
    }

    fn tests(&mut self, exprs: &[Expr]) {
        self.comma_separated(exprs, |this, expr| this.expr(expr, level::TEST));
    }

    fn constant(&mut self, value: &Constant) {
        match value {
            Constant::Ellipsis => self.text("..."),
            Constant::Tuple(items) => {
                self.text("(");
                self.comma_separated(items, |this, item| this.constant(item));
                self.text(if items.len() == 1 { ",)" } else { ")" });
            }
            _ => {
                let mut text = String::new();
                repr_constant(&mut text, value);
                if matches!(value, Constant::Float(_) | Constant::Complex { .. }) {
                    // Infinity has no literal but an overflowing one.
                    text = text.replace("inf", "1e309");
                }
                self.text(&text);
            }
        }
    }

    fn expr(&mut self, expr: &Expr, around: u8) {
        match &expr.kind {
            ExprKind::BoolOp(node) => {
                let (word, own) = match node.op {
                    BoolOp::And => (" and ", level::AND),
                    BoolOp::Or => (" or ", level::OR),
                };
                self.open(around > own);
                for (index, value) in node.values.iter().enumerate() {
                    if index > 0 {
                        self.text(word);
                    }
                    self.expr(value, own + 1);
                }
                self.close(around > own);
            }
            ExprKind::BinOp(node) => self.bin_op(node, around),
            ExprKind::UnaryOp(node) => {
                let (sign, own) = match node.op {
                    UnaryOp::Invert => ("~", level::FACTOR),
                    UnaryOp::Not => ("not ", level::NOT),
                    UnaryOp::UAdd => ("+", level::FACTOR),
                    UnaryOp::USub => ("-", level::FACTOR),
                };
                self.open(around > own);
                self.text(sign);
                self.expr(&node.operand, own);
                self.close(around > own);
            }
            ExprKind::Lambda(node) => {
                self.open(around > level::TEST);
                let args = &node.args;
                let any = !args.args.is_empty()
                    || !args.posonlyargs.is_empty()
                    || args.vararg.is_some()
                    || !args.kwonlyargs.is_empty()
                    || args.kwarg.is_some();
                self.text(if any { "lambda " } else { "lambda" });
                self.arguments(args);
                self.text(": ");
                self.expr(&node.body, level::TEST);
                self.close(around > level::TEST);
            }
            ExprKind::IfExp(node) => {
                self.open(around > level::TEST);
                self.expr(&node.body, level::TEST + 1);
                self.text(" if ");
                self.expr(&node.test, level::TEST + 1);
                self.text(" else ");
                self.expr(&node.orelse, level::TEST);
                self.close(around > level::TEST);
            }
            ExprKind::Dict(node) => {
                self.text("{");
                for (index, (key, value)) in node.keys.iter().zip(&node.values).enumerate() {
                    if index > 0 {
                        self.text(", ");
                    }
                    match key {
                        Some(key) => {
                            self.expr(key, level::TEST);
                            self.text(": ");
                            self.expr(value, level::TEST);
                        }
                        None => {
                            self.text("**");
                            self.expr(value, level::EXPR);
                        }
                    }
                }
                self.text("}");
            }
            ExprKind::Set(node) => {
                self.text("{");
                self.tests(&node.elts);
                self.text("}");
            }
            ExprKind::GeneratorExp(node) => self.comprehension("(", &node.elt, &node.generators, ")"),
            ExprKind::ListComp(node) => self.comprehension("[", &node.elt, &node.generators, "]"),
            ExprKind::SetComp(node) => self.comprehension("{", &node.elt, &node.generators, "}"),
            ExprKind::DictComp(node) => {
                self.text("{");
                self.expr(&node.key, level::TEST);
                self.text(": ");
                self.expr(&node.value, level::TEST);
                self.generators(&node.generators);
                self.text("}");
            }
            ExprKind::Await(node) => {
                self.open(around > level::AWAIT);
                self.text("await ");
                self.expr(&node.value, level::ATOM);
                self.close(around > level::AWAIT);
            }
            ExprKind::Yield(node) => match &node.value {
                Some(value) => {
                    self.text("(yield ");
                    self.expr(value, level::TEST);
                    self.text(")");
                }
                None => self.text("(yield)"),
            },
            ExprKind::YieldFrom(node) => {
                self.text("(yield from ");
                self.expr(&node.value, level::TEST);
                self.text(")");
            }
            ExprKind::Compare(node) => self.compare(node, around),
            ExprKind::Call(node) => self.call(node),
            ExprKind::JoinedStr(_) | ExprKind::FormattedValue(_) => self.format_string(expr, "f"),
            ExprKind::TemplateStr(_) | ExprKind::Interpolation(_) => self.format_string(expr, "t"),
            ExprKind::Constant(node) => {
                if let Some(kind) = &node.kind {
                    self.out.push_pystr(kind);
                }
                self.constant(&node.value);
            }
            ExprKind::Attribute(node) => {
                self.expr(&node.value, level::ATOM);
                let number = matches!(
                    &node.value.kind,
                    ExprKind::Constant(ExprConstant { value: Constant::Int(_) | Constant::BigInt(_), .. })
                );
                self.text(if number { " ." } else { "." });
                self.text(&node.attr);
            }
            ExprKind::Starred(node) => {
                self.text("*");
                self.expr(&node.value, level::EXPR);
            }
            ExprKind::Name(node) => self.text(&node.id),
            ExprKind::List(node) => {
                self.text("[");
                self.tests(&node.elts);
                self.text("]");
            }
            ExprKind::Tuple(node) => {
                if node.elts.is_empty() {
                    self.text("()");
                    return;
                }
                self.open(around > level::TUPLE);
                self.tests(&node.elts);
                if node.elts.len() == 1 {
                    self.text(",");
                }
                self.close(around > level::TUPLE);
            }
            ExprKind::Subscript(node) => {
                self.expr(&node.value, level::ATOM);
                self.text("[");
                self.expr(&node.slice, level::TUPLE);
                self.text("]");
            }
            ExprKind::Slice(node) => {
                if let Some(lower) = &node.lower {
                    self.expr(lower, level::TEST);
                }
                self.text(":");
                if let Some(upper) = &node.upper {
                    self.expr(upper, level::TEST);
                }
                if let Some(step) = &node.step {
                    self.text(":");
                    self.expr(step, level::TEST);
                }
            }
            ExprKind::NamedExpr(node) => {
                self.open(around > level::TUPLE);
                self.expr(&node.target, level::ATOM);
                self.text(" := ");
                self.expr(&node.value, level::ATOM);
                self.close(around > level::TUPLE);
            }
        }
    }

    fn bin_op(&mut self, node: &ExprBinOp, around: u8) {
        let (sign, own) = match node.op {
            Operator::Add => (" + ", level::ARITH),
            Operator::Sub => (" - ", level::ARITH),
            Operator::Mult => (" * ", level::TERM),
            Operator::MatMult => (" @ ", level::TERM),
            Operator::Div => (" / ", level::TERM),
            Operator::Mod => (" % ", level::TERM),
            Operator::LShift => (" << ", level::SHIFT),
            Operator::RShift => (" >> ", level::SHIFT),
            Operator::BitOr => (" | ", level::BOR),
            Operator::BitXor => (" ^ ", level::BXOR),
            Operator::BitAnd => (" & ", level::BAND),
            Operator::FloorDiv => (" // ", level::TERM),
            Operator::Pow => (" ** ", level::POWER),
        };
        let to_right = node.op == Operator::Pow;
        self.open(around > own);
        self.expr(&node.left, own + u8::from(to_right));
        self.text(sign);
        self.expr(&node.right, own + u8::from(!to_right));
        self.close(around > own);
    }

    fn compare(&mut self, node: &ExprCompare, around: u8) {
        self.open(around > level::CMP);
        self.expr(&node.left, level::CMP + 1);
        for (op, right) in node.ops.iter().zip(&node.comparators) {
            self.text(match op {
                CmpOp::Eq => " == ",
                CmpOp::NotEq => " != ",
                CmpOp::Lt => " < ",
                CmpOp::LtE => " <= ",
                CmpOp::Gt => " > ",
                CmpOp::GtE => " >= ",
                CmpOp::Is => " is ",
                CmpOp::IsNot => " is not ",
                CmpOp::In => " in ",
                CmpOp::NotIn => " not in ",
            });
            self.expr(right, level::CMP + 1);
        }
        self.close(around > level::CMP);
    }

    fn call(&mut self, node: &ExprCall) {
        self.expr(&node.func, level::ATOM);
        // A lone generator brings its own parentheses.
        if let [only @ Expr { kind: ExprKind::GeneratorExp(_), .. }] = node.args.as_slice()
            && node.keywords.is_empty()
        {
            self.expr(only, level::TEST);
            return;
        }
        self.text("(");
        self.tests(&node.args);
        for (index, keyword) in node.keywords.iter().enumerate() {
            if index > 0 || !node.args.is_empty() {
                self.text(", ");
            }
            match &keyword.arg {
                Some(arg) => {
                    self.text(arg);
                    self.text("=");
                }
                None => self.text("**"),
            }
            self.expr(&keyword.value, level::TEST);
        }
        self.text(")");
    }

    fn arguments(&mut self, args: &Arguments) {
        let mut first = true;
        let mut separate = |this: &mut Self| {
            if !std::mem::take(&mut first) {
                this.text(", ");
            }
        };
        let positional = args.posonlyargs.len() + args.args.len();
        for (index, arg) in args.posonlyargs.iter().chain(&args.args).enumerate() {
            separate(self);
            self.text(&arg.arg);
            if let Some(default) = (index + args.defaults.len()).checked_sub(positional) {
                self.text("=");
                self.expr(&args.defaults[default], level::TEST);
            }
            if index + 1 == args.posonlyargs.len() {
                self.text(", /");
            }
        }
        if args.vararg.is_some() || !args.kwonlyargs.is_empty() {
            separate(self);
            self.text("*");
            if let Some(arg) = &args.vararg {
                self.text(&arg.arg);
            }
        }
        for (arg, default) in args.kwonlyargs.iter().zip(&args.kw_defaults) {
            separate(self);
            self.text(&arg.arg);
            if let Some(default) = default {
                self.text("=");
                self.expr(default, level::TEST);
            }
        }
        if let Some(arg) = &args.kwarg {
            separate(self);
            self.text("**");
            self.text(&arg.arg);
        }
    }

    fn comprehension(&mut self, open: &str, elt: &Expr, generators: &[Comprehension], close: &str) {
        self.text(open);
        self.expr(elt, level::TEST);
        self.generators(generators);
        self.text(close);
    }

    fn generators(&mut self, generators: &[Comprehension]) {
        for generator in generators {
            self.text(if generator.is_async != 0 { " async for " } else { " for " });
            self.expr(&generator.target, level::TUPLE);
            self.text(" in ");
            self.expr(&generator.iter, level::TEST + 1);
            for test in &generator.ifs {
                self.text(" if ");
                self.expr(test, level::TEST + 1);
            }
        }
    }

    /// A formatted or template string: its source text is put together, then quoted like any string.
    fn format_string(&mut self, expr: &Expr, prefix: &str) {
        let mut body = Writer { out: PyStrBuilder::default() };
        body.format_piece(expr);
        let mut quoted = String::new();
        repr_constant(&mut quoted, &Constant::Str(body.out.take()));
        self.text(prefix);
        self.text(&quoted);
    }

    fn format_piece(&mut self, expr: &Expr) {
        match &expr.kind {
            ExprKind::Constant(node) => {
                if let Constant::Str(text) = &node.value {
                    for point in text.code_points() {
                        self.out.push_code_point(point);
                        if point == u32::from(b'{') || point == u32::from(b'}') {
                            self.out.push_code_point(point);
                        }
                    }
                }
            }
            ExprKind::JoinedStr(node) => {
                node.values.iter().for_each(|value| self.format_piece(value));
            }
            ExprKind::TemplateStr(node) => {
                node.values.iter().for_each(|value| self.format_piece(value));
            }
            ExprKind::FormattedValue(node) => {
                let mut inner = Writer { out: PyStrBuilder::default() };
                inner.expr(&node.value, level::TEST + 1);
                let text = inner.out.take();
                self.replacement(&text, node.conversion, node.format_spec.as_ref());
            }
            ExprKind::Interpolation(node) => {
                let text = match &node.str {
                    Constant::Str(text) => text.clone(),
                    _ => PyStr::from(""),
                };
                self.replacement(&text, node.conversion, node.format_spec.as_ref());
            }
            _ => self.expr(expr, level::TEST),
        }
    }

    fn replacement(&mut self, text: &PyStr, conversion: i32, spec: Option<&Expr>) {
        self.text(if text.as_bytes().first() == Some(&b'{') { "{ " } else { "{" });
        self.out.push_pystr(text);
        if let Ok(letter) = u8::try_from(conversion) {
            self.text("!");
            self.out.push_code_point(u32::from(letter));
        }
        if let Some(spec) = spec {
            self.text(":");
            self.format_piece(spec);
        }
        self.text("}");
    }
}
