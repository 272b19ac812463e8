//! Written by `cargo dev gen-ast` from `ast.table`. Do not edit by hand.

#![allow(missing_docs, reason = "the node classes and fields are CPython's")]

use super::{
    Build, Constant, Count, FieldDescription, FieldRef, GroupDescription, Identifier, NodeDescription, PyStr,
    Range, Source,
};

#[derive(Clone, Debug, PartialEq)]
pub enum Mod {
    Module(ModModule),
    Interactive(ModInteractive),
    Expression(ModExpression),
    FunctionType(ModFunctionType),
}

#[derive(Clone, Debug, PartialEq)]
pub struct ModModule {
    pub body: Vec<Stmt>,
    pub type_ignores: Vec<TypeIgnore>,
}

#[derive(Clone, Debug, PartialEq)]
pub struct ModInteractive {
    pub body: Vec<Stmt>,
}

#[derive(Clone, Debug, PartialEq)]
pub struct ModExpression {
    pub body: Expr,
}

#[derive(Clone, Debug, PartialEq)]
pub struct ModFunctionType {
    pub argtypes: Vec<Expr>,
    pub returns: Expr,
}

#[derive(Clone, Debug, PartialEq)]
pub struct Stmt {
    pub range: Range,
    pub kind: StmtKind,
}

#[derive(Clone, Debug, PartialEq)]
pub enum StmtKind {
    FunctionDef(Box<StmtFunctionDef>),
    AsyncFunctionDef(Box<StmtAsyncFunctionDef>),
    ClassDef(Box<StmtClassDef>),
    Return(Box<StmtReturn>),
    Delete(Box<StmtDelete>),
    Assign(Box<StmtAssign>),
    TypeAlias(Box<StmtTypeAlias>),
    AugAssign(Box<StmtAugAssign>),
    AnnAssign(Box<StmtAnnAssign>),
    For(Box<StmtFor>),
    AsyncFor(Box<StmtAsyncFor>),
    While(Box<StmtWhile>),
    If(Box<StmtIf>),
    With(Box<StmtWith>),
    AsyncWith(Box<StmtAsyncWith>),
    Match(Box<StmtMatch>),
    Raise(Box<StmtRaise>),
    Try(Box<StmtTry>),
    TryStar(Box<StmtTryStar>),
    Assert(Box<StmtAssert>),
    Import(Box<StmtImport>),
    ImportFrom(Box<StmtImportFrom>),
    Global(Box<StmtGlobal>),
    Nonlocal(Box<StmtNonlocal>),
    Expr(Box<StmtExpr>),
    Pass,
    Break,
    Continue,
}

#[derive(Clone, Debug, PartialEq)]
pub struct StmtFunctionDef {
    pub name: Identifier,
    pub args: Arguments,
    pub body: Vec<Stmt>,
    pub decorator_list: Vec<Expr>,
    pub returns: Option<Expr>,
    pub type_comment: Option<PyStr>,
    pub type_params: Vec<TypeParam>,
}

#[derive(Clone, Debug, PartialEq)]
pub struct StmtAsyncFunctionDef {
    pub name: Identifier,
    pub args: Arguments,
    pub body: Vec<Stmt>,
    pub decorator_list: Vec<Expr>,
    pub returns: Option<Expr>,
    pub type_comment: Option<PyStr>,
    pub type_params: Vec<TypeParam>,
}

#[derive(Clone, Debug, PartialEq)]
pub struct StmtClassDef {
    pub name: Identifier,
    pub bases: Vec<Expr>,
    pub keywords: Vec<Keyword>,
    pub body: Vec<Stmt>,
    pub decorator_list: Vec<Expr>,
    pub type_params: Vec<TypeParam>,
}

#[derive(Clone, Debug, PartialEq)]
pub struct StmtReturn {
    pub value: Option<Expr>,
}

#[derive(Clone, Debug, PartialEq)]
pub struct StmtDelete {
    pub targets: Vec<Expr>,
}

#[derive(Clone, Debug, PartialEq)]
pub struct StmtAssign {
    pub targets: Vec<Expr>,
    pub value: Expr,
    pub type_comment: Option<PyStr>,
}

#[derive(Clone, Debug, PartialEq)]
pub struct StmtTypeAlias {
    pub name: Expr,
    pub type_params: Vec<TypeParam>,
    pub value: Expr,
}

#[derive(Clone, Debug, PartialEq)]
pub struct StmtAugAssign {
    pub target: Expr,
    pub op: Operator,
    pub value: Expr,
}

#[derive(Clone, Debug, PartialEq)]
pub struct StmtAnnAssign {
    pub target: Expr,
    pub annotation: Expr,
    pub value: Option<Expr>,
    pub simple: i32,
}

#[derive(Clone, Debug, PartialEq)]
pub struct StmtFor {
    pub target: Expr,
    pub iter: Expr,
    pub body: Vec<Stmt>,
    pub orelse: Vec<Stmt>,
    pub type_comment: Option<PyStr>,
}

#[derive(Clone, Debug, PartialEq)]
pub struct StmtAsyncFor {
    pub target: Expr,
    pub iter: Expr,
    pub body: Vec<Stmt>,
    pub orelse: Vec<Stmt>,
    pub type_comment: Option<PyStr>,
}

#[derive(Clone, Debug, PartialEq)]
pub struct StmtWhile {
    pub test: Expr,
    pub body: Vec<Stmt>,
    pub orelse: Vec<Stmt>,
}

#[derive(Clone, Debug, PartialEq)]
pub struct StmtIf {
    pub test: Expr,
    pub body: Vec<Stmt>,
    pub orelse: Vec<Stmt>,
}

#[derive(Clone, Debug, PartialEq)]
pub struct StmtWith {
    pub items: Vec<WithItem>,
    pub body: Vec<Stmt>,
    pub type_comment: Option<PyStr>,
}

#[derive(Clone, Debug, PartialEq)]
pub struct StmtAsyncWith {
    pub items: Vec<WithItem>,
    pub body: Vec<Stmt>,
    pub type_comment: Option<PyStr>,
}

#[derive(Clone, Debug, PartialEq)]
pub struct StmtMatch {
    pub subject: Expr,
    pub cases: Vec<MatchCase>,
}

#[derive(Clone, Debug, PartialEq)]
pub struct StmtRaise {
    pub exc: Option<Expr>,
    pub cause: Option<Expr>,
}

#[derive(Clone, Debug, PartialEq)]
pub struct StmtTry {
    pub body: Vec<Stmt>,
    pub handlers: Vec<ExceptHandler>,
    pub orelse: Vec<Stmt>,
    pub finalbody: Vec<Stmt>,
}

#[derive(Clone, Debug, PartialEq)]
pub struct StmtTryStar {
    pub body: Vec<Stmt>,
    pub handlers: Vec<ExceptHandler>,
    pub orelse: Vec<Stmt>,
    pub finalbody: Vec<Stmt>,
}

#[derive(Clone, Debug, PartialEq)]
pub struct StmtAssert {
    pub test: Expr,
    pub msg: Option<Expr>,
}

#[derive(Clone, Debug, PartialEq)]
pub struct StmtImport {
    pub names: Vec<Alias>,
}

#[derive(Clone, Debug, PartialEq)]
pub struct StmtImportFrom {
    pub module: Option<Identifier>,
    pub names: Vec<Alias>,
    pub level: i32,
}

#[derive(Clone, Debug, PartialEq)]
pub struct StmtGlobal {
    pub names: Vec<Identifier>,
}

#[derive(Clone, Debug, PartialEq)]
pub struct StmtNonlocal {
    pub names: Vec<Identifier>,
}

#[derive(Clone, Debug, PartialEq)]
pub struct StmtExpr {
    pub value: Expr,
}

impl From<StmtFunctionDef> for StmtKind {
    #[inline]
    fn from(node: StmtFunctionDef) -> StmtKind {
        StmtKind::FunctionDef(Box::new(node))
    }
}

impl From<StmtAsyncFunctionDef> for StmtKind {
    #[inline]
    fn from(node: StmtAsyncFunctionDef) -> StmtKind {
        StmtKind::AsyncFunctionDef(Box::new(node))
    }
}

impl From<StmtClassDef> for StmtKind {
    #[inline]
    fn from(node: StmtClassDef) -> StmtKind {
        StmtKind::ClassDef(Box::new(node))
    }
}

impl From<StmtReturn> for StmtKind {
    #[inline]
    fn from(node: StmtReturn) -> StmtKind {
        StmtKind::Return(Box::new(node))
    }
}

impl From<StmtDelete> for StmtKind {
    #[inline]
    fn from(node: StmtDelete) -> StmtKind {
        StmtKind::Delete(Box::new(node))
    }
}

impl From<StmtAssign> for StmtKind {
    #[inline]
    fn from(node: StmtAssign) -> StmtKind {
        StmtKind::Assign(Box::new(node))
    }
}

impl From<StmtTypeAlias> for StmtKind {
    #[inline]
    fn from(node: StmtTypeAlias) -> StmtKind {
        StmtKind::TypeAlias(Box::new(node))
    }
}

impl From<StmtAugAssign> for StmtKind {
    #[inline]
    fn from(node: StmtAugAssign) -> StmtKind {
        StmtKind::AugAssign(Box::new(node))
    }
}

impl From<StmtAnnAssign> for StmtKind {
    #[inline]
    fn from(node: StmtAnnAssign) -> StmtKind {
        StmtKind::AnnAssign(Box::new(node))
    }
}

impl From<StmtFor> for StmtKind {
    #[inline]
    fn from(node: StmtFor) -> StmtKind {
        StmtKind::For(Box::new(node))
    }
}

impl From<StmtAsyncFor> for StmtKind {
    #[inline]
    fn from(node: StmtAsyncFor) -> StmtKind {
        StmtKind::AsyncFor(Box::new(node))
    }
}

impl From<StmtWhile> for StmtKind {
    #[inline]
    fn from(node: StmtWhile) -> StmtKind {
        StmtKind::While(Box::new(node))
    }
}

impl From<StmtIf> for StmtKind {
    #[inline]
    fn from(node: StmtIf) -> StmtKind {
        StmtKind::If(Box::new(node))
    }
}

impl From<StmtWith> for StmtKind {
    #[inline]
    fn from(node: StmtWith) -> StmtKind {
        StmtKind::With(Box::new(node))
    }
}

impl From<StmtAsyncWith> for StmtKind {
    #[inline]
    fn from(node: StmtAsyncWith) -> StmtKind {
        StmtKind::AsyncWith(Box::new(node))
    }
}

impl From<StmtMatch> for StmtKind {
    #[inline]
    fn from(node: StmtMatch) -> StmtKind {
        StmtKind::Match(Box::new(node))
    }
}

impl From<StmtRaise> for StmtKind {
    #[inline]
    fn from(node: StmtRaise) -> StmtKind {
        StmtKind::Raise(Box::new(node))
    }
}

impl From<StmtTry> for StmtKind {
    #[inline]
    fn from(node: StmtTry) -> StmtKind {
        StmtKind::Try(Box::new(node))
    }
}

impl From<StmtTryStar> for StmtKind {
    #[inline]
    fn from(node: StmtTryStar) -> StmtKind {
        StmtKind::TryStar(Box::new(node))
    }
}

impl From<StmtAssert> for StmtKind {
    #[inline]
    fn from(node: StmtAssert) -> StmtKind {
        StmtKind::Assert(Box::new(node))
    }
}

impl From<StmtImport> for StmtKind {
    #[inline]
    fn from(node: StmtImport) -> StmtKind {
        StmtKind::Import(Box::new(node))
    }
}

impl From<StmtImportFrom> for StmtKind {
    #[inline]
    fn from(node: StmtImportFrom) -> StmtKind {
        StmtKind::ImportFrom(Box::new(node))
    }
}

impl From<StmtGlobal> for StmtKind {
    #[inline]
    fn from(node: StmtGlobal) -> StmtKind {
        StmtKind::Global(Box::new(node))
    }
}

impl From<StmtNonlocal> for StmtKind {
    #[inline]
    fn from(node: StmtNonlocal) -> StmtKind {
        StmtKind::Nonlocal(Box::new(node))
    }
}

impl From<StmtExpr> for StmtKind {
    #[inline]
    fn from(node: StmtExpr) -> StmtKind {
        StmtKind::Expr(Box::new(node))
    }
}

#[derive(Clone, Debug, PartialEq)]
pub struct Expr {
    pub range: Range,
    pub kind: ExprKind,
}

#[derive(Clone, Debug, PartialEq)]
pub enum ExprKind {
    BoolOp(Box<ExprBoolOp>),
    NamedExpr(Box<ExprNamedExpr>),
    BinOp(Box<ExprBinOp>),
    UnaryOp(Box<ExprUnaryOp>),
    Lambda(Box<ExprLambda>),
    IfExp(Box<ExprIfExp>),
    Dict(Box<ExprDict>),
    Set(Box<ExprSet>),
    ListComp(Box<ExprListComp>),
    SetComp(Box<ExprSetComp>),
    DictComp(Box<ExprDictComp>),
    GeneratorExp(Box<ExprGeneratorExp>),
    Await(Box<ExprAwait>),
    Yield(Box<ExprYield>),
    YieldFrom(Box<ExprYieldFrom>),
    Compare(Box<ExprCompare>),
    Call(Box<ExprCall>),
    FormattedValue(Box<ExprFormattedValue>),
    Interpolation(Box<ExprInterpolation>),
    JoinedStr(Box<ExprJoinedStr>),
    TemplateStr(Box<ExprTemplateStr>),
    Constant(ExprConstant),
    Attribute(Box<ExprAttribute>),
    Subscript(Box<ExprSubscript>),
    Starred(Box<ExprStarred>),
    Name(ExprName),
    List(Box<ExprList>),
    Tuple(Box<ExprTuple>),
    Slice(Box<ExprSlice>),
}

#[derive(Clone, Debug, PartialEq)]
pub struct ExprBoolOp {
    pub op: BoolOp,
    pub values: Vec<Expr>,
}

#[derive(Clone, Debug, PartialEq)]
pub struct ExprNamedExpr {
    pub target: Expr,
    pub value: Expr,
}

#[derive(Clone, Debug, PartialEq)]
pub struct ExprBinOp {
    pub left: Expr,
    pub op: Operator,
    pub right: Expr,
}

#[derive(Clone, Debug, PartialEq)]
pub struct ExprUnaryOp {
    pub op: UnaryOp,
    pub operand: Expr,
}

#[derive(Clone, Debug, PartialEq)]
pub struct ExprLambda {
    pub args: Arguments,
    pub body: Expr,
}

#[derive(Clone, Debug, PartialEq)]
pub struct ExprIfExp {
    pub test: Expr,
    pub body: Expr,
    pub orelse: Expr,
}

#[derive(Clone, Debug, PartialEq)]
pub struct ExprDict {
    pub keys: Vec<Option<Expr>>,
    pub values: Vec<Expr>,
}

#[derive(Clone, Debug, PartialEq)]
pub struct ExprSet {
    pub elts: Vec<Expr>,
}

#[derive(Clone, Debug, PartialEq)]
pub struct ExprListComp {
    pub elt: Expr,
    pub generators: Vec<Comprehension>,
}

#[derive(Clone, Debug, PartialEq)]
pub struct ExprSetComp {
    pub elt: Expr,
    pub generators: Vec<Comprehension>,
}

#[derive(Clone, Debug, PartialEq)]
pub struct ExprDictComp {
    pub key: Expr,
    pub value: Expr,
    pub generators: Vec<Comprehension>,
}

#[derive(Clone, Debug, PartialEq)]
pub struct ExprGeneratorExp {
    pub elt: Expr,
    pub generators: Vec<Comprehension>,
}

#[derive(Clone, Debug, PartialEq)]
pub struct ExprAwait {
    pub value: Expr,
}

#[derive(Clone, Debug, PartialEq)]
pub struct ExprYield {
    pub value: Option<Expr>,
}

#[derive(Clone, Debug, PartialEq)]
pub struct ExprYieldFrom {
    pub value: Expr,
}

#[derive(Clone, Debug, PartialEq)]
pub struct ExprCompare {
    pub left: Expr,
    pub ops: Vec<CmpOp>,
    pub comparators: Vec<Expr>,
}

#[derive(Clone, Debug, PartialEq)]
pub struct ExprCall {
    pub func: Expr,
    pub args: Vec<Expr>,
    pub keywords: Vec<Keyword>,
}

#[derive(Clone, Debug, PartialEq)]
pub struct ExprFormattedValue {
    pub value: Expr,
    pub conversion: i32,
    pub format_spec: Option<Expr>,
}

#[derive(Clone, Debug, PartialEq)]
pub struct ExprInterpolation {
    pub value: Expr,
    pub str: Constant,
    pub conversion: i32,
    pub format_spec: Option<Expr>,
}

#[derive(Clone, Debug, PartialEq)]
pub struct ExprJoinedStr {
    pub values: Vec<Expr>,
}

#[derive(Clone, Debug, PartialEq)]
pub struct ExprTemplateStr {
    pub values: Vec<Expr>,
}

#[derive(Clone, Debug, PartialEq)]
pub struct ExprConstant {
    pub value: Constant,
    pub kind: Option<PyStr>,
}

#[derive(Clone, Debug, PartialEq)]
pub struct ExprAttribute {
    pub value: Expr,
    pub attr: Identifier,
    pub ctx: ExprContext,
}

#[derive(Clone, Debug, PartialEq)]
pub struct ExprSubscript {
    pub value: Expr,
    pub slice: Expr,
    pub ctx: ExprContext,
}

#[derive(Clone, Debug, PartialEq)]
pub struct ExprStarred {
    pub value: Expr,
    pub ctx: ExprContext,
}

#[derive(Clone, Debug, PartialEq)]
pub struct ExprName {
    pub id: Identifier,
    pub ctx: ExprContext,
}

#[derive(Clone, Debug, PartialEq)]
pub struct ExprList {
    pub elts: Vec<Expr>,
    pub ctx: ExprContext,
}

#[derive(Clone, Debug, PartialEq)]
pub struct ExprTuple {
    pub elts: Vec<Expr>,
    pub ctx: ExprContext,
}

#[derive(Clone, Debug, PartialEq)]
pub struct ExprSlice {
    pub lower: Option<Expr>,
    pub upper: Option<Expr>,
    pub step: Option<Expr>,
}

impl From<ExprBoolOp> for ExprKind {
    #[inline]
    fn from(node: ExprBoolOp) -> ExprKind {
        ExprKind::BoolOp(Box::new(node))
    }
}

impl From<ExprNamedExpr> for ExprKind {
    #[inline]
    fn from(node: ExprNamedExpr) -> ExprKind {
        ExprKind::NamedExpr(Box::new(node))
    }
}

impl From<ExprBinOp> for ExprKind {
    #[inline]
    fn from(node: ExprBinOp) -> ExprKind {
        ExprKind::BinOp(Box::new(node))
    }
}

impl From<ExprUnaryOp> for ExprKind {
    #[inline]
    fn from(node: ExprUnaryOp) -> ExprKind {
        ExprKind::UnaryOp(Box::new(node))
    }
}

impl From<ExprLambda> for ExprKind {
    #[inline]
    fn from(node: ExprLambda) -> ExprKind {
        ExprKind::Lambda(Box::new(node))
    }
}

impl From<ExprIfExp> for ExprKind {
    #[inline]
    fn from(node: ExprIfExp) -> ExprKind {
        ExprKind::IfExp(Box::new(node))
    }
}

impl From<ExprDict> for ExprKind {
    #[inline]
    fn from(node: ExprDict) -> ExprKind {
        ExprKind::Dict(Box::new(node))
    }
}

impl From<ExprSet> for ExprKind {
    #[inline]
    fn from(node: ExprSet) -> ExprKind {
        ExprKind::Set(Box::new(node))
    }
}

impl From<ExprListComp> for ExprKind {
    #[inline]
    fn from(node: ExprListComp) -> ExprKind {
        ExprKind::ListComp(Box::new(node))
    }
}

impl From<ExprSetComp> for ExprKind {
    #[inline]
    fn from(node: ExprSetComp) -> ExprKind {
        ExprKind::SetComp(Box::new(node))
    }
}

impl From<ExprDictComp> for ExprKind {
    #[inline]
    fn from(node: ExprDictComp) -> ExprKind {
        ExprKind::DictComp(Box::new(node))
    }
}

impl From<ExprGeneratorExp> for ExprKind {
    #[inline]
    fn from(node: ExprGeneratorExp) -> ExprKind {
        ExprKind::GeneratorExp(Box::new(node))
    }
}

impl From<ExprAwait> for ExprKind {
    #[inline]
    fn from(node: ExprAwait) -> ExprKind {
        ExprKind::Await(Box::new(node))
    }
}

impl From<ExprYield> for ExprKind {
    #[inline]
    fn from(node: ExprYield) -> ExprKind {
        ExprKind::Yield(Box::new(node))
    }
}

impl From<ExprYieldFrom> for ExprKind {
    #[inline]
    fn from(node: ExprYieldFrom) -> ExprKind {
        ExprKind::YieldFrom(Box::new(node))
    }
}

impl From<ExprCompare> for ExprKind {
    #[inline]
    fn from(node: ExprCompare) -> ExprKind {
        ExprKind::Compare(Box::new(node))
    }
}

impl From<ExprCall> for ExprKind {
    #[inline]
    fn from(node: ExprCall) -> ExprKind {
        ExprKind::Call(Box::new(node))
    }
}

impl From<ExprFormattedValue> for ExprKind {
    #[inline]
    fn from(node: ExprFormattedValue) -> ExprKind {
        ExprKind::FormattedValue(Box::new(node))
    }
}

impl From<ExprInterpolation> for ExprKind {
    #[inline]
    fn from(node: ExprInterpolation) -> ExprKind {
        ExprKind::Interpolation(Box::new(node))
    }
}

impl From<ExprJoinedStr> for ExprKind {
    #[inline]
    fn from(node: ExprJoinedStr) -> ExprKind {
        ExprKind::JoinedStr(Box::new(node))
    }
}

impl From<ExprTemplateStr> for ExprKind {
    #[inline]
    fn from(node: ExprTemplateStr) -> ExprKind {
        ExprKind::TemplateStr(Box::new(node))
    }
}

impl From<ExprAttribute> for ExprKind {
    #[inline]
    fn from(node: ExprAttribute) -> ExprKind {
        ExprKind::Attribute(Box::new(node))
    }
}

impl From<ExprSubscript> for ExprKind {
    #[inline]
    fn from(node: ExprSubscript) -> ExprKind {
        ExprKind::Subscript(Box::new(node))
    }
}

impl From<ExprStarred> for ExprKind {
    #[inline]
    fn from(node: ExprStarred) -> ExprKind {
        ExprKind::Starred(Box::new(node))
    }
}

impl From<ExprList> for ExprKind {
    #[inline]
    fn from(node: ExprList) -> ExprKind {
        ExprKind::List(Box::new(node))
    }
}

impl From<ExprTuple> for ExprKind {
    #[inline]
    fn from(node: ExprTuple) -> ExprKind {
        ExprKind::Tuple(Box::new(node))
    }
}

impl From<ExprSlice> for ExprKind {
    #[inline]
    fn from(node: ExprSlice) -> ExprKind {
        ExprKind::Slice(Box::new(node))
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ExprContext {
    Load,
    Store,
    Del,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum BoolOp {
    And,
    Or,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Operator {
    Add,
    Sub,
    Mult,
    MatMult,
    Div,
    Mod,
    Pow,
    LShift,
    RShift,
    BitOr,
    BitXor,
    BitAnd,
    FloorDiv,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum UnaryOp {
    Invert,
    Not,
    UAdd,
    USub,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum CmpOp {
    Eq,
    NotEq,
    Lt,
    LtE,
    Gt,
    GtE,
    Is,
    IsNot,
    In,
    NotIn,
}

#[derive(Clone, Debug, PartialEq)]
pub struct Comprehension {
    pub target: Expr,
    pub iter: Expr,
    pub ifs: Vec<Expr>,
    pub is_async: i32,
}

#[derive(Clone, Debug, PartialEq)]
pub struct ExceptHandler {
    pub range: Range,
    pub type_: Option<Expr>,
    pub name: Option<Identifier>,
    pub body: Vec<Stmt>,
}

#[derive(Clone, Debug, PartialEq)]
pub struct Arguments {
    pub posonlyargs: Vec<Arg>,
    pub args: Vec<Arg>,
    pub vararg: Option<Box<Arg>>,
    pub kwonlyargs: Vec<Arg>,
    pub kw_defaults: Vec<Option<Expr>>,
    pub kwarg: Option<Box<Arg>>,
    pub defaults: Vec<Expr>,
}

#[derive(Clone, Debug, PartialEq)]
pub struct Arg {
    pub range: Range,
    pub arg: Identifier,
    pub annotation: Option<Expr>,
    pub type_comment: Option<PyStr>,
}

#[derive(Clone, Debug, PartialEq)]
pub struct Keyword {
    pub range: Range,
    pub arg: Option<Identifier>,
    pub value: Expr,
}

#[derive(Clone, Debug, PartialEq)]
pub struct Alias {
    pub range: Range,
    pub name: Identifier,
    pub asname: Option<Identifier>,
}

#[derive(Clone, Debug, PartialEq)]
pub struct WithItem {
    pub context_expr: Expr,
    pub optional_vars: Option<Expr>,
}

#[derive(Clone, Debug, PartialEq)]
pub struct MatchCase {
    pub pattern: Pattern,
    pub guard: Option<Expr>,
    pub body: Vec<Stmt>,
}

#[derive(Clone, Debug, PartialEq)]
pub struct Pattern {
    pub range: Range,
    pub kind: PatternKind,
}

#[derive(Clone, Debug, PartialEq)]
pub enum PatternKind {
    MatchValue(Box<PatternMatchValue>),
    MatchSingleton(Box<PatternMatchSingleton>),
    MatchSequence(Box<PatternMatchSequence>),
    MatchMapping(Box<PatternMatchMapping>),
    MatchClass(Box<PatternMatchClass>),
    MatchStar(Box<PatternMatchStar>),
    MatchAs(Box<PatternMatchAs>),
    MatchOr(Box<PatternMatchOr>),
}

#[derive(Clone, Debug, PartialEq)]
pub struct PatternMatchValue {
    pub value: Expr,
}

#[derive(Clone, Debug, PartialEq)]
pub struct PatternMatchSingleton {
    pub value: Constant,
}

#[derive(Clone, Debug, PartialEq)]
pub struct PatternMatchSequence {
    pub patterns: Vec<Pattern>,
}

#[derive(Clone, Debug, PartialEq)]
pub struct PatternMatchMapping {
    pub keys: Vec<Expr>,
    pub patterns: Vec<Pattern>,
    pub rest: Option<Identifier>,
}

#[derive(Clone, Debug, PartialEq)]
pub struct PatternMatchClass {
    pub cls: Expr,
    pub patterns: Vec<Pattern>,
    pub kwd_attrs: Vec<Identifier>,
    pub kwd_patterns: Vec<Pattern>,
}

#[derive(Clone, Debug, PartialEq)]
pub struct PatternMatchStar {
    pub name: Option<Identifier>,
}

#[derive(Clone, Debug, PartialEq)]
pub struct PatternMatchAs {
    pub pattern: Option<Box<Pattern>>,
    pub name: Option<Identifier>,
}

#[derive(Clone, Debug, PartialEq)]
pub struct PatternMatchOr {
    pub patterns: Vec<Pattern>,
}

impl From<PatternMatchValue> for PatternKind {
    #[inline]
    fn from(node: PatternMatchValue) -> PatternKind {
        PatternKind::MatchValue(Box::new(node))
    }
}

impl From<PatternMatchSingleton> for PatternKind {
    #[inline]
    fn from(node: PatternMatchSingleton) -> PatternKind {
        PatternKind::MatchSingleton(Box::new(node))
    }
}

impl From<PatternMatchSequence> for PatternKind {
    #[inline]
    fn from(node: PatternMatchSequence) -> PatternKind {
        PatternKind::MatchSequence(Box::new(node))
    }
}

impl From<PatternMatchMapping> for PatternKind {
    #[inline]
    fn from(node: PatternMatchMapping) -> PatternKind {
        PatternKind::MatchMapping(Box::new(node))
    }
}

impl From<PatternMatchClass> for PatternKind {
    #[inline]
    fn from(node: PatternMatchClass) -> PatternKind {
        PatternKind::MatchClass(Box::new(node))
    }
}

impl From<PatternMatchStar> for PatternKind {
    #[inline]
    fn from(node: PatternMatchStar) -> PatternKind {
        PatternKind::MatchStar(Box::new(node))
    }
}

impl From<PatternMatchAs> for PatternKind {
    #[inline]
    fn from(node: PatternMatchAs) -> PatternKind {
        PatternKind::MatchAs(Box::new(node))
    }
}

impl From<PatternMatchOr> for PatternKind {
    #[inline]
    fn from(node: PatternMatchOr) -> PatternKind {
        PatternKind::MatchOr(Box::new(node))
    }
}

#[derive(Clone, Debug, PartialEq)]
pub struct TypeIgnore {
    pub lineno: i32,
    pub tag: PyStr,
}

#[derive(Clone, Debug, PartialEq)]
pub struct TypeParam {
    pub range: Range,
    pub kind: TypeParamKind,
}

#[derive(Clone, Debug, PartialEq)]
pub enum TypeParamKind {
    TypeVar(Box<TypeParamTypeVar>),
    ParamSpec(Box<TypeParamParamSpec>),
    TypeVarTuple(Box<TypeParamTypeVarTuple>),
}

#[derive(Clone, Debug, PartialEq)]
pub struct TypeParamTypeVar {
    pub name: Identifier,
    pub bound: Option<Expr>,
    pub default_value: Option<Expr>,
}

#[derive(Clone, Debug, PartialEq)]
pub struct TypeParamParamSpec {
    pub name: Identifier,
    pub default_value: Option<Expr>,
}

#[derive(Clone, Debug, PartialEq)]
pub struct TypeParamTypeVarTuple {
    pub name: Identifier,
    pub default_value: Option<Expr>,
}

impl From<TypeParamTypeVar> for TypeParamKind {
    #[inline]
    fn from(node: TypeParamTypeVar) -> TypeParamKind {
        TypeParamKind::TypeVar(Box::new(node))
    }
}

impl From<TypeParamParamSpec> for TypeParamKind {
    #[inline]
    fn from(node: TypeParamParamSpec) -> TypeParamKind {
        TypeParamKind::ParamSpec(Box::new(node))
    }
}

impl From<TypeParamTypeVarTuple> for TypeParamKind {
    #[inline]
    fn from(node: TypeParamTypeVarTuple) -> TypeParamKind {
        TypeParamKind::TypeVarTuple(Box::new(node))
    }
}

/// Every node class, described.
pub mod describe {
    use super::{Count, FieldDescription, GroupDescription, NodeDescription};
    pub static MOD_MODULE: NodeDescription = NodeDescription {
        name: "Module",
        base: "mod",
        located: false,
        fields: &[
            FieldDescription { name: "body", kind: "stmt", count: Count::Many },
            FieldDescription { name: "type_ignores", kind: "type_ignore", count: Count::Many },
        ],
    };
    pub static MOD_INTERACTIVE: NodeDescription = NodeDescription {
        name: "Interactive",
        base: "mod",
        located: false,
        fields: &[FieldDescription { name: "body", kind: "stmt", count: Count::Many }],
    };
    pub static MOD_EXPRESSION: NodeDescription = NodeDescription {
        name: "Expression",
        base: "mod",
        located: false,
        fields: &[FieldDescription { name: "body", kind: "expr", count: Count::One }],
    };
    pub static MOD_FUNCTION_TYPE: NodeDescription = NodeDescription {
        name: "FunctionType",
        base: "mod",
        located: false,
        fields: &[
            FieldDescription { name: "argtypes", kind: "expr", count: Count::Many },
            FieldDescription { name: "returns", kind: "expr", count: Count::One },
        ],
    };
    pub static STMT_FUNCTION_DEF: NodeDescription = NodeDescription {
        name: "FunctionDef",
        base: "stmt",
        located: true,
        fields: &[
            FieldDescription { name: "name", kind: "identifier", count: Count::One },
            FieldDescription { name: "args", kind: "arguments", count: Count::One },
            FieldDescription { name: "body", kind: "stmt", count: Count::Many },
            FieldDescription { name: "decorator_list", kind: "expr", count: Count::Many },
            FieldDescription { name: "returns", kind: "expr", count: Count::Optional },
            FieldDescription { name: "type_comment", kind: "string", count: Count::Optional },
            FieldDescription { name: "type_params", kind: "type_param", count: Count::Many },
        ],
    };
    pub static STMT_ASYNC_FUNCTION_DEF: NodeDescription = NodeDescription {
        name: "AsyncFunctionDef",
        base: "stmt",
        located: true,
        fields: &[
            FieldDescription { name: "name", kind: "identifier", count: Count::One },
            FieldDescription { name: "args", kind: "arguments", count: Count::One },
            FieldDescription { name: "body", kind: "stmt", count: Count::Many },
            FieldDescription { name: "decorator_list", kind: "expr", count: Count::Many },
            FieldDescription { name: "returns", kind: "expr", count: Count::Optional },
            FieldDescription { name: "type_comment", kind: "string", count: Count::Optional },
            FieldDescription { name: "type_params", kind: "type_param", count: Count::Many },
        ],
    };
    pub static STMT_CLASS_DEF: NodeDescription = NodeDescription {
        name: "ClassDef",
        base: "stmt",
        located: true,
        fields: &[
            FieldDescription { name: "name", kind: "identifier", count: Count::One },
            FieldDescription { name: "bases", kind: "expr", count: Count::Many },
            FieldDescription { name: "keywords", kind: "keyword", count: Count::Many },
            FieldDescription { name: "body", kind: "stmt", count: Count::Many },
            FieldDescription { name: "decorator_list", kind: "expr", count: Count::Many },
            FieldDescription { name: "type_params", kind: "type_param", count: Count::Many },
        ],
    };
    pub static STMT_RETURN: NodeDescription = NodeDescription {
        name: "Return",
        base: "stmt",
        located: true,
        fields: &[FieldDescription { name: "value", kind: "expr", count: Count::Optional }],
    };
    pub static STMT_DELETE: NodeDescription = NodeDescription {
        name: "Delete",
        base: "stmt",
        located: true,
        fields: &[FieldDescription { name: "targets", kind: "expr", count: Count::Many }],
    };
    pub static STMT_ASSIGN: NodeDescription = NodeDescription {
        name: "Assign",
        base: "stmt",
        located: true,
        fields: &[
            FieldDescription { name: "targets", kind: "expr", count: Count::Many },
            FieldDescription { name: "value", kind: "expr", count: Count::One },
            FieldDescription { name: "type_comment", kind: "string", count: Count::Optional },
        ],
    };
    pub static STMT_TYPE_ALIAS: NodeDescription = NodeDescription {
        name: "TypeAlias",
        base: "stmt",
        located: true,
        fields: &[
            FieldDescription { name: "name", kind: "expr", count: Count::One },
            FieldDescription { name: "type_params", kind: "type_param", count: Count::Many },
            FieldDescription { name: "value", kind: "expr", count: Count::One },
        ],
    };
    pub static STMT_AUG_ASSIGN: NodeDescription = NodeDescription {
        name: "AugAssign",
        base: "stmt",
        located: true,
        fields: &[
            FieldDescription { name: "target", kind: "expr", count: Count::One },
            FieldDescription { name: "op", kind: "operator", count: Count::One },
            FieldDescription { name: "value", kind: "expr", count: Count::One },
        ],
    };
    pub static STMT_ANN_ASSIGN: NodeDescription = NodeDescription {
        name: "AnnAssign",
        base: "stmt",
        located: true,
        fields: &[
            FieldDescription { name: "target", kind: "expr", count: Count::One },
            FieldDescription { name: "annotation", kind: "expr", count: Count::One },
            FieldDescription { name: "value", kind: "expr", count: Count::Optional },
            FieldDescription { name: "simple", kind: "int", count: Count::One },
        ],
    };
    pub static STMT_FOR: NodeDescription = NodeDescription {
        name: "For",
        base: "stmt",
        located: true,
        fields: &[
            FieldDescription { name: "target", kind: "expr", count: Count::One },
            FieldDescription { name: "iter", kind: "expr", count: Count::One },
            FieldDescription { name: "body", kind: "stmt", count: Count::Many },
            FieldDescription { name: "orelse", kind: "stmt", count: Count::Many },
            FieldDescription { name: "type_comment", kind: "string", count: Count::Optional },
        ],
    };
    pub static STMT_ASYNC_FOR: NodeDescription = NodeDescription {
        name: "AsyncFor",
        base: "stmt",
        located: true,
        fields: &[
            FieldDescription { name: "target", kind: "expr", count: Count::One },
            FieldDescription { name: "iter", kind: "expr", count: Count::One },
            FieldDescription { name: "body", kind: "stmt", count: Count::Many },
            FieldDescription { name: "orelse", kind: "stmt", count: Count::Many },
            FieldDescription { name: "type_comment", kind: "string", count: Count::Optional },
        ],
    };
    pub static STMT_WHILE: NodeDescription = NodeDescription {
        name: "While",
        base: "stmt",
        located: true,
        fields: &[
            FieldDescription { name: "test", kind: "expr", count: Count::One },
            FieldDescription { name: "body", kind: "stmt", count: Count::Many },
            FieldDescription { name: "orelse", kind: "stmt", count: Count::Many },
        ],
    };
    pub static STMT_IF: NodeDescription = NodeDescription {
        name: "If",
        base: "stmt",
        located: true,
        fields: &[
            FieldDescription { name: "test", kind: "expr", count: Count::One },
            FieldDescription { name: "body", kind: "stmt", count: Count::Many },
            FieldDescription { name: "orelse", kind: "stmt", count: Count::Many },
        ],
    };
    pub static STMT_WITH: NodeDescription = NodeDescription {
        name: "With",
        base: "stmt",
        located: true,
        fields: &[
            FieldDescription { name: "items", kind: "withitem", count: Count::Many },
            FieldDescription { name: "body", kind: "stmt", count: Count::Many },
            FieldDescription { name: "type_comment", kind: "string", count: Count::Optional },
        ],
    };
    pub static STMT_ASYNC_WITH: NodeDescription = NodeDescription {
        name: "AsyncWith",
        base: "stmt",
        located: true,
        fields: &[
            FieldDescription { name: "items", kind: "withitem", count: Count::Many },
            FieldDescription { name: "body", kind: "stmt", count: Count::Many },
            FieldDescription { name: "type_comment", kind: "string", count: Count::Optional },
        ],
    };
    pub static STMT_MATCH: NodeDescription = NodeDescription {
        name: "Match",
        base: "stmt",
        located: true,
        fields: &[
            FieldDescription { name: "subject", kind: "expr", count: Count::One },
            FieldDescription { name: "cases", kind: "match_case", count: Count::Many },
        ],
    };
    pub static STMT_RAISE: NodeDescription = NodeDescription {
        name: "Raise",
        base: "stmt",
        located: true,
        fields: &[
            FieldDescription { name: "exc", kind: "expr", count: Count::Optional },
            FieldDescription { name: "cause", kind: "expr", count: Count::Optional },
        ],
    };
    pub static STMT_TRY: NodeDescription = NodeDescription {
        name: "Try",
        base: "stmt",
        located: true,
        fields: &[
            FieldDescription { name: "body", kind: "stmt", count: Count::Many },
            FieldDescription { name: "handlers", kind: "excepthandler", count: Count::Many },
            FieldDescription { name: "orelse", kind: "stmt", count: Count::Many },
            FieldDescription { name: "finalbody", kind: "stmt", count: Count::Many },
        ],
    };
    pub static STMT_TRY_STAR: NodeDescription = NodeDescription {
        name: "TryStar",
        base: "stmt",
        located: true,
        fields: &[
            FieldDescription { name: "body", kind: "stmt", count: Count::Many },
            FieldDescription { name: "handlers", kind: "excepthandler", count: Count::Many },
            FieldDescription { name: "orelse", kind: "stmt", count: Count::Many },
            FieldDescription { name: "finalbody", kind: "stmt", count: Count::Many },
        ],
    };
    pub static STMT_ASSERT: NodeDescription = NodeDescription {
        name: "Assert",
        base: "stmt",
        located: true,
        fields: &[
            FieldDescription { name: "test", kind: "expr", count: Count::One },
            FieldDescription { name: "msg", kind: "expr", count: Count::Optional },
        ],
    };
    pub static STMT_IMPORT: NodeDescription = NodeDescription {
        name: "Import",
        base: "stmt",
        located: true,
        fields: &[FieldDescription { name: "names", kind: "alias", count: Count::Many }],
    };
    pub static STMT_IMPORT_FROM: NodeDescription = NodeDescription {
        name: "ImportFrom",
        base: "stmt",
        located: true,
        fields: &[
            FieldDescription { name: "module", kind: "identifier", count: Count::Optional },
            FieldDescription { name: "names", kind: "alias", count: Count::Many },
            FieldDescription { name: "level", kind: "int", count: Count::Optional },
        ],
    };
    pub static STMT_GLOBAL: NodeDescription = NodeDescription {
        name: "Global",
        base: "stmt",
        located: true,
        fields: &[FieldDescription { name: "names", kind: "identifier", count: Count::Many }],
    };
    pub static STMT_NONLOCAL: NodeDescription = NodeDescription {
        name: "Nonlocal",
        base: "stmt",
        located: true,
        fields: &[FieldDescription { name: "names", kind: "identifier", count: Count::Many }],
    };
    pub static STMT_EXPR: NodeDescription = NodeDescription {
        name: "Expr",
        base: "stmt",
        located: true,
        fields: &[FieldDescription { name: "value", kind: "expr", count: Count::One }],
    };
    pub static STMT_PASS: NodeDescription =
        NodeDescription { name: "Pass", base: "stmt", located: true, fields: &[] };
    pub static STMT_BREAK: NodeDescription =
        NodeDescription { name: "Break", base: "stmt", located: true, fields: &[] };
    pub static STMT_CONTINUE: NodeDescription =
        NodeDescription { name: "Continue", base: "stmt", located: true, fields: &[] };
    pub static EXPR_BOOL_OP: NodeDescription = NodeDescription {
        name: "BoolOp",
        base: "expr",
        located: true,
        fields: &[
            FieldDescription { name: "op", kind: "boolop", count: Count::One },
            FieldDescription { name: "values", kind: "expr", count: Count::Many },
        ],
    };
    pub static EXPR_NAMED_EXPR: NodeDescription = NodeDescription {
        name: "NamedExpr",
        base: "expr",
        located: true,
        fields: &[
            FieldDescription { name: "target", kind: "expr", count: Count::One },
            FieldDescription { name: "value", kind: "expr", count: Count::One },
        ],
    };
    pub static EXPR_BIN_OP: NodeDescription = NodeDescription {
        name: "BinOp",
        base: "expr",
        located: true,
        fields: &[
            FieldDescription { name: "left", kind: "expr", count: Count::One },
            FieldDescription { name: "op", kind: "operator", count: Count::One },
            FieldDescription { name: "right", kind: "expr", count: Count::One },
        ],
    };
    pub static EXPR_UNARY_OP: NodeDescription = NodeDescription {
        name: "UnaryOp",
        base: "expr",
        located: true,
        fields: &[
            FieldDescription { name: "op", kind: "unaryop", count: Count::One },
            FieldDescription { name: "operand", kind: "expr", count: Count::One },
        ],
    };
    pub static EXPR_LAMBDA: NodeDescription = NodeDescription {
        name: "Lambda",
        base: "expr",
        located: true,
        fields: &[
            FieldDescription { name: "args", kind: "arguments", count: Count::One },
            FieldDescription { name: "body", kind: "expr", count: Count::One },
        ],
    };
    pub static EXPR_IF_EXP: NodeDescription = NodeDescription {
        name: "IfExp",
        base: "expr",
        located: true,
        fields: &[
            FieldDescription { name: "test", kind: "expr", count: Count::One },
            FieldDescription { name: "body", kind: "expr", count: Count::One },
            FieldDescription { name: "orelse", kind: "expr", count: Count::One },
        ],
    };
    pub static EXPR_DICT: NodeDescription = NodeDescription {
        name: "Dict",
        base: "expr",
        located: true,
        fields: &[
            FieldDescription { name: "keys", kind: "expr", count: Count::ManyOptional },
            FieldDescription { name: "values", kind: "expr", count: Count::Many },
        ],
    };
    pub static EXPR_SET: NodeDescription = NodeDescription {
        name: "Set",
        base: "expr",
        located: true,
        fields: &[FieldDescription { name: "elts", kind: "expr", count: Count::Many }],
    };
    pub static EXPR_LIST_COMP: NodeDescription = NodeDescription {
        name: "ListComp",
        base: "expr",
        located: true,
        fields: &[
            FieldDescription { name: "elt", kind: "expr", count: Count::One },
            FieldDescription { name: "generators", kind: "comprehension", count: Count::Many },
        ],
    };
    pub static EXPR_SET_COMP: NodeDescription = NodeDescription {
        name: "SetComp",
        base: "expr",
        located: true,
        fields: &[
            FieldDescription { name: "elt", kind: "expr", count: Count::One },
            FieldDescription { name: "generators", kind: "comprehension", count: Count::Many },
        ],
    };
    pub static EXPR_DICT_COMP: NodeDescription = NodeDescription {
        name: "DictComp",
        base: "expr",
        located: true,
        fields: &[
            FieldDescription { name: "key", kind: "expr", count: Count::One },
            FieldDescription { name: "value", kind: "expr", count: Count::One },
            FieldDescription { name: "generators", kind: "comprehension", count: Count::Many },
        ],
    };
    pub static EXPR_GENERATOR_EXP: NodeDescription = NodeDescription {
        name: "GeneratorExp",
        base: "expr",
        located: true,
        fields: &[
            FieldDescription { name: "elt", kind: "expr", count: Count::One },
            FieldDescription { name: "generators", kind: "comprehension", count: Count::Many },
        ],
    };
    pub static EXPR_AWAIT: NodeDescription = NodeDescription {
        name: "Await",
        base: "expr",
        located: true,
        fields: &[FieldDescription { name: "value", kind: "expr", count: Count::One }],
    };
    pub static EXPR_YIELD: NodeDescription = NodeDescription {
        name: "Yield",
        base: "expr",
        located: true,
        fields: &[FieldDescription { name: "value", kind: "expr", count: Count::Optional }],
    };
    pub static EXPR_YIELD_FROM: NodeDescription = NodeDescription {
        name: "YieldFrom",
        base: "expr",
        located: true,
        fields: &[FieldDescription { name: "value", kind: "expr", count: Count::One }],
    };
    pub static EXPR_COMPARE: NodeDescription = NodeDescription {
        name: "Compare",
        base: "expr",
        located: true,
        fields: &[
            FieldDescription { name: "left", kind: "expr", count: Count::One },
            FieldDescription { name: "ops", kind: "cmpop", count: Count::Many },
            FieldDescription { name: "comparators", kind: "expr", count: Count::Many },
        ],
    };
    pub static EXPR_CALL: NodeDescription = NodeDescription {
        name: "Call",
        base: "expr",
        located: true,
        fields: &[
            FieldDescription { name: "func", kind: "expr", count: Count::One },
            FieldDescription { name: "args", kind: "expr", count: Count::Many },
            FieldDescription { name: "keywords", kind: "keyword", count: Count::Many },
        ],
    };
    pub static EXPR_FORMATTED_VALUE: NodeDescription = NodeDescription {
        name: "FormattedValue",
        base: "expr",
        located: true,
        fields: &[
            FieldDescription { name: "value", kind: "expr", count: Count::One },
            FieldDescription { name: "conversion", kind: "int", count: Count::One },
            FieldDescription { name: "format_spec", kind: "expr", count: Count::Optional },
        ],
    };
    pub static EXPR_INTERPOLATION: NodeDescription = NodeDescription {
        name: "Interpolation",
        base: "expr",
        located: true,
        fields: &[
            FieldDescription { name: "value", kind: "expr", count: Count::One },
            FieldDescription { name: "str", kind: "constant", count: Count::One },
            FieldDescription { name: "conversion", kind: "int", count: Count::One },
            FieldDescription { name: "format_spec", kind: "expr", count: Count::Optional },
        ],
    };
    pub static EXPR_JOINED_STR: NodeDescription = NodeDescription {
        name: "JoinedStr",
        base: "expr",
        located: true,
        fields: &[FieldDescription { name: "values", kind: "expr", count: Count::Many }],
    };
    pub static EXPR_TEMPLATE_STR: NodeDescription = NodeDescription {
        name: "TemplateStr",
        base: "expr",
        located: true,
        fields: &[FieldDescription { name: "values", kind: "expr", count: Count::Many }],
    };
    pub static EXPR_CONSTANT: NodeDescription = NodeDescription {
        name: "Constant",
        base: "expr",
        located: true,
        fields: &[
            FieldDescription { name: "value", kind: "constant", count: Count::One },
            FieldDescription { name: "kind", kind: "string", count: Count::Optional },
        ],
    };
    pub static EXPR_ATTRIBUTE: NodeDescription = NodeDescription {
        name: "Attribute",
        base: "expr",
        located: true,
        fields: &[
            FieldDescription { name: "value", kind: "expr", count: Count::One },
            FieldDescription { name: "attr", kind: "identifier", count: Count::One },
            FieldDescription { name: "ctx", kind: "expr_context", count: Count::One },
        ],
    };
    pub static EXPR_SUBSCRIPT: NodeDescription = NodeDescription {
        name: "Subscript",
        base: "expr",
        located: true,
        fields: &[
            FieldDescription { name: "value", kind: "expr", count: Count::One },
            FieldDescription { name: "slice", kind: "expr", count: Count::One },
            FieldDescription { name: "ctx", kind: "expr_context", count: Count::One },
        ],
    };
    pub static EXPR_STARRED: NodeDescription = NodeDescription {
        name: "Starred",
        base: "expr",
        located: true,
        fields: &[
            FieldDescription { name: "value", kind: "expr", count: Count::One },
            FieldDescription { name: "ctx", kind: "expr_context", count: Count::One },
        ],
    };
    pub static EXPR_NAME: NodeDescription = NodeDescription {
        name: "Name",
        base: "expr",
        located: true,
        fields: &[
            FieldDescription { name: "id", kind: "identifier", count: Count::One },
            FieldDescription { name: "ctx", kind: "expr_context", count: Count::One },
        ],
    };
    pub static EXPR_LIST: NodeDescription = NodeDescription {
        name: "List",
        base: "expr",
        located: true,
        fields: &[
            FieldDescription { name: "elts", kind: "expr", count: Count::Many },
            FieldDescription { name: "ctx", kind: "expr_context", count: Count::One },
        ],
    };
    pub static EXPR_TUPLE: NodeDescription = NodeDescription {
        name: "Tuple",
        base: "expr",
        located: true,
        fields: &[
            FieldDescription { name: "elts", kind: "expr", count: Count::Many },
            FieldDescription { name: "ctx", kind: "expr_context", count: Count::One },
        ],
    };
    pub static EXPR_SLICE: NodeDescription = NodeDescription {
        name: "Slice",
        base: "expr",
        located: true,
        fields: &[
            FieldDescription { name: "lower", kind: "expr", count: Count::Optional },
            FieldDescription { name: "upper", kind: "expr", count: Count::Optional },
            FieldDescription { name: "step", kind: "expr", count: Count::Optional },
        ],
    };
    pub static EXPR_CONTEXT_LOAD: NodeDescription =
        NodeDescription { name: "Load", base: "expr_context", located: false, fields: &[] };
    pub static EXPR_CONTEXT_STORE: NodeDescription =
        NodeDescription { name: "Store", base: "expr_context", located: false, fields: &[] };
    pub static EXPR_CONTEXT_DEL: NodeDescription =
        NodeDescription { name: "Del", base: "expr_context", located: false, fields: &[] };
    pub static BOOL_OP_AND: NodeDescription =
        NodeDescription { name: "And", base: "boolop", located: false, fields: &[] };
    pub static BOOL_OP_OR: NodeDescription =
        NodeDescription { name: "Or", base: "boolop", located: false, fields: &[] };
    pub static OPERATOR_ADD: NodeDescription =
        NodeDescription { name: "Add", base: "operator", located: false, fields: &[] };
    pub static OPERATOR_SUB: NodeDescription =
        NodeDescription { name: "Sub", base: "operator", located: false, fields: &[] };
    pub static OPERATOR_MULT: NodeDescription =
        NodeDescription { name: "Mult", base: "operator", located: false, fields: &[] };
    pub static OPERATOR_MAT_MULT: NodeDescription =
        NodeDescription { name: "MatMult", base: "operator", located: false, fields: &[] };
    pub static OPERATOR_DIV: NodeDescription =
        NodeDescription { name: "Div", base: "operator", located: false, fields: &[] };
    pub static OPERATOR_MOD: NodeDescription =
        NodeDescription { name: "Mod", base: "operator", located: false, fields: &[] };
    pub static OPERATOR_POW: NodeDescription =
        NodeDescription { name: "Pow", base: "operator", located: false, fields: &[] };
    pub static OPERATOR_L_SHIFT: NodeDescription =
        NodeDescription { name: "LShift", base: "operator", located: false, fields: &[] };
    pub static OPERATOR_R_SHIFT: NodeDescription =
        NodeDescription { name: "RShift", base: "operator", located: false, fields: &[] };
    pub static OPERATOR_BIT_OR: NodeDescription =
        NodeDescription { name: "BitOr", base: "operator", located: false, fields: &[] };
    pub static OPERATOR_BIT_XOR: NodeDescription =
        NodeDescription { name: "BitXor", base: "operator", located: false, fields: &[] };
    pub static OPERATOR_BIT_AND: NodeDescription =
        NodeDescription { name: "BitAnd", base: "operator", located: false, fields: &[] };
    pub static OPERATOR_FLOOR_DIV: NodeDescription =
        NodeDescription { name: "FloorDiv", base: "operator", located: false, fields: &[] };
    pub static UNARY_OP_INVERT: NodeDescription =
        NodeDescription { name: "Invert", base: "unaryop", located: false, fields: &[] };
    pub static UNARY_OP_NOT: NodeDescription =
        NodeDescription { name: "Not", base: "unaryop", located: false, fields: &[] };
    pub static UNARY_OP_U_ADD: NodeDescription =
        NodeDescription { name: "UAdd", base: "unaryop", located: false, fields: &[] };
    pub static UNARY_OP_U_SUB: NodeDescription =
        NodeDescription { name: "USub", base: "unaryop", located: false, fields: &[] };
    pub static CMP_OP_EQ: NodeDescription =
        NodeDescription { name: "Eq", base: "cmpop", located: false, fields: &[] };
    pub static CMP_OP_NOT_EQ: NodeDescription =
        NodeDescription { name: "NotEq", base: "cmpop", located: false, fields: &[] };
    pub static CMP_OP_LT: NodeDescription =
        NodeDescription { name: "Lt", base: "cmpop", located: false, fields: &[] };
    pub static CMP_OP_LT_E: NodeDescription =
        NodeDescription { name: "LtE", base: "cmpop", located: false, fields: &[] };
    pub static CMP_OP_GT: NodeDescription =
        NodeDescription { name: "Gt", base: "cmpop", located: false, fields: &[] };
    pub static CMP_OP_GT_E: NodeDescription =
        NodeDescription { name: "GtE", base: "cmpop", located: false, fields: &[] };
    pub static CMP_OP_IS: NodeDescription =
        NodeDescription { name: "Is", base: "cmpop", located: false, fields: &[] };
    pub static CMP_OP_IS_NOT: NodeDescription =
        NodeDescription { name: "IsNot", base: "cmpop", located: false, fields: &[] };
    pub static CMP_OP_IN: NodeDescription =
        NodeDescription { name: "In", base: "cmpop", located: false, fields: &[] };
    pub static CMP_OP_NOT_IN: NodeDescription =
        NodeDescription { name: "NotIn", base: "cmpop", located: false, fields: &[] };
    pub static COMPREHENSION_COMPREHENSION: NodeDescription = NodeDescription {
        name: "comprehension",
        base: "AST",
        located: false,
        fields: &[
            FieldDescription { name: "target", kind: "expr", count: Count::One },
            FieldDescription { name: "iter", kind: "expr", count: Count::One },
            FieldDescription { name: "ifs", kind: "expr", count: Count::Many },
            FieldDescription { name: "is_async", kind: "int", count: Count::One },
        ],
    };
    pub static EXCEPT_HANDLER_EXCEPT_HANDLER: NodeDescription = NodeDescription {
        name: "ExceptHandler",
        base: "excepthandler",
        located: true,
        fields: &[
            FieldDescription { name: "type", kind: "expr", count: Count::Optional },
            FieldDescription { name: "name", kind: "identifier", count: Count::Optional },
            FieldDescription { name: "body", kind: "stmt", count: Count::Many },
        ],
    };
    pub static ARGUMENTS_ARGUMENTS: NodeDescription = NodeDescription {
        name: "arguments",
        base: "AST",
        located: false,
        fields: &[
            FieldDescription { name: "posonlyargs", kind: "arg", count: Count::Many },
            FieldDescription { name: "args", kind: "arg", count: Count::Many },
            FieldDescription { name: "vararg", kind: "arg", count: Count::Optional },
            FieldDescription { name: "kwonlyargs", kind: "arg", count: Count::Many },
            FieldDescription { name: "kw_defaults", kind: "expr", count: Count::ManyOptional },
            FieldDescription { name: "kwarg", kind: "arg", count: Count::Optional },
            FieldDescription { name: "defaults", kind: "expr", count: Count::Many },
        ],
    };
    pub static ARG_ARG: NodeDescription = NodeDescription {
        name: "arg",
        base: "AST",
        located: true,
        fields: &[
            FieldDescription { name: "arg", kind: "identifier", count: Count::One },
            FieldDescription { name: "annotation", kind: "expr", count: Count::Optional },
            FieldDescription { name: "type_comment", kind: "string", count: Count::Optional },
        ],
    };
    pub static KEYWORD_KEYWORD: NodeDescription = NodeDescription {
        name: "keyword",
        base: "AST",
        located: true,
        fields: &[
            FieldDescription { name: "arg", kind: "identifier", count: Count::Optional },
            FieldDescription { name: "value", kind: "expr", count: Count::One },
        ],
    };
    pub static ALIAS_ALIAS: NodeDescription = NodeDescription {
        name: "alias",
        base: "AST",
        located: true,
        fields: &[
            FieldDescription { name: "name", kind: "identifier", count: Count::One },
            FieldDescription { name: "asname", kind: "identifier", count: Count::Optional },
        ],
    };
    pub static WITH_ITEM_WITHITEM: NodeDescription = NodeDescription {
        name: "withitem",
        base: "AST",
        located: false,
        fields: &[
            FieldDescription { name: "context_expr", kind: "expr", count: Count::One },
            FieldDescription { name: "optional_vars", kind: "expr", count: Count::Optional },
        ],
    };
    pub static MATCH_CASE_MATCH_CASE: NodeDescription = NodeDescription {
        name: "match_case",
        base: "AST",
        located: false,
        fields: &[
            FieldDescription { name: "pattern", kind: "pattern", count: Count::One },
            FieldDescription { name: "guard", kind: "expr", count: Count::Optional },
            FieldDescription { name: "body", kind: "stmt", count: Count::Many },
        ],
    };
    pub static PATTERN_MATCH_VALUE: NodeDescription = NodeDescription {
        name: "MatchValue",
        base: "pattern",
        located: true,
        fields: &[FieldDescription { name: "value", kind: "expr", count: Count::One }],
    };
    pub static PATTERN_MATCH_SINGLETON: NodeDescription = NodeDescription {
        name: "MatchSingleton",
        base: "pattern",
        located: true,
        fields: &[FieldDescription { name: "value", kind: "constant", count: Count::One }],
    };
    pub static PATTERN_MATCH_SEQUENCE: NodeDescription = NodeDescription {
        name: "MatchSequence",
        base: "pattern",
        located: true,
        fields: &[FieldDescription { name: "patterns", kind: "pattern", count: Count::Many }],
    };
    pub static PATTERN_MATCH_MAPPING: NodeDescription = NodeDescription {
        name: "MatchMapping",
        base: "pattern",
        located: true,
        fields: &[
            FieldDescription { name: "keys", kind: "expr", count: Count::Many },
            FieldDescription { name: "patterns", kind: "pattern", count: Count::Many },
            FieldDescription { name: "rest", kind: "identifier", count: Count::Optional },
        ],
    };
    pub static PATTERN_MATCH_CLASS: NodeDescription = NodeDescription {
        name: "MatchClass",
        base: "pattern",
        located: true,
        fields: &[
            FieldDescription { name: "cls", kind: "expr", count: Count::One },
            FieldDescription { name: "patterns", kind: "pattern", count: Count::Many },
            FieldDescription { name: "kwd_attrs", kind: "identifier", count: Count::Many },
            FieldDescription { name: "kwd_patterns", kind: "pattern", count: Count::Many },
        ],
    };
    pub static PATTERN_MATCH_STAR: NodeDescription = NodeDescription {
        name: "MatchStar",
        base: "pattern",
        located: true,
        fields: &[FieldDescription { name: "name", kind: "identifier", count: Count::Optional }],
    };
    pub static PATTERN_MATCH_AS: NodeDescription = NodeDescription {
        name: "MatchAs",
        base: "pattern",
        located: true,
        fields: &[
            FieldDescription { name: "pattern", kind: "pattern", count: Count::Optional },
            FieldDescription { name: "name", kind: "identifier", count: Count::Optional },
        ],
    };
    pub static PATTERN_MATCH_OR: NodeDescription = NodeDescription {
        name: "MatchOr",
        base: "pattern",
        located: true,
        fields: &[FieldDescription { name: "patterns", kind: "pattern", count: Count::Many }],
    };
    pub static TYPE_IGNORE_TYPE_IGNORE: NodeDescription = NodeDescription {
        name: "TypeIgnore",
        base: "type_ignore",
        located: false,
        fields: &[
            FieldDescription { name: "lineno", kind: "int", count: Count::One },
            FieldDescription { name: "tag", kind: "string", count: Count::One },
        ],
    };
    pub static TYPE_PARAM_TYPE_VAR: NodeDescription = NodeDescription {
        name: "TypeVar",
        base: "type_param",
        located: true,
        fields: &[
            FieldDescription { name: "name", kind: "identifier", count: Count::One },
            FieldDescription { name: "bound", kind: "expr", count: Count::Optional },
            FieldDescription { name: "default_value", kind: "expr", count: Count::Optional },
        ],
    };
    pub static TYPE_PARAM_PARAM_SPEC: NodeDescription = NodeDescription {
        name: "ParamSpec",
        base: "type_param",
        located: true,
        fields: &[
            FieldDescription { name: "name", kind: "identifier", count: Count::One },
            FieldDescription { name: "default_value", kind: "expr", count: Count::Optional },
        ],
    };
    pub static TYPE_PARAM_TYPE_VAR_TUPLE: NodeDescription = NodeDescription {
        name: "TypeVarTuple",
        base: "type_param",
        located: true,
        fields: &[
            FieldDescription { name: "name", kind: "identifier", count: Count::One },
            FieldDescription { name: "default_value", kind: "expr", count: Count::Optional },
        ],
    };
    pub static GROUPS: &[GroupDescription] = &[
        GroupDescription {
            name: "mod",
            is_sum: true,
            located: false,
            members: &[&MOD_MODULE, &MOD_INTERACTIVE, &MOD_EXPRESSION, &MOD_FUNCTION_TYPE],
        },
        GroupDescription {
            name: "stmt",
            is_sum: true,
            located: true,
            members: &[
                &STMT_FUNCTION_DEF,
                &STMT_ASYNC_FUNCTION_DEF,
                &STMT_CLASS_DEF,
                &STMT_RETURN,
                &STMT_DELETE,
                &STMT_ASSIGN,
                &STMT_TYPE_ALIAS,
                &STMT_AUG_ASSIGN,
                &STMT_ANN_ASSIGN,
                &STMT_FOR,
                &STMT_ASYNC_FOR,
                &STMT_WHILE,
                &STMT_IF,
                &STMT_WITH,
                &STMT_ASYNC_WITH,
                &STMT_MATCH,
                &STMT_RAISE,
                &STMT_TRY,
                &STMT_TRY_STAR,
                &STMT_ASSERT,
                &STMT_IMPORT,
                &STMT_IMPORT_FROM,
                &STMT_GLOBAL,
                &STMT_NONLOCAL,
                &STMT_EXPR,
                &STMT_PASS,
                &STMT_BREAK,
                &STMT_CONTINUE,
            ],
        },
        GroupDescription {
            name: "expr",
            is_sum: true,
            located: true,
            members: &[
                &EXPR_BOOL_OP,
                &EXPR_NAMED_EXPR,
                &EXPR_BIN_OP,
                &EXPR_UNARY_OP,
                &EXPR_LAMBDA,
                &EXPR_IF_EXP,
                &EXPR_DICT,
                &EXPR_SET,
                &EXPR_LIST_COMP,
                &EXPR_SET_COMP,
                &EXPR_DICT_COMP,
                &EXPR_GENERATOR_EXP,
                &EXPR_AWAIT,
                &EXPR_YIELD,
                &EXPR_YIELD_FROM,
                &EXPR_COMPARE,
                &EXPR_CALL,
                &EXPR_FORMATTED_VALUE,
                &EXPR_INTERPOLATION,
                &EXPR_JOINED_STR,
                &EXPR_TEMPLATE_STR,
                &EXPR_CONSTANT,
                &EXPR_ATTRIBUTE,
                &EXPR_SUBSCRIPT,
                &EXPR_STARRED,
                &EXPR_NAME,
                &EXPR_LIST,
                &EXPR_TUPLE,
                &EXPR_SLICE,
            ],
        },
        GroupDescription {
            name: "expr_context",
            is_sum: true,
            located: false,
            members: &[&EXPR_CONTEXT_LOAD, &EXPR_CONTEXT_STORE, &EXPR_CONTEXT_DEL],
        },
        GroupDescription {
            name: "boolop",
            is_sum: true,
            located: false,
            members: &[&BOOL_OP_AND, &BOOL_OP_OR],
        },
        GroupDescription {
            name: "operator",
            is_sum: true,
            located: false,
            members: &[
                &OPERATOR_ADD,
                &OPERATOR_SUB,
                &OPERATOR_MULT,
                &OPERATOR_MAT_MULT,
                &OPERATOR_DIV,
                &OPERATOR_MOD,
                &OPERATOR_POW,
                &OPERATOR_L_SHIFT,
                &OPERATOR_R_SHIFT,
                &OPERATOR_BIT_OR,
                &OPERATOR_BIT_XOR,
                &OPERATOR_BIT_AND,
                &OPERATOR_FLOOR_DIV,
            ],
        },
        GroupDescription {
            name: "unaryop",
            is_sum: true,
            located: false,
            members: &[&UNARY_OP_INVERT, &UNARY_OP_NOT, &UNARY_OP_U_ADD, &UNARY_OP_U_SUB],
        },
        GroupDescription {
            name: "cmpop",
            is_sum: true,
            located: false,
            members: &[
                &CMP_OP_EQ,
                &CMP_OP_NOT_EQ,
                &CMP_OP_LT,
                &CMP_OP_LT_E,
                &CMP_OP_GT,
                &CMP_OP_GT_E,
                &CMP_OP_IS,
                &CMP_OP_IS_NOT,
                &CMP_OP_IN,
                &CMP_OP_NOT_IN,
            ],
        },
        GroupDescription {
            name: "comprehension",
            is_sum: false,
            located: false,
            members: &[&COMPREHENSION_COMPREHENSION],
        },
        GroupDescription {
            name: "excepthandler",
            is_sum: true,
            located: true,
            members: &[&EXCEPT_HANDLER_EXCEPT_HANDLER],
        },
        GroupDescription {
            name: "arguments",
            is_sum: false,
            located: false,
            members: &[&ARGUMENTS_ARGUMENTS],
        },
        GroupDescription { name: "arg", is_sum: false, located: true, members: &[&ARG_ARG] },
        GroupDescription { name: "keyword", is_sum: false, located: true, members: &[&KEYWORD_KEYWORD] },
        GroupDescription { name: "alias", is_sum: false, located: true, members: &[&ALIAS_ALIAS] },
        GroupDescription { name: "withitem", is_sum: false, located: false, members: &[&WITH_ITEM_WITHITEM] },
        GroupDescription {
            name: "match_case",
            is_sum: false,
            located: false,
            members: &[&MATCH_CASE_MATCH_CASE],
        },
        GroupDescription {
            name: "pattern",
            is_sum: true,
            located: true,
            members: &[
                &PATTERN_MATCH_VALUE,
                &PATTERN_MATCH_SINGLETON,
                &PATTERN_MATCH_SEQUENCE,
                &PATTERN_MATCH_MAPPING,
                &PATTERN_MATCH_CLASS,
                &PATTERN_MATCH_STAR,
                &PATTERN_MATCH_AS,
                &PATTERN_MATCH_OR,
            ],
        },
        GroupDescription {
            name: "type_ignore",
            is_sum: true,
            located: false,
            members: &[&TYPE_IGNORE_TYPE_IGNORE],
        },
        GroupDescription {
            name: "type_param",
            is_sum: true,
            located: true,
            members: &[&TYPE_PARAM_TYPE_VAR, &TYPE_PARAM_PARAM_SPEC, &TYPE_PARAM_TYPE_VAR_TUPLE],
        },
    ];
}

/// A borrowed node of any class.
#[derive(Clone, Copy)]
pub enum NodeRef<'a> {
    Mod(&'a Mod),
    Stmt(&'a Stmt),
    Expr(&'a Expr),
    ExprContext(ExprContext),
    BoolOp(BoolOp),
    Operator(Operator),
    UnaryOp(UnaryOp),
    CmpOp(CmpOp),
    Comprehension(&'a Comprehension),
    ExceptHandler(&'a ExceptHandler),
    Arguments(&'a Arguments),
    Arg(&'a Arg),
    Keyword(&'a Keyword),
    Alias(&'a Alias),
    WithItem(&'a WithItem),
    MatchCase(&'a MatchCase),
    Pattern(&'a Pattern),
    TypeIgnore(&'a TypeIgnore),
    TypeParam(&'a TypeParam),
}

/// A borrowed list of nodes of one class.
#[derive(Clone, Copy)]
pub enum NodesRef<'a> {
    Mod(&'a [Mod]),
    Stmt(&'a [Stmt]),
    Expr(&'a [Expr]),
    ExprContext(&'a [ExprContext]),
    BoolOp(&'a [BoolOp]),
    Operator(&'a [Operator]),
    UnaryOp(&'a [UnaryOp]),
    CmpOp(&'a [CmpOp]),
    Comprehension(&'a [Comprehension]),
    ExceptHandler(&'a [ExceptHandler]),
    Arguments(&'a [Arguments]),
    Arg(&'a [Arg]),
    Keyword(&'a [Keyword]),
    Alias(&'a [Alias]),
    WithItem(&'a [WithItem]),
    MatchCase(&'a [MatchCase]),
    Pattern(&'a [Pattern]),
    TypeIgnore(&'a [TypeIgnore]),
    TypeParam(&'a [TypeParam]),
    OptionalExpr(&'a [Option<Expr>]),
}

impl<'a> NodesRef<'a> {
    /// How many items.
    pub fn len(self) -> usize {
        match self {
            NodesRef::Mod(list) => list.len(),
            NodesRef::Stmt(list) => list.len(),
            NodesRef::Expr(list) => list.len(),
            NodesRef::ExprContext(list) => list.len(),
            NodesRef::BoolOp(list) => list.len(),
            NodesRef::Operator(list) => list.len(),
            NodesRef::UnaryOp(list) => list.len(),
            NodesRef::CmpOp(list) => list.len(),
            NodesRef::Comprehension(list) => list.len(),
            NodesRef::ExceptHandler(list) => list.len(),
            NodesRef::Arguments(list) => list.len(),
            NodesRef::Arg(list) => list.len(),
            NodesRef::Keyword(list) => list.len(),
            NodesRef::Alias(list) => list.len(),
            NodesRef::WithItem(list) => list.len(),
            NodesRef::MatchCase(list) => list.len(),
            NodesRef::Pattern(list) => list.len(),
            NodesRef::TypeIgnore(list) => list.len(),
            NodesRef::TypeParam(list) => list.len(),
            NodesRef::OptionalExpr(list) => list.len(),
        }
    }

    /// Whether there is no item.
    pub fn is_empty(self) -> bool {
        self.len() == 0
    }

    /// The item at `index`; `None` where the list holds `None`.
    pub fn get(self, index: usize) -> Option<NodeRef<'a>> {
        match self {
            NodesRef::Mod(list) => Some(NodeRef::Mod(&list[index])),
            NodesRef::Stmt(list) => Some(NodeRef::Stmt(&list[index])),
            NodesRef::Expr(list) => Some(NodeRef::Expr(&list[index])),
            NodesRef::ExprContext(list) => Some(NodeRef::ExprContext(list[index])),
            NodesRef::BoolOp(list) => Some(NodeRef::BoolOp(list[index])),
            NodesRef::Operator(list) => Some(NodeRef::Operator(list[index])),
            NodesRef::UnaryOp(list) => Some(NodeRef::UnaryOp(list[index])),
            NodesRef::CmpOp(list) => Some(NodeRef::CmpOp(list[index])),
            NodesRef::Comprehension(list) => Some(NodeRef::Comprehension(&list[index])),
            NodesRef::ExceptHandler(list) => Some(NodeRef::ExceptHandler(&list[index])),
            NodesRef::Arguments(list) => Some(NodeRef::Arguments(&list[index])),
            NodesRef::Arg(list) => Some(NodeRef::Arg(&list[index])),
            NodesRef::Keyword(list) => Some(NodeRef::Keyword(&list[index])),
            NodesRef::Alias(list) => Some(NodeRef::Alias(&list[index])),
            NodesRef::WithItem(list) => Some(NodeRef::WithItem(&list[index])),
            NodesRef::MatchCase(list) => Some(NodeRef::MatchCase(&list[index])),
            NodesRef::Pattern(list) => Some(NodeRef::Pattern(&list[index])),
            NodesRef::TypeIgnore(list) => Some(NodeRef::TypeIgnore(&list[index])),
            NodesRef::TypeParam(list) => Some(NodeRef::TypeParam(&list[index])),
            NodesRef::OptionalExpr(list) => list[index].as_ref().map(NodeRef::Expr),
        }
    }
}

impl<'a> NodeRef<'a> {
    /// The class of the node.
    pub fn description(self) -> &'static NodeDescription {
        match self {
            NodeRef::Mod(node) => match node {
                Mod::Module(_) => &describe::MOD_MODULE,
                Mod::Interactive(_) => &describe::MOD_INTERACTIVE,
                Mod::Expression(_) => &describe::MOD_EXPRESSION,
                Mod::FunctionType(_) => &describe::MOD_FUNCTION_TYPE,
            },
            NodeRef::Stmt(node) => match &node.kind {
                StmtKind::FunctionDef(_) => &describe::STMT_FUNCTION_DEF,
                StmtKind::AsyncFunctionDef(_) => &describe::STMT_ASYNC_FUNCTION_DEF,
                StmtKind::ClassDef(_) => &describe::STMT_CLASS_DEF,
                StmtKind::Return(_) => &describe::STMT_RETURN,
                StmtKind::Delete(_) => &describe::STMT_DELETE,
                StmtKind::Assign(_) => &describe::STMT_ASSIGN,
                StmtKind::TypeAlias(_) => &describe::STMT_TYPE_ALIAS,
                StmtKind::AugAssign(_) => &describe::STMT_AUG_ASSIGN,
                StmtKind::AnnAssign(_) => &describe::STMT_ANN_ASSIGN,
                StmtKind::For(_) => &describe::STMT_FOR,
                StmtKind::AsyncFor(_) => &describe::STMT_ASYNC_FOR,
                StmtKind::While(_) => &describe::STMT_WHILE,
                StmtKind::If(_) => &describe::STMT_IF,
                StmtKind::With(_) => &describe::STMT_WITH,
                StmtKind::AsyncWith(_) => &describe::STMT_ASYNC_WITH,
                StmtKind::Match(_) => &describe::STMT_MATCH,
                StmtKind::Raise(_) => &describe::STMT_RAISE,
                StmtKind::Try(_) => &describe::STMT_TRY,
                StmtKind::TryStar(_) => &describe::STMT_TRY_STAR,
                StmtKind::Assert(_) => &describe::STMT_ASSERT,
                StmtKind::Import(_) => &describe::STMT_IMPORT,
                StmtKind::ImportFrom(_) => &describe::STMT_IMPORT_FROM,
                StmtKind::Global(_) => &describe::STMT_GLOBAL,
                StmtKind::Nonlocal(_) => &describe::STMT_NONLOCAL,
                StmtKind::Expr(_) => &describe::STMT_EXPR,
                StmtKind::Pass => &describe::STMT_PASS,
                StmtKind::Break => &describe::STMT_BREAK,
                StmtKind::Continue => &describe::STMT_CONTINUE,
            },
            NodeRef::Expr(node) => match &node.kind {
                ExprKind::BoolOp(_) => &describe::EXPR_BOOL_OP,
                ExprKind::NamedExpr(_) => &describe::EXPR_NAMED_EXPR,
                ExprKind::BinOp(_) => &describe::EXPR_BIN_OP,
                ExprKind::UnaryOp(_) => &describe::EXPR_UNARY_OP,
                ExprKind::Lambda(_) => &describe::EXPR_LAMBDA,
                ExprKind::IfExp(_) => &describe::EXPR_IF_EXP,
                ExprKind::Dict(_) => &describe::EXPR_DICT,
                ExprKind::Set(_) => &describe::EXPR_SET,
                ExprKind::ListComp(_) => &describe::EXPR_LIST_COMP,
                ExprKind::SetComp(_) => &describe::EXPR_SET_COMP,
                ExprKind::DictComp(_) => &describe::EXPR_DICT_COMP,
                ExprKind::GeneratorExp(_) => &describe::EXPR_GENERATOR_EXP,
                ExprKind::Await(_) => &describe::EXPR_AWAIT,
                ExprKind::Yield(_) => &describe::EXPR_YIELD,
                ExprKind::YieldFrom(_) => &describe::EXPR_YIELD_FROM,
                ExprKind::Compare(_) => &describe::EXPR_COMPARE,
                ExprKind::Call(_) => &describe::EXPR_CALL,
                ExprKind::FormattedValue(_) => &describe::EXPR_FORMATTED_VALUE,
                ExprKind::Interpolation(_) => &describe::EXPR_INTERPOLATION,
                ExprKind::JoinedStr(_) => &describe::EXPR_JOINED_STR,
                ExprKind::TemplateStr(_) => &describe::EXPR_TEMPLATE_STR,
                ExprKind::Constant(_) => &describe::EXPR_CONSTANT,
                ExprKind::Attribute(_) => &describe::EXPR_ATTRIBUTE,
                ExprKind::Subscript(_) => &describe::EXPR_SUBSCRIPT,
                ExprKind::Starred(_) => &describe::EXPR_STARRED,
                ExprKind::Name(_) => &describe::EXPR_NAME,
                ExprKind::List(_) => &describe::EXPR_LIST,
                ExprKind::Tuple(_) => &describe::EXPR_TUPLE,
                ExprKind::Slice(_) => &describe::EXPR_SLICE,
            },
            NodeRef::ExprContext(node) => match node {
                ExprContext::Load => &describe::EXPR_CONTEXT_LOAD,
                ExprContext::Store => &describe::EXPR_CONTEXT_STORE,
                ExprContext::Del => &describe::EXPR_CONTEXT_DEL,
            },
            NodeRef::BoolOp(node) => match node {
                BoolOp::And => &describe::BOOL_OP_AND,
                BoolOp::Or => &describe::BOOL_OP_OR,
            },
            NodeRef::Operator(node) => match node {
                Operator::Add => &describe::OPERATOR_ADD,
                Operator::Sub => &describe::OPERATOR_SUB,
                Operator::Mult => &describe::OPERATOR_MULT,
                Operator::MatMult => &describe::OPERATOR_MAT_MULT,
                Operator::Div => &describe::OPERATOR_DIV,
                Operator::Mod => &describe::OPERATOR_MOD,
                Operator::Pow => &describe::OPERATOR_POW,
                Operator::LShift => &describe::OPERATOR_L_SHIFT,
                Operator::RShift => &describe::OPERATOR_R_SHIFT,
                Operator::BitOr => &describe::OPERATOR_BIT_OR,
                Operator::BitXor => &describe::OPERATOR_BIT_XOR,
                Operator::BitAnd => &describe::OPERATOR_BIT_AND,
                Operator::FloorDiv => &describe::OPERATOR_FLOOR_DIV,
            },
            NodeRef::UnaryOp(node) => match node {
                UnaryOp::Invert => &describe::UNARY_OP_INVERT,
                UnaryOp::Not => &describe::UNARY_OP_NOT,
                UnaryOp::UAdd => &describe::UNARY_OP_U_ADD,
                UnaryOp::USub => &describe::UNARY_OP_U_SUB,
            },
            NodeRef::CmpOp(node) => match node {
                CmpOp::Eq => &describe::CMP_OP_EQ,
                CmpOp::NotEq => &describe::CMP_OP_NOT_EQ,
                CmpOp::Lt => &describe::CMP_OP_LT,
                CmpOp::LtE => &describe::CMP_OP_LT_E,
                CmpOp::Gt => &describe::CMP_OP_GT,
                CmpOp::GtE => &describe::CMP_OP_GT_E,
                CmpOp::Is => &describe::CMP_OP_IS,
                CmpOp::IsNot => &describe::CMP_OP_IS_NOT,
                CmpOp::In => &describe::CMP_OP_IN,
                CmpOp::NotIn => &describe::CMP_OP_NOT_IN,
            },
            NodeRef::Comprehension(_) => &describe::COMPREHENSION_COMPREHENSION,
            NodeRef::ExceptHandler(_) => &describe::EXCEPT_HANDLER_EXCEPT_HANDLER,
            NodeRef::Arguments(_) => &describe::ARGUMENTS_ARGUMENTS,
            NodeRef::Arg(_) => &describe::ARG_ARG,
            NodeRef::Keyword(_) => &describe::KEYWORD_KEYWORD,
            NodeRef::Alias(_) => &describe::ALIAS_ALIAS,
            NodeRef::WithItem(_) => &describe::WITH_ITEM_WITHITEM,
            NodeRef::MatchCase(_) => &describe::MATCH_CASE_MATCH_CASE,
            NodeRef::Pattern(node) => match &node.kind {
                PatternKind::MatchValue(_) => &describe::PATTERN_MATCH_VALUE,
                PatternKind::MatchSingleton(_) => &describe::PATTERN_MATCH_SINGLETON,
                PatternKind::MatchSequence(_) => &describe::PATTERN_MATCH_SEQUENCE,
                PatternKind::MatchMapping(_) => &describe::PATTERN_MATCH_MAPPING,
                PatternKind::MatchClass(_) => &describe::PATTERN_MATCH_CLASS,
                PatternKind::MatchStar(_) => &describe::PATTERN_MATCH_STAR,
                PatternKind::MatchAs(_) => &describe::PATTERN_MATCH_AS,
                PatternKind::MatchOr(_) => &describe::PATTERN_MATCH_OR,
            },
            NodeRef::TypeIgnore(_) => &describe::TYPE_IGNORE_TYPE_IGNORE,
            NodeRef::TypeParam(node) => match &node.kind {
                TypeParamKind::TypeVar(_) => &describe::TYPE_PARAM_TYPE_VAR,
                TypeParamKind::ParamSpec(_) => &describe::TYPE_PARAM_PARAM_SPEC,
                TypeParamKind::TypeVarTuple(_) => &describe::TYPE_PARAM_TYPE_VAR_TUPLE,
            },
        }
    }

    /// The place of the node, if its class has one.
    pub fn range(self) -> Option<Range> {
        match self {
            NodeRef::Stmt(node) => Some(node.range),
            NodeRef::Expr(node) => Some(node.range),
            NodeRef::ExceptHandler(node) => Some(node.range),
            NodeRef::Arg(node) => Some(node.range),
            NodeRef::Keyword(node) => Some(node.range),
            NodeRef::Alias(node) => Some(node.range),
            NodeRef::Pattern(node) => Some(node.range),
            NodeRef::TypeParam(node) => Some(node.range),
            _ => None,
        }
    }

    /// The field at `index`, in the order of the description.
    pub fn field(self, index: usize) -> FieldRef<'a> {
        match self {
            NodeRef::Mod(node) => match node {
                Mod::Module(node) => match index {
                    0 => FieldRef::Nodes(NodesRef::Stmt(&node.body)),
                    1 => FieldRef::Nodes(NodesRef::TypeIgnore(&node.type_ignores)),
                    _ => FieldRef::None,
                },
                Mod::Interactive(node) => match index {
                    0 => FieldRef::Nodes(NodesRef::Stmt(&node.body)),
                    _ => FieldRef::None,
                },
                Mod::Expression(node) => match index {
                    0 => FieldRef::Node(NodeRef::Expr(&node.body)),
                    _ => FieldRef::None,
                },
                Mod::FunctionType(node) => match index {
                    0 => FieldRef::Nodes(NodesRef::Expr(&node.argtypes)),
                    1 => FieldRef::Node(NodeRef::Expr(&node.returns)),
                    _ => FieldRef::None,
                },
            },
            NodeRef::Stmt(node) => match &node.kind {
                StmtKind::FunctionDef(node) => match index {
                    0 => FieldRef::Identifier(&node.name),
                    1 => FieldRef::Node(NodeRef::Arguments(&node.args)),
                    2 => FieldRef::Nodes(NodesRef::Stmt(&node.body)),
                    3 => FieldRef::Nodes(NodesRef::Expr(&node.decorator_list)),
                    4 => node.returns.as_ref().map_or(FieldRef::None, |n| FieldRef::Node(NodeRef::Expr(n))),
                    5 => node.type_comment.as_ref().map_or(FieldRef::None, FieldRef::String),
                    6 => FieldRef::Nodes(NodesRef::TypeParam(&node.type_params)),
                    _ => FieldRef::None,
                },
                StmtKind::AsyncFunctionDef(node) => match index {
                    0 => FieldRef::Identifier(&node.name),
                    1 => FieldRef::Node(NodeRef::Arguments(&node.args)),
                    2 => FieldRef::Nodes(NodesRef::Stmt(&node.body)),
                    3 => FieldRef::Nodes(NodesRef::Expr(&node.decorator_list)),
                    4 => node.returns.as_ref().map_or(FieldRef::None, |n| FieldRef::Node(NodeRef::Expr(n))),
                    5 => node.type_comment.as_ref().map_or(FieldRef::None, FieldRef::String),
                    6 => FieldRef::Nodes(NodesRef::TypeParam(&node.type_params)),
                    _ => FieldRef::None,
                },
                StmtKind::ClassDef(node) => match index {
                    0 => FieldRef::Identifier(&node.name),
                    1 => FieldRef::Nodes(NodesRef::Expr(&node.bases)),
                    2 => FieldRef::Nodes(NodesRef::Keyword(&node.keywords)),
                    3 => FieldRef::Nodes(NodesRef::Stmt(&node.body)),
                    4 => FieldRef::Nodes(NodesRef::Expr(&node.decorator_list)),
                    5 => FieldRef::Nodes(NodesRef::TypeParam(&node.type_params)),
                    _ => FieldRef::None,
                },
                StmtKind::Return(node) => match index {
                    0 => node.value.as_ref().map_or(FieldRef::None, |n| FieldRef::Node(NodeRef::Expr(n))),
                    _ => FieldRef::None,
                },
                StmtKind::Delete(node) => match index {
                    0 => FieldRef::Nodes(NodesRef::Expr(&node.targets)),
                    _ => FieldRef::None,
                },
                StmtKind::Assign(node) => match index {
                    0 => FieldRef::Nodes(NodesRef::Expr(&node.targets)),
                    1 => FieldRef::Node(NodeRef::Expr(&node.value)),
                    2 => node.type_comment.as_ref().map_or(FieldRef::None, FieldRef::String),
                    _ => FieldRef::None,
                },
                StmtKind::TypeAlias(node) => match index {
                    0 => FieldRef::Node(NodeRef::Expr(&node.name)),
                    1 => FieldRef::Nodes(NodesRef::TypeParam(&node.type_params)),
                    2 => FieldRef::Node(NodeRef::Expr(&node.value)),
                    _ => FieldRef::None,
                },
                StmtKind::AugAssign(node) => match index {
                    0 => FieldRef::Node(NodeRef::Expr(&node.target)),
                    1 => FieldRef::Node(NodeRef::Operator(node.op)),
                    2 => FieldRef::Node(NodeRef::Expr(&node.value)),
                    _ => FieldRef::None,
                },
                StmtKind::AnnAssign(node) => match index {
                    0 => FieldRef::Node(NodeRef::Expr(&node.target)),
                    1 => FieldRef::Node(NodeRef::Expr(&node.annotation)),
                    2 => node.value.as_ref().map_or(FieldRef::None, |n| FieldRef::Node(NodeRef::Expr(n))),
                    3 => FieldRef::Int(node.simple),
                    _ => FieldRef::None,
                },
                StmtKind::For(node) => match index {
                    0 => FieldRef::Node(NodeRef::Expr(&node.target)),
                    1 => FieldRef::Node(NodeRef::Expr(&node.iter)),
                    2 => FieldRef::Nodes(NodesRef::Stmt(&node.body)),
                    3 => FieldRef::Nodes(NodesRef::Stmt(&node.orelse)),
                    4 => node.type_comment.as_ref().map_or(FieldRef::None, FieldRef::String),
                    _ => FieldRef::None,
                },
                StmtKind::AsyncFor(node) => match index {
                    0 => FieldRef::Node(NodeRef::Expr(&node.target)),
                    1 => FieldRef::Node(NodeRef::Expr(&node.iter)),
                    2 => FieldRef::Nodes(NodesRef::Stmt(&node.body)),
                    3 => FieldRef::Nodes(NodesRef::Stmt(&node.orelse)),
                    4 => node.type_comment.as_ref().map_or(FieldRef::None, FieldRef::String),
                    _ => FieldRef::None,
                },
                StmtKind::While(node) => match index {
                    0 => FieldRef::Node(NodeRef::Expr(&node.test)),
                    1 => FieldRef::Nodes(NodesRef::Stmt(&node.body)),
                    2 => FieldRef::Nodes(NodesRef::Stmt(&node.orelse)),
                    _ => FieldRef::None,
                },
                StmtKind::If(node) => match index {
                    0 => FieldRef::Node(NodeRef::Expr(&node.test)),
                    1 => FieldRef::Nodes(NodesRef::Stmt(&node.body)),
                    2 => FieldRef::Nodes(NodesRef::Stmt(&node.orelse)),
                    _ => FieldRef::None,
                },
                StmtKind::With(node) => match index {
                    0 => FieldRef::Nodes(NodesRef::WithItem(&node.items)),
                    1 => FieldRef::Nodes(NodesRef::Stmt(&node.body)),
                    2 => node.type_comment.as_ref().map_or(FieldRef::None, FieldRef::String),
                    _ => FieldRef::None,
                },
                StmtKind::AsyncWith(node) => match index {
                    0 => FieldRef::Nodes(NodesRef::WithItem(&node.items)),
                    1 => FieldRef::Nodes(NodesRef::Stmt(&node.body)),
                    2 => node.type_comment.as_ref().map_or(FieldRef::None, FieldRef::String),
                    _ => FieldRef::None,
                },
                StmtKind::Match(node) => match index {
                    0 => FieldRef::Node(NodeRef::Expr(&node.subject)),
                    1 => FieldRef::Nodes(NodesRef::MatchCase(&node.cases)),
                    _ => FieldRef::None,
                },
                StmtKind::Raise(node) => match index {
                    0 => node.exc.as_ref().map_or(FieldRef::None, |n| FieldRef::Node(NodeRef::Expr(n))),
                    1 => node.cause.as_ref().map_or(FieldRef::None, |n| FieldRef::Node(NodeRef::Expr(n))),
                    _ => FieldRef::None,
                },
                StmtKind::Try(node) => match index {
                    0 => FieldRef::Nodes(NodesRef::Stmt(&node.body)),
                    1 => FieldRef::Nodes(NodesRef::ExceptHandler(&node.handlers)),
                    2 => FieldRef::Nodes(NodesRef::Stmt(&node.orelse)),
                    3 => FieldRef::Nodes(NodesRef::Stmt(&node.finalbody)),
                    _ => FieldRef::None,
                },
                StmtKind::TryStar(node) => match index {
                    0 => FieldRef::Nodes(NodesRef::Stmt(&node.body)),
                    1 => FieldRef::Nodes(NodesRef::ExceptHandler(&node.handlers)),
                    2 => FieldRef::Nodes(NodesRef::Stmt(&node.orelse)),
                    3 => FieldRef::Nodes(NodesRef::Stmt(&node.finalbody)),
                    _ => FieldRef::None,
                },
                StmtKind::Assert(node) => match index {
                    0 => FieldRef::Node(NodeRef::Expr(&node.test)),
                    1 => node.msg.as_ref().map_or(FieldRef::None, |n| FieldRef::Node(NodeRef::Expr(n))),
                    _ => FieldRef::None,
                },
                StmtKind::Import(node) => match index {
                    0 => FieldRef::Nodes(NodesRef::Alias(&node.names)),
                    _ => FieldRef::None,
                },
                StmtKind::ImportFrom(node) => match index {
                    0 => node.module.as_ref().map_or(FieldRef::None, FieldRef::Identifier),
                    1 => FieldRef::Nodes(NodesRef::Alias(&node.names)),
                    2 => FieldRef::Int(node.level),
                    _ => FieldRef::None,
                },
                StmtKind::Global(node) => match index {
                    0 => FieldRef::Identifiers(&node.names),
                    _ => FieldRef::None,
                },
                StmtKind::Nonlocal(node) => match index {
                    0 => FieldRef::Identifiers(&node.names),
                    _ => FieldRef::None,
                },
                StmtKind::Expr(node) => match index {
                    0 => FieldRef::Node(NodeRef::Expr(&node.value)),
                    _ => FieldRef::None,
                },
                _ => FieldRef::None,
            },
            NodeRef::Expr(node) => match &node.kind {
                ExprKind::BoolOp(node) => match index {
                    0 => FieldRef::Node(NodeRef::BoolOp(node.op)),
                    1 => FieldRef::Nodes(NodesRef::Expr(&node.values)),
                    _ => FieldRef::None,
                },
                ExprKind::NamedExpr(node) => match index {
                    0 => FieldRef::Node(NodeRef::Expr(&node.target)),
                    1 => FieldRef::Node(NodeRef::Expr(&node.value)),
                    _ => FieldRef::None,
                },
                ExprKind::BinOp(node) => match index {
                    0 => FieldRef::Node(NodeRef::Expr(&node.left)),
                    1 => FieldRef::Node(NodeRef::Operator(node.op)),
                    2 => FieldRef::Node(NodeRef::Expr(&node.right)),
                    _ => FieldRef::None,
                },
                ExprKind::UnaryOp(node) => match index {
                    0 => FieldRef::Node(NodeRef::UnaryOp(node.op)),
                    1 => FieldRef::Node(NodeRef::Expr(&node.operand)),
                    _ => FieldRef::None,
                },
                ExprKind::Lambda(node) => match index {
                    0 => FieldRef::Node(NodeRef::Arguments(&node.args)),
                    1 => FieldRef::Node(NodeRef::Expr(&node.body)),
                    _ => FieldRef::None,
                },
                ExprKind::IfExp(node) => match index {
                    0 => FieldRef::Node(NodeRef::Expr(&node.test)),
                    1 => FieldRef::Node(NodeRef::Expr(&node.body)),
                    2 => FieldRef::Node(NodeRef::Expr(&node.orelse)),
                    _ => FieldRef::None,
                },
                ExprKind::Dict(node) => match index {
                    0 => FieldRef::Nodes(NodesRef::OptionalExpr(&node.keys)),
                    1 => FieldRef::Nodes(NodesRef::Expr(&node.values)),
                    _ => FieldRef::None,
                },
                ExprKind::Set(node) => match index {
                    0 => FieldRef::Nodes(NodesRef::Expr(&node.elts)),
                    _ => FieldRef::None,
                },
                ExprKind::ListComp(node) => match index {
                    0 => FieldRef::Node(NodeRef::Expr(&node.elt)),
                    1 => FieldRef::Nodes(NodesRef::Comprehension(&node.generators)),
                    _ => FieldRef::None,
                },
                ExprKind::SetComp(node) => match index {
                    0 => FieldRef::Node(NodeRef::Expr(&node.elt)),
                    1 => FieldRef::Nodes(NodesRef::Comprehension(&node.generators)),
                    _ => FieldRef::None,
                },
                ExprKind::DictComp(node) => match index {
                    0 => FieldRef::Node(NodeRef::Expr(&node.key)),
                    1 => FieldRef::Node(NodeRef::Expr(&node.value)),
                    2 => FieldRef::Nodes(NodesRef::Comprehension(&node.generators)),
                    _ => FieldRef::None,
                },
                ExprKind::GeneratorExp(node) => match index {
                    0 => FieldRef::Node(NodeRef::Expr(&node.elt)),
                    1 => FieldRef::Nodes(NodesRef::Comprehension(&node.generators)),
                    _ => FieldRef::None,
                },
                ExprKind::Await(node) => match index {
                    0 => FieldRef::Node(NodeRef::Expr(&node.value)),
                    _ => FieldRef::None,
                },
                ExprKind::Yield(node) => match index {
                    0 => node.value.as_ref().map_or(FieldRef::None, |n| FieldRef::Node(NodeRef::Expr(n))),
                    _ => FieldRef::None,
                },
                ExprKind::YieldFrom(node) => match index {
                    0 => FieldRef::Node(NodeRef::Expr(&node.value)),
                    _ => FieldRef::None,
                },
                ExprKind::Compare(node) => match index {
                    0 => FieldRef::Node(NodeRef::Expr(&node.left)),
                    1 => FieldRef::Nodes(NodesRef::CmpOp(&node.ops)),
                    2 => FieldRef::Nodes(NodesRef::Expr(&node.comparators)),
                    _ => FieldRef::None,
                },
                ExprKind::Call(node) => match index {
                    0 => FieldRef::Node(NodeRef::Expr(&node.func)),
                    1 => FieldRef::Nodes(NodesRef::Expr(&node.args)),
                    2 => FieldRef::Nodes(NodesRef::Keyword(&node.keywords)),
                    _ => FieldRef::None,
                },
                ExprKind::FormattedValue(node) => match index {
                    0 => FieldRef::Node(NodeRef::Expr(&node.value)),
                    1 => FieldRef::Int(node.conversion),
                    2 => {
                        node.format_spec.as_ref().map_or(FieldRef::None, |n| FieldRef::Node(NodeRef::Expr(n)))
                    }
                    _ => FieldRef::None,
                },
                ExprKind::Interpolation(node) => match index {
                    0 => FieldRef::Node(NodeRef::Expr(&node.value)),
                    1 => FieldRef::Constant(&node.str),
                    2 => FieldRef::Int(node.conversion),
                    3 => {
                        node.format_spec.as_ref().map_or(FieldRef::None, |n| FieldRef::Node(NodeRef::Expr(n)))
                    }
                    _ => FieldRef::None,
                },
                ExprKind::JoinedStr(node) => match index {
                    0 => FieldRef::Nodes(NodesRef::Expr(&node.values)),
                    _ => FieldRef::None,
                },
                ExprKind::TemplateStr(node) => match index {
                    0 => FieldRef::Nodes(NodesRef::Expr(&node.values)),
                    _ => FieldRef::None,
                },
                ExprKind::Constant(node) => match index {
                    0 => FieldRef::Constant(&node.value),
                    1 => node.kind.as_ref().map_or(FieldRef::None, FieldRef::String),
                    _ => FieldRef::None,
                },
                ExprKind::Attribute(node) => match index {
                    0 => FieldRef::Node(NodeRef::Expr(&node.value)),
                    1 => FieldRef::Identifier(&node.attr),
                    2 => FieldRef::Node(NodeRef::ExprContext(node.ctx)),
                    _ => FieldRef::None,
                },
                ExprKind::Subscript(node) => match index {
                    0 => FieldRef::Node(NodeRef::Expr(&node.value)),
                    1 => FieldRef::Node(NodeRef::Expr(&node.slice)),
                    2 => FieldRef::Node(NodeRef::ExprContext(node.ctx)),
                    _ => FieldRef::None,
                },
                ExprKind::Starred(node) => match index {
                    0 => FieldRef::Node(NodeRef::Expr(&node.value)),
                    1 => FieldRef::Node(NodeRef::ExprContext(node.ctx)),
                    _ => FieldRef::None,
                },
                ExprKind::Name(node) => match index {
                    0 => FieldRef::Identifier(&node.id),
                    1 => FieldRef::Node(NodeRef::ExprContext(node.ctx)),
                    _ => FieldRef::None,
                },
                ExprKind::List(node) => match index {
                    0 => FieldRef::Nodes(NodesRef::Expr(&node.elts)),
                    1 => FieldRef::Node(NodeRef::ExprContext(node.ctx)),
                    _ => FieldRef::None,
                },
                ExprKind::Tuple(node) => match index {
                    0 => FieldRef::Nodes(NodesRef::Expr(&node.elts)),
                    1 => FieldRef::Node(NodeRef::ExprContext(node.ctx)),
                    _ => FieldRef::None,
                },
                ExprKind::Slice(node) => match index {
                    0 => node.lower.as_ref().map_or(FieldRef::None, |n| FieldRef::Node(NodeRef::Expr(n))),
                    1 => node.upper.as_ref().map_or(FieldRef::None, |n| FieldRef::Node(NodeRef::Expr(n))),
                    2 => node.step.as_ref().map_or(FieldRef::None, |n| FieldRef::Node(NodeRef::Expr(n))),
                    _ => FieldRef::None,
                },
            },
            NodeRef::Comprehension(node) => match index {
                0 => FieldRef::Node(NodeRef::Expr(&node.target)),
                1 => FieldRef::Node(NodeRef::Expr(&node.iter)),
                2 => FieldRef::Nodes(NodesRef::Expr(&node.ifs)),
                3 => FieldRef::Int(node.is_async),
                _ => FieldRef::None,
            },
            NodeRef::ExceptHandler(node) => match index {
                0 => node.type_.as_ref().map_or(FieldRef::None, |n| FieldRef::Node(NodeRef::Expr(n))),
                1 => node.name.as_ref().map_or(FieldRef::None, FieldRef::Identifier),
                2 => FieldRef::Nodes(NodesRef::Stmt(&node.body)),
                _ => FieldRef::None,
            },
            NodeRef::Arguments(node) => match index {
                0 => FieldRef::Nodes(NodesRef::Arg(&node.posonlyargs)),
                1 => FieldRef::Nodes(NodesRef::Arg(&node.args)),
                2 => node.vararg.as_deref().map_or(FieldRef::None, |n| FieldRef::Node(NodeRef::Arg(n))),
                3 => FieldRef::Nodes(NodesRef::Arg(&node.kwonlyargs)),
                4 => FieldRef::Nodes(NodesRef::OptionalExpr(&node.kw_defaults)),
                5 => node.kwarg.as_deref().map_or(FieldRef::None, |n| FieldRef::Node(NodeRef::Arg(n))),
                6 => FieldRef::Nodes(NodesRef::Expr(&node.defaults)),
                _ => FieldRef::None,
            },
            NodeRef::Arg(node) => match index {
                0 => FieldRef::Identifier(&node.arg),
                1 => node.annotation.as_ref().map_or(FieldRef::None, |n| FieldRef::Node(NodeRef::Expr(n))),
                2 => node.type_comment.as_ref().map_or(FieldRef::None, FieldRef::String),
                _ => FieldRef::None,
            },
            NodeRef::Keyword(node) => match index {
                0 => node.arg.as_ref().map_or(FieldRef::None, FieldRef::Identifier),
                1 => FieldRef::Node(NodeRef::Expr(&node.value)),
                _ => FieldRef::None,
            },
            NodeRef::Alias(node) => match index {
                0 => FieldRef::Identifier(&node.name),
                1 => node.asname.as_ref().map_or(FieldRef::None, FieldRef::Identifier),
                _ => FieldRef::None,
            },
            NodeRef::WithItem(node) => match index {
                0 => FieldRef::Node(NodeRef::Expr(&node.context_expr)),
                1 => node.optional_vars.as_ref().map_or(FieldRef::None, |n| FieldRef::Node(NodeRef::Expr(n))),
                _ => FieldRef::None,
            },
            NodeRef::MatchCase(node) => match index {
                0 => FieldRef::Node(NodeRef::Pattern(&node.pattern)),
                1 => node.guard.as_ref().map_or(FieldRef::None, |n| FieldRef::Node(NodeRef::Expr(n))),
                2 => FieldRef::Nodes(NodesRef::Stmt(&node.body)),
                _ => FieldRef::None,
            },
            NodeRef::Pattern(node) => match &node.kind {
                PatternKind::MatchValue(node) => match index {
                    0 => FieldRef::Node(NodeRef::Expr(&node.value)),
                    _ => FieldRef::None,
                },
                PatternKind::MatchSingleton(node) => match index {
                    0 => FieldRef::Constant(&node.value),
                    _ => FieldRef::None,
                },
                PatternKind::MatchSequence(node) => match index {
                    0 => FieldRef::Nodes(NodesRef::Pattern(&node.patterns)),
                    _ => FieldRef::None,
                },
                PatternKind::MatchMapping(node) => match index {
                    0 => FieldRef::Nodes(NodesRef::Expr(&node.keys)),
                    1 => FieldRef::Nodes(NodesRef::Pattern(&node.patterns)),
                    2 => node.rest.as_ref().map_or(FieldRef::None, FieldRef::Identifier),
                    _ => FieldRef::None,
                },
                PatternKind::MatchClass(node) => match index {
                    0 => FieldRef::Node(NodeRef::Expr(&node.cls)),
                    1 => FieldRef::Nodes(NodesRef::Pattern(&node.patterns)),
                    2 => FieldRef::Identifiers(&node.kwd_attrs),
                    3 => FieldRef::Nodes(NodesRef::Pattern(&node.kwd_patterns)),
                    _ => FieldRef::None,
                },
                PatternKind::MatchStar(node) => match index {
                    0 => node.name.as_ref().map_or(FieldRef::None, FieldRef::Identifier),
                    _ => FieldRef::None,
                },
                PatternKind::MatchAs(node) => match index {
                    0 => node
                        .pattern
                        .as_deref()
                        .map_or(FieldRef::None, |n| FieldRef::Node(NodeRef::Pattern(n))),
                    1 => node.name.as_ref().map_or(FieldRef::None, FieldRef::Identifier),
                    _ => FieldRef::None,
                },
                PatternKind::MatchOr(node) => match index {
                    0 => FieldRef::Nodes(NodesRef::Pattern(&node.patterns)),
                    _ => FieldRef::None,
                },
            },
            NodeRef::TypeIgnore(node) => match index {
                0 => FieldRef::Int(node.lineno),
                1 => FieldRef::String(&node.tag),
                _ => FieldRef::None,
            },
            NodeRef::TypeParam(node) => match &node.kind {
                TypeParamKind::TypeVar(node) => match index {
                    0 => FieldRef::Identifier(&node.name),
                    1 => node.bound.as_ref().map_or(FieldRef::None, |n| FieldRef::Node(NodeRef::Expr(n))),
                    2 => node
                        .default_value
                        .as_ref()
                        .map_or(FieldRef::None, |n| FieldRef::Node(NodeRef::Expr(n))),
                    _ => FieldRef::None,
                },
                TypeParamKind::ParamSpec(node) => match index {
                    0 => FieldRef::Identifier(&node.name),
                    1 => node
                        .default_value
                        .as_ref()
                        .map_or(FieldRef::None, |n| FieldRef::Node(NodeRef::Expr(n))),
                    _ => FieldRef::None,
                },
                TypeParamKind::TypeVarTuple(node) => match index {
                    0 => FieldRef::Identifier(&node.name),
                    1 => node
                        .default_value
                        .as_ref()
                        .map_or(FieldRef::None, |n| FieldRef::Node(NodeRef::Expr(n))),
                    _ => FieldRef::None,
                },
            },
            _ => FieldRef::None,
        }
    }
}
impl Build for Mod {
    fn build<S: Source>(source: &S) -> Result<Mod, S::Error> {
        source.nested(|| {
            let kind = match source.class(&describe::GROUPS[0])? {
                0 => Mod::Module(ModModule {
                    body: super::many(source, &describe::MOD_MODULE, 0)?,
                    type_ignores: super::many(source, &describe::MOD_MODULE, 1)?,
                }),
                1 => Mod::Interactive(ModInteractive {
                    body: super::many(source, &describe::MOD_INTERACTIVE, 0)?,
                }),
                2 => Mod::Expression(ModExpression {
                    body: Build::build(&source.one(&describe::MOD_EXPRESSION, 0)?)?,
                }),
                _ => Mod::FunctionType(ModFunctionType {
                    argtypes: super::many(source, &describe::MOD_FUNCTION_TYPE, 0)?,
                    returns: Build::build(&source.one(&describe::MOD_FUNCTION_TYPE, 1)?)?,
                }),
            };
            Ok(kind)
        })
    }
}

impl Build for Stmt {
    fn build<S: Source>(source: &S) -> Result<Stmt, S::Error> {
        source.nested(|| {
            let range = source.range(&describe::GROUPS[1])?;
            let kind = match source.class(&describe::GROUPS[1])? {
                0 => StmtKind::FunctionDef(Box::new(StmtFunctionDef {
                    name: Build::build(&source.one(&describe::STMT_FUNCTION_DEF, 0)?)?,
                    args: Build::build(&source.one(&describe::STMT_FUNCTION_DEF, 1)?)?,
                    body: super::many(source, &describe::STMT_FUNCTION_DEF, 2)?,
                    decorator_list: super::many(source, &describe::STMT_FUNCTION_DEF, 3)?,
                    returns: super::optional(source, &describe::STMT_FUNCTION_DEF, 4)?,
                    type_comment: super::optional(source, &describe::STMT_FUNCTION_DEF, 5)?,
                    type_params: super::many(source, &describe::STMT_FUNCTION_DEF, 6)?,
                })),
                1 => StmtKind::AsyncFunctionDef(Box::new(StmtAsyncFunctionDef {
                    name: Build::build(&source.one(&describe::STMT_ASYNC_FUNCTION_DEF, 0)?)?,
                    args: Build::build(&source.one(&describe::STMT_ASYNC_FUNCTION_DEF, 1)?)?,
                    body: super::many(source, &describe::STMT_ASYNC_FUNCTION_DEF, 2)?,
                    decorator_list: super::many(source, &describe::STMT_ASYNC_FUNCTION_DEF, 3)?,
                    returns: super::optional(source, &describe::STMT_ASYNC_FUNCTION_DEF, 4)?,
                    type_comment: super::optional(source, &describe::STMT_ASYNC_FUNCTION_DEF, 5)?,
                    type_params: super::many(source, &describe::STMT_ASYNC_FUNCTION_DEF, 6)?,
                })),
                2 => StmtKind::ClassDef(Box::new(StmtClassDef {
                    name: Build::build(&source.one(&describe::STMT_CLASS_DEF, 0)?)?,
                    bases: super::many(source, &describe::STMT_CLASS_DEF, 1)?,
                    keywords: super::many(source, &describe::STMT_CLASS_DEF, 2)?,
                    body: super::many(source, &describe::STMT_CLASS_DEF, 3)?,
                    decorator_list: super::many(source, &describe::STMT_CLASS_DEF, 4)?,
                    type_params: super::many(source, &describe::STMT_CLASS_DEF, 5)?,
                })),
                3 => StmtKind::Return(Box::new(StmtReturn {
                    value: super::optional(source, &describe::STMT_RETURN, 0)?,
                })),
                4 => StmtKind::Delete(Box::new(StmtDelete {
                    targets: super::many(source, &describe::STMT_DELETE, 0)?,
                })),
                5 => StmtKind::Assign(Box::new(StmtAssign {
                    targets: super::many(source, &describe::STMT_ASSIGN, 0)?,
                    value: Build::build(&source.one(&describe::STMT_ASSIGN, 1)?)?,
                    type_comment: super::optional(source, &describe::STMT_ASSIGN, 2)?,
                })),
                6 => StmtKind::TypeAlias(Box::new(StmtTypeAlias {
                    name: Build::build(&source.one(&describe::STMT_TYPE_ALIAS, 0)?)?,
                    type_params: super::many(source, &describe::STMT_TYPE_ALIAS, 1)?,
                    value: Build::build(&source.one(&describe::STMT_TYPE_ALIAS, 2)?)?,
                })),
                7 => StmtKind::AugAssign(Box::new(StmtAugAssign {
                    target: Build::build(&source.one(&describe::STMT_AUG_ASSIGN, 0)?)?,
                    op: Build::build(&source.one(&describe::STMT_AUG_ASSIGN, 1)?)?,
                    value: Build::build(&source.one(&describe::STMT_AUG_ASSIGN, 2)?)?,
                })),
                8 => StmtKind::AnnAssign(Box::new(StmtAnnAssign {
                    target: Build::build(&source.one(&describe::STMT_ANN_ASSIGN, 0)?)?,
                    annotation: Build::build(&source.one(&describe::STMT_ANN_ASSIGN, 1)?)?,
                    value: super::optional(source, &describe::STMT_ANN_ASSIGN, 2)?,
                    simple: Build::build(&source.one(&describe::STMT_ANN_ASSIGN, 3)?)?,
                })),
                9 => StmtKind::For(Box::new(StmtFor {
                    target: Build::build(&source.one(&describe::STMT_FOR, 0)?)?,
                    iter: Build::build(&source.one(&describe::STMT_FOR, 1)?)?,
                    body: super::many(source, &describe::STMT_FOR, 2)?,
                    orelse: super::many(source, &describe::STMT_FOR, 3)?,
                    type_comment: super::optional(source, &describe::STMT_FOR, 4)?,
                })),
                10 => StmtKind::AsyncFor(Box::new(StmtAsyncFor {
                    target: Build::build(&source.one(&describe::STMT_ASYNC_FOR, 0)?)?,
                    iter: Build::build(&source.one(&describe::STMT_ASYNC_FOR, 1)?)?,
                    body: super::many(source, &describe::STMT_ASYNC_FOR, 2)?,
                    orelse: super::many(source, &describe::STMT_ASYNC_FOR, 3)?,
                    type_comment: super::optional(source, &describe::STMT_ASYNC_FOR, 4)?,
                })),
                11 => StmtKind::While(Box::new(StmtWhile {
                    test: Build::build(&source.one(&describe::STMT_WHILE, 0)?)?,
                    body: super::many(source, &describe::STMT_WHILE, 1)?,
                    orelse: super::many(source, &describe::STMT_WHILE, 2)?,
                })),
                12 => StmtKind::If(Box::new(StmtIf {
                    test: Build::build(&source.one(&describe::STMT_IF, 0)?)?,
                    body: super::many(source, &describe::STMT_IF, 1)?,
                    orelse: super::many(source, &describe::STMT_IF, 2)?,
                })),
                13 => StmtKind::With(Box::new(StmtWith {
                    items: super::many(source, &describe::STMT_WITH, 0)?,
                    body: super::many(source, &describe::STMT_WITH, 1)?,
                    type_comment: super::optional(source, &describe::STMT_WITH, 2)?,
                })),
                14 => StmtKind::AsyncWith(Box::new(StmtAsyncWith {
                    items: super::many(source, &describe::STMT_ASYNC_WITH, 0)?,
                    body: super::many(source, &describe::STMT_ASYNC_WITH, 1)?,
                    type_comment: super::optional(source, &describe::STMT_ASYNC_WITH, 2)?,
                })),
                15 => StmtKind::Match(Box::new(StmtMatch {
                    subject: Build::build(&source.one(&describe::STMT_MATCH, 0)?)?,
                    cases: super::many(source, &describe::STMT_MATCH, 1)?,
                })),
                16 => StmtKind::Raise(Box::new(StmtRaise {
                    exc: super::optional(source, &describe::STMT_RAISE, 0)?,
                    cause: super::optional(source, &describe::STMT_RAISE, 1)?,
                })),
                17 => StmtKind::Try(Box::new(StmtTry {
                    body: super::many(source, &describe::STMT_TRY, 0)?,
                    handlers: super::many(source, &describe::STMT_TRY, 1)?,
                    orelse: super::many(source, &describe::STMT_TRY, 2)?,
                    finalbody: super::many(source, &describe::STMT_TRY, 3)?,
                })),
                18 => StmtKind::TryStar(Box::new(StmtTryStar {
                    body: super::many(source, &describe::STMT_TRY_STAR, 0)?,
                    handlers: super::many(source, &describe::STMT_TRY_STAR, 1)?,
                    orelse: super::many(source, &describe::STMT_TRY_STAR, 2)?,
                    finalbody: super::many(source, &describe::STMT_TRY_STAR, 3)?,
                })),
                19 => StmtKind::Assert(Box::new(StmtAssert {
                    test: Build::build(&source.one(&describe::STMT_ASSERT, 0)?)?,
                    msg: super::optional(source, &describe::STMT_ASSERT, 1)?,
                })),
                20 => StmtKind::Import(Box::new(StmtImport {
                    names: super::many(source, &describe::STMT_IMPORT, 0)?,
                })),
                21 => StmtKind::ImportFrom(Box::new(StmtImportFrom {
                    module: super::optional(source, &describe::STMT_IMPORT_FROM, 0)?,
                    names: super::many(source, &describe::STMT_IMPORT_FROM, 1)?,
                    level: super::optional(source, &describe::STMT_IMPORT_FROM, 2)?.unwrap_or(0),
                })),
                22 => StmtKind::Global(Box::new(StmtGlobal {
                    names: super::many(source, &describe::STMT_GLOBAL, 0)?,
                })),
                23 => StmtKind::Nonlocal(Box::new(StmtNonlocal {
                    names: super::many(source, &describe::STMT_NONLOCAL, 0)?,
                })),
                24 => StmtKind::Expr(Box::new(StmtExpr {
                    value: Build::build(&source.one(&describe::STMT_EXPR, 0)?)?,
                })),
                25 => StmtKind::Pass,
                26 => StmtKind::Break,
                _ => StmtKind::Continue,
            };
            Ok(Self { range, kind })
        })
    }
}

impl Build for Expr {
    fn build<S: Source>(source: &S) -> Result<Expr, S::Error> {
        source.nested(|| {
            let range = source.range(&describe::GROUPS[2])?;
            let kind = match source.class(&describe::GROUPS[2])? {
                0 => ExprKind::BoolOp(Box::new(ExprBoolOp {
                    op: Build::build(&source.one(&describe::EXPR_BOOL_OP, 0)?)?,
                    values: super::many(source, &describe::EXPR_BOOL_OP, 1)?,
                })),
                1 => ExprKind::NamedExpr(Box::new(ExprNamedExpr {
                    target: Build::build(&source.one(&describe::EXPR_NAMED_EXPR, 0)?)?,
                    value: Build::build(&source.one(&describe::EXPR_NAMED_EXPR, 1)?)?,
                })),
                2 => ExprKind::BinOp(Box::new(ExprBinOp {
                    left: Build::build(&source.one(&describe::EXPR_BIN_OP, 0)?)?,
                    op: Build::build(&source.one(&describe::EXPR_BIN_OP, 1)?)?,
                    right: Build::build(&source.one(&describe::EXPR_BIN_OP, 2)?)?,
                })),
                3 => ExprKind::UnaryOp(Box::new(ExprUnaryOp {
                    op: Build::build(&source.one(&describe::EXPR_UNARY_OP, 0)?)?,
                    operand: Build::build(&source.one(&describe::EXPR_UNARY_OP, 1)?)?,
                })),
                4 => ExprKind::Lambda(Box::new(ExprLambda {
                    args: Build::build(&source.one(&describe::EXPR_LAMBDA, 0)?)?,
                    body: Build::build(&source.one(&describe::EXPR_LAMBDA, 1)?)?,
                })),
                5 => ExprKind::IfExp(Box::new(ExprIfExp {
                    test: Build::build(&source.one(&describe::EXPR_IF_EXP, 0)?)?,
                    body: Build::build(&source.one(&describe::EXPR_IF_EXP, 1)?)?,
                    orelse: Build::build(&source.one(&describe::EXPR_IF_EXP, 2)?)?,
                })),
                6 => ExprKind::Dict(Box::new(ExprDict {
                    keys: super::many_optional(source, &describe::EXPR_DICT, 0)?,
                    values: super::many(source, &describe::EXPR_DICT, 1)?,
                })),
                7 => ExprKind::Set(Box::new(ExprSet { elts: super::many(source, &describe::EXPR_SET, 0)? })),
                8 => ExprKind::ListComp(Box::new(ExprListComp {
                    elt: Build::build(&source.one(&describe::EXPR_LIST_COMP, 0)?)?,
                    generators: super::many(source, &describe::EXPR_LIST_COMP, 1)?,
                })),
                9 => ExprKind::SetComp(Box::new(ExprSetComp {
                    elt: Build::build(&source.one(&describe::EXPR_SET_COMP, 0)?)?,
                    generators: super::many(source, &describe::EXPR_SET_COMP, 1)?,
                })),
                10 => ExprKind::DictComp(Box::new(ExprDictComp {
                    key: Build::build(&source.one(&describe::EXPR_DICT_COMP, 0)?)?,
                    value: Build::build(&source.one(&describe::EXPR_DICT_COMP, 1)?)?,
                    generators: super::many(source, &describe::EXPR_DICT_COMP, 2)?,
                })),
                11 => ExprKind::GeneratorExp(Box::new(ExprGeneratorExp {
                    elt: Build::build(&source.one(&describe::EXPR_GENERATOR_EXP, 0)?)?,
                    generators: super::many(source, &describe::EXPR_GENERATOR_EXP, 1)?,
                })),
                12 => ExprKind::Await(Box::new(ExprAwait {
                    value: Build::build(&source.one(&describe::EXPR_AWAIT, 0)?)?,
                })),
                13 => ExprKind::Yield(Box::new(ExprYield {
                    value: super::optional(source, &describe::EXPR_YIELD, 0)?,
                })),
                14 => ExprKind::YieldFrom(Box::new(ExprYieldFrom {
                    value: Build::build(&source.one(&describe::EXPR_YIELD_FROM, 0)?)?,
                })),
                15 => ExprKind::Compare(Box::new(ExprCompare {
                    left: Build::build(&source.one(&describe::EXPR_COMPARE, 0)?)?,
                    ops: super::many(source, &describe::EXPR_COMPARE, 1)?,
                    comparators: super::many(source, &describe::EXPR_COMPARE, 2)?,
                })),
                16 => ExprKind::Call(Box::new(ExprCall {
                    func: Build::build(&source.one(&describe::EXPR_CALL, 0)?)?,
                    args: super::many(source, &describe::EXPR_CALL, 1)?,
                    keywords: super::many(source, &describe::EXPR_CALL, 2)?,
                })),
                17 => ExprKind::FormattedValue(Box::new(ExprFormattedValue {
                    value: Build::build(&source.one(&describe::EXPR_FORMATTED_VALUE, 0)?)?,
                    conversion: Build::build(&source.one(&describe::EXPR_FORMATTED_VALUE, 1)?)?,
                    format_spec: super::optional(source, &describe::EXPR_FORMATTED_VALUE, 2)?,
                })),
                18 => ExprKind::Interpolation(Box::new(ExprInterpolation {
                    value: Build::build(&source.one(&describe::EXPR_INTERPOLATION, 0)?)?,
                    str: Build::build(&source.one(&describe::EXPR_INTERPOLATION, 1)?)?,
                    conversion: Build::build(&source.one(&describe::EXPR_INTERPOLATION, 2)?)?,
                    format_spec: super::optional(source, &describe::EXPR_INTERPOLATION, 3)?,
                })),
                19 => ExprKind::JoinedStr(Box::new(ExprJoinedStr {
                    values: super::many(source, &describe::EXPR_JOINED_STR, 0)?,
                })),
                20 => ExprKind::TemplateStr(Box::new(ExprTemplateStr {
                    values: super::many(source, &describe::EXPR_TEMPLATE_STR, 0)?,
                })),
                21 => ExprKind::Constant(ExprConstant {
                    value: Build::build(&source.one(&describe::EXPR_CONSTANT, 0)?)?,
                    kind: super::optional(source, &describe::EXPR_CONSTANT, 1)?,
                }),
                22 => ExprKind::Attribute(Box::new(ExprAttribute {
                    value: Build::build(&source.one(&describe::EXPR_ATTRIBUTE, 0)?)?,
                    attr: Build::build(&source.one(&describe::EXPR_ATTRIBUTE, 1)?)?,
                    ctx: Build::build(&source.one(&describe::EXPR_ATTRIBUTE, 2)?)?,
                })),
                23 => ExprKind::Subscript(Box::new(ExprSubscript {
                    value: Build::build(&source.one(&describe::EXPR_SUBSCRIPT, 0)?)?,
                    slice: Build::build(&source.one(&describe::EXPR_SUBSCRIPT, 1)?)?,
                    ctx: Build::build(&source.one(&describe::EXPR_SUBSCRIPT, 2)?)?,
                })),
                24 => ExprKind::Starred(Box::new(ExprStarred {
                    value: Build::build(&source.one(&describe::EXPR_STARRED, 0)?)?,
                    ctx: Build::build(&source.one(&describe::EXPR_STARRED, 1)?)?,
                })),
                25 => ExprKind::Name(ExprName {
                    id: Build::build(&source.one(&describe::EXPR_NAME, 0)?)?,
                    ctx: Build::build(&source.one(&describe::EXPR_NAME, 1)?)?,
                }),
                26 => ExprKind::List(Box::new(ExprList {
                    elts: super::many(source, &describe::EXPR_LIST, 0)?,
                    ctx: Build::build(&source.one(&describe::EXPR_LIST, 1)?)?,
                })),
                27 => ExprKind::Tuple(Box::new(ExprTuple {
                    elts: super::many(source, &describe::EXPR_TUPLE, 0)?,
                    ctx: Build::build(&source.one(&describe::EXPR_TUPLE, 1)?)?,
                })),
                _ => ExprKind::Slice(Box::new(ExprSlice {
                    lower: super::optional(source, &describe::EXPR_SLICE, 0)?,
                    upper: super::optional(source, &describe::EXPR_SLICE, 1)?,
                    step: super::optional(source, &describe::EXPR_SLICE, 2)?,
                })),
            };
            Ok(Self { range, kind })
        })
    }
}

impl Build for ExprContext {
    fn build<S: Source>(source: &S) -> Result<ExprContext, S::Error> {
        source.nested(|| {
            let kind = match source.class(&describe::GROUPS[3])? {
                0 => ExprContext::Load,
                1 => ExprContext::Store,
                _ => ExprContext::Del,
            };
            Ok(kind)
        })
    }
}

impl Build for BoolOp {
    fn build<S: Source>(source: &S) -> Result<BoolOp, S::Error> {
        source.nested(|| {
            let kind = match source.class(&describe::GROUPS[4])? {
                0 => BoolOp::And,
                _ => BoolOp::Or,
            };
            Ok(kind)
        })
    }
}

impl Build for Operator {
    fn build<S: Source>(source: &S) -> Result<Operator, S::Error> {
        source.nested(|| {
            let kind = match source.class(&describe::GROUPS[5])? {
                0 => Operator::Add,
                1 => Operator::Sub,
                2 => Operator::Mult,
                3 => Operator::MatMult,
                4 => Operator::Div,
                5 => Operator::Mod,
                6 => Operator::Pow,
                7 => Operator::LShift,
                8 => Operator::RShift,
                9 => Operator::BitOr,
                10 => Operator::BitXor,
                11 => Operator::BitAnd,
                _ => Operator::FloorDiv,
            };
            Ok(kind)
        })
    }
}

impl Build for UnaryOp {
    fn build<S: Source>(source: &S) -> Result<UnaryOp, S::Error> {
        source.nested(|| {
            let kind = match source.class(&describe::GROUPS[6])? {
                0 => UnaryOp::Invert,
                1 => UnaryOp::Not,
                2 => UnaryOp::UAdd,
                _ => UnaryOp::USub,
            };
            Ok(kind)
        })
    }
}

impl Build for CmpOp {
    fn build<S: Source>(source: &S) -> Result<CmpOp, S::Error> {
        source.nested(|| {
            let kind = match source.class(&describe::GROUPS[7])? {
                0 => CmpOp::Eq,
                1 => CmpOp::NotEq,
                2 => CmpOp::Lt,
                3 => CmpOp::LtE,
                4 => CmpOp::Gt,
                5 => CmpOp::GtE,
                6 => CmpOp::Is,
                7 => CmpOp::IsNot,
                8 => CmpOp::In,
                _ => CmpOp::NotIn,
            };
            Ok(kind)
        })
    }
}

impl Build for Comprehension {
    fn build<S: Source>(source: &S) -> Result<Comprehension, S::Error> {
        source.nested(|| {
            source.class(&describe::GROUPS[8])?;
            Ok(Comprehension {
                target: Build::build(&source.one(&describe::COMPREHENSION_COMPREHENSION, 0)?)?,
                iter: Build::build(&source.one(&describe::COMPREHENSION_COMPREHENSION, 1)?)?,
                ifs: super::many(source, &describe::COMPREHENSION_COMPREHENSION, 2)?,
                is_async: Build::build(&source.one(&describe::COMPREHENSION_COMPREHENSION, 3)?)?,
            })
        })
    }
}

impl Build for ExceptHandler {
    fn build<S: Source>(source: &S) -> Result<ExceptHandler, S::Error> {
        source.nested(|| {
            let range = source.range(&describe::GROUPS[9])?;
            source.class(&describe::GROUPS[9])?;
            Ok(ExceptHandler {
                range,
                type_: super::optional(source, &describe::EXCEPT_HANDLER_EXCEPT_HANDLER, 0)?,
                name: super::optional(source, &describe::EXCEPT_HANDLER_EXCEPT_HANDLER, 1)?,
                body: super::many(source, &describe::EXCEPT_HANDLER_EXCEPT_HANDLER, 2)?,
            })
        })
    }
}

impl Build for Arguments {
    fn build<S: Source>(source: &S) -> Result<Arguments, S::Error> {
        source.nested(|| {
            source.class(&describe::GROUPS[10])?;
            Ok(Arguments {
                posonlyargs: super::many(source, &describe::ARGUMENTS_ARGUMENTS, 0)?,
                args: super::many(source, &describe::ARGUMENTS_ARGUMENTS, 1)?,
                vararg: super::optional(source, &describe::ARGUMENTS_ARGUMENTS, 2)?,
                kwonlyargs: super::many(source, &describe::ARGUMENTS_ARGUMENTS, 3)?,
                kw_defaults: super::many_optional(source, &describe::ARGUMENTS_ARGUMENTS, 4)?,
                kwarg: super::optional(source, &describe::ARGUMENTS_ARGUMENTS, 5)?,
                defaults: super::many(source, &describe::ARGUMENTS_ARGUMENTS, 6)?,
            })
        })
    }
}

impl Build for Arg {
    fn build<S: Source>(source: &S) -> Result<Arg, S::Error> {
        source.nested(|| {
            let range = source.range(&describe::GROUPS[11])?;
            source.class(&describe::GROUPS[11])?;
            Ok(Arg {
                range,
                arg: Build::build(&source.one(&describe::ARG_ARG, 0)?)?,
                annotation: super::optional(source, &describe::ARG_ARG, 1)?,
                type_comment: super::optional(source, &describe::ARG_ARG, 2)?,
            })
        })
    }
}

impl Build for Keyword {
    fn build<S: Source>(source: &S) -> Result<Keyword, S::Error> {
        source.nested(|| {
            let range = source.range(&describe::GROUPS[12])?;
            source.class(&describe::GROUPS[12])?;
            Ok(Keyword {
                range,
                arg: super::optional(source, &describe::KEYWORD_KEYWORD, 0)?,
                value: Build::build(&source.one(&describe::KEYWORD_KEYWORD, 1)?)?,
            })
        })
    }
}

impl Build for Alias {
    fn build<S: Source>(source: &S) -> Result<Alias, S::Error> {
        source.nested(|| {
            let range = source.range(&describe::GROUPS[13])?;
            source.class(&describe::GROUPS[13])?;
            Ok(Alias {
                range,
                name: Build::build(&source.one(&describe::ALIAS_ALIAS, 0)?)?,
                asname: super::optional(source, &describe::ALIAS_ALIAS, 1)?,
            })
        })
    }
}

impl Build for WithItem {
    fn build<S: Source>(source: &S) -> Result<WithItem, S::Error> {
        source.nested(|| {
            source.class(&describe::GROUPS[14])?;
            Ok(WithItem {
                context_expr: Build::build(&source.one(&describe::WITH_ITEM_WITHITEM, 0)?)?,
                optional_vars: super::optional(source, &describe::WITH_ITEM_WITHITEM, 1)?,
            })
        })
    }
}

impl Build for MatchCase {
    fn build<S: Source>(source: &S) -> Result<MatchCase, S::Error> {
        source.nested(|| {
            source.class(&describe::GROUPS[15])?;
            Ok(MatchCase {
                pattern: Build::build(&source.one(&describe::MATCH_CASE_MATCH_CASE, 0)?)?,
                guard: super::optional(source, &describe::MATCH_CASE_MATCH_CASE, 1)?,
                body: super::many(source, &describe::MATCH_CASE_MATCH_CASE, 2)?,
            })
        })
    }
}

impl Build for Pattern {
    fn build<S: Source>(source: &S) -> Result<Pattern, S::Error> {
        source.nested(|| {
            let range = source.range(&describe::GROUPS[16])?;
            let kind = match source.class(&describe::GROUPS[16])? {
                0 => PatternKind::MatchValue(Box::new(PatternMatchValue {
                    value: Build::build(&source.one(&describe::PATTERN_MATCH_VALUE, 0)?)?,
                })),
                1 => PatternKind::MatchSingleton(Box::new(PatternMatchSingleton {
                    value: Build::build(&source.one(&describe::PATTERN_MATCH_SINGLETON, 0)?)?,
                })),
                2 => PatternKind::MatchSequence(Box::new(PatternMatchSequence {
                    patterns: super::many(source, &describe::PATTERN_MATCH_SEQUENCE, 0)?,
                })),
                3 => PatternKind::MatchMapping(Box::new(PatternMatchMapping {
                    keys: super::many(source, &describe::PATTERN_MATCH_MAPPING, 0)?,
                    patterns: super::many(source, &describe::PATTERN_MATCH_MAPPING, 1)?,
                    rest: super::optional(source, &describe::PATTERN_MATCH_MAPPING, 2)?,
                })),
                4 => PatternKind::MatchClass(Box::new(PatternMatchClass {
                    cls: Build::build(&source.one(&describe::PATTERN_MATCH_CLASS, 0)?)?,
                    patterns: super::many(source, &describe::PATTERN_MATCH_CLASS, 1)?,
                    kwd_attrs: super::many(source, &describe::PATTERN_MATCH_CLASS, 2)?,
                    kwd_patterns: super::many(source, &describe::PATTERN_MATCH_CLASS, 3)?,
                })),
                5 => PatternKind::MatchStar(Box::new(PatternMatchStar {
                    name: super::optional(source, &describe::PATTERN_MATCH_STAR, 0)?,
                })),
                6 => PatternKind::MatchAs(Box::new(PatternMatchAs {
                    pattern: super::optional(source, &describe::PATTERN_MATCH_AS, 0)?,
                    name: super::optional(source, &describe::PATTERN_MATCH_AS, 1)?,
                })),
                _ => PatternKind::MatchOr(Box::new(PatternMatchOr {
                    patterns: super::many(source, &describe::PATTERN_MATCH_OR, 0)?,
                })),
            };
            Ok(Self { range, kind })
        })
    }
}

impl Build for TypeIgnore {
    fn build<S: Source>(source: &S) -> Result<TypeIgnore, S::Error> {
        source.nested(|| {
            source.class(&describe::GROUPS[17])?;
            Ok(TypeIgnore {
                lineno: Build::build(&source.one(&describe::TYPE_IGNORE_TYPE_IGNORE, 0)?)?,
                tag: Build::build(&source.one(&describe::TYPE_IGNORE_TYPE_IGNORE, 1)?)?,
            })
        })
    }
}

impl Build for TypeParam {
    fn build<S: Source>(source: &S) -> Result<TypeParam, S::Error> {
        source.nested(|| {
            let range = source.range(&describe::GROUPS[18])?;
            let kind = match source.class(&describe::GROUPS[18])? {
                0 => TypeParamKind::TypeVar(Box::new(TypeParamTypeVar {
                    name: Build::build(&source.one(&describe::TYPE_PARAM_TYPE_VAR, 0)?)?,
                    bound: super::optional(source, &describe::TYPE_PARAM_TYPE_VAR, 1)?,
                    default_value: super::optional(source, &describe::TYPE_PARAM_TYPE_VAR, 2)?,
                })),
                1 => TypeParamKind::ParamSpec(Box::new(TypeParamParamSpec {
                    name: Build::build(&source.one(&describe::TYPE_PARAM_PARAM_SPEC, 0)?)?,
                    default_value: super::optional(source, &describe::TYPE_PARAM_PARAM_SPEC, 1)?,
                })),
                _ => TypeParamKind::TypeVarTuple(Box::new(TypeParamTypeVarTuple {
                    name: Build::build(&source.one(&describe::TYPE_PARAM_TYPE_VAR_TUPLE, 0)?)?,
                    default_value: super::optional(source, &describe::TYPE_PARAM_TYPE_VAR_TUPLE, 1)?,
                })),
            };
            Ok(Self { range, kind })
        })
    }
}
