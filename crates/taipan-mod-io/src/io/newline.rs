//! `IncrementalNewlineDecoder`, and the newline state that text streams use directly.
//!
//! A carriage return at the end of a piece of text may be the first half of `\r\n`: it is kept back
//! until the next piece. The kinds of line ends that were seen are noted.

use taipan_object::bytes::Bytes;
use taipan_object::dict::Dict;
use taipan_object::int::Int;
use taipan_object::native::*;
use taipan_object::singletons::{bool_object, is_none, none};
use taipan_object::statics::*;
use taipan_object::tuple::Tuple;
use taipan_object::unicode::{Chars, Str};
use taipan_object::{Object, PyResult, Ref, Type, TypeSpec, abi, bind, err, intern, methods, payload, raise};

use core::cell::Cell;

const CR: u8 = 1;
const LF: u8 = 2;
const CRLF: u8 = 4;

/// What is known of the line ends of a stream.
#[derive(Default)]
pub struct NewlineState {
    seen: Cell<u8>,
    pending_cr: Cell<bool>,
    translate: Cell<bool>,
}

impl NewlineState {
    pub fn new(translate: bool) -> Self {
        let state = Self::default();
        state.translate.set(translate);
        state
    }

    pub fn reset(&self) {
        self.seen.set(0);
        self.pending_cr.set(false);
    }

    pub fn set_translate(&self, translate: bool) {
        self.translate.set(translate);
    }

    pub fn pending(&self) -> bool {
        self.pending_cr.get()
    }

    pub fn set_pending(&self, pending: bool) {
        self.pending_cr.set(pending);
    }

    /// The next piece of text, with line ends noted and translated.
    pub fn feed(&self, text: Ref<Str>, last: bool) -> PyResult<Ref<Str>> {
        let all = CR | LF | CRLF;
        let has_cr = has_char(&text, b'\r');
        if !has_cr && !self.pending_cr.get() {
            if self.seen.get() & LF == 0 && has_char(&text, b'\n') {
                self.seen.set(self.seen.get() | LF);
            }
            return Ok(text);
        }
        if text.is_empty() && !last {
            return Ok(text);
        }
        let mut points: Vec<u32> = Vec::with_capacity(text.len() + 1);
        if self.pending_cr.replace(false) {
            points.push(13);
        }
        points.extend(text.code_points());
        if !last && points.last() == Some(&13) {
            points.pop();
            self.pending_cr.set(true);
        }
        let mut seen = self.seen.get();
        let translate = self.translate.get();
        if !translate && seen == all {
            return Str::from_code_points(&points);
        }
        let mut out = Vec::with_capacity(if translate { points.len() } else { 0 });
        let mut at = 0;
        while let Some(&c) = points.get(at) {
            at += 1;
            let c = match c {
                13 if points.get(at) == Some(&10) => {
                    seen |= CRLF;
                    at += 1;
                    10
                }
                13 => {
                    seen |= CR;
                    10
                }
                10 => {
                    seen |= LF;
                    10
                }
                other => other,
            };
            if translate {
                out.push(c);
            }
        }
        self.seen.set(seen);
        Str::from_code_points(if translate { &out } else { &points })
    }

    /// The attribute `newlines`.
    pub fn newlines(&self) -> PyResult {
        let mut kinds = Vec::new();
        for (bit, text) in [(CR, "\r"), (LF, "\n"), (CRLF, "\r\n")] {
            if self.seen.get() & bit != 0 {
                kinds.push(Str::from_utf8(text)?.upcast());
            }
        }
        match kinds.len() {
            0 => Ok(none().new_ref()),
            1 => Ok(kinds.remove(0)),
            _ => Tuple::from_vec(kinds)?.into_py(),
        }
    }
}

/// Whether a text has an ASCII character.
pub fn has_char(text: &Str, c: u8) -> bool {
    match text.chars() {
        Chars::One(s) => memchr::memchr(c, s).is_some(),
        Chars::Two(s) => s.contains(&u16::from(c)),
        Chars::Four(s) => s.contains(&u32::from(c)),
    }
}

#[derive(Default)]
pub struct NewlineDecoder {
    decoder: Field,
    ready: Cell<bool>,
    state: NewlineState,
}
payload!(
    NewlineDecoder,
    NEWLINE_DECODER,
    c"_io.IncrementalNewlineDecoder",
    abi::Py_TPFLAGS_HAVE_GC | abi::Py_TPFLAGS_BASETYPE,
    PyBaseObject_Type,
    [decoder]
);

type View = Native<NewlineDecoder>;

fn init(this: &View, args: &Tuple, kwargs: Option<&Dict>) -> PyResult<()> {
    bind!(bound = "IncrementalNewlineDecoder" "(decoder, translate, errors='strict')", args, kwargs);
    let translate = bound.bool_or(1, false)?;
    this.decoder.set(bound.get_some(0).map(Object::new_ref));
    this.state.reset();
    this.state.translate.set(translate);
    this.ready.set(true);
    Ok(())
}

fn check(this: &View) -> PyResult<()> {
    if this.ready.get() {
        return Ok(());
    }
    Err(err::value_error("IncrementalNewlineDecoder.__init__() not called"))
}

/// A str result of a decoder.
pub fn decoded(object: Ref) -> PyResult<Ref<Str>> {
    object.downcast_owned::<Str>().map_err(|object| {
        raise!(PyExc_TypeError, "decoder should return a string result, not '{}'", object.ty().message_name())
    })
}

fn decode(this: &View, args: &Args<'_>) -> PyResult<Ref<Str>> {
    let last = args.bool_or(1, false)?;
    check(this)?;
    let input = args.required(0);
    let text = match this.decoder.get() {
        Some(decoder) => decoder.call_method(intern!("decode"), &[input, bool_object(last)])?,
        None => input.new_ref(),
    };
    this.state.feed(decoded(text)?, last)
}

fn getstate(this: &View) -> PyResult<Ref<Tuple>> {
    check(this)?;
    let (buffer, flag) = match this.decoder.get() {
        Some(decoder) => {
            let state = decoder.call_method(intern!("getstate"), &[])?;
            let Some(state) = state.downcast::<Tuple>() else {
                return Err(err::type_error("illegal decoder state"));
            };
            let [buffer, flag] = state.items() else {
                return Err(err::type_error("illegal decoder state"));
            };
            (buffer.new_ref(), flag.to_i64_wrapping()?)
        }
        None => (Bytes::new(&[])?.upcast(), 0),
    };
    let flag = (flag as u64) << 1 | u64::from(this.state.pending());
    Tuple::from_array([buffer, Int::from_u64(flag).upcast()])
}

fn setstate(this: &View, state: &Object) -> PyResult<()> {
    check(this)?;
    let Some(state) = state.downcast::<Tuple>() else {
        return Err(err::type_error("state argument must be a tuple"));
    };
    let [buffer, flag] = state.items() else { return Err(err::type_error("illegal decoder state")) };
    let flag = flag.to_i64_wrapping()? as u64;
    this.state.set_pending(flag & 1 != 0);
    if let Some(decoder) = this.decoder.get() {
        let state = Tuple::from_array([buffer.new_ref(), Int::from_u64(flag >> 1).upcast()])?;
        decoder.call_method(intern!("setstate"), &[&state])?;
    }
    Ok(())
}

fn reset(this: &View) -> PyResult<()> {
    check(this)?;
    this.state.reset();
    if let Some(decoder) = this.decoder.get() {
        decoder.call_method(intern!("reset"), &[])?;
    }
    Ok(())
}

methods! {
    static METHODS = {
        args "decode" "($self, /, input, final=False)" = decode, "Decode a piece of input and translate its line ends.";
        noargs "getstate" "($self, /)" = getstate, "The state: pending input and a number.";
        one "setstate" "($self, state, /)" = setstate, "Go back to a state.";
        noargs "reset" "($self, /)" = reset, "Begin anew.";
    }
}

/// `IncrementalNewlineDecoder`.
pub static SPEC: TypeSpec = TypeSpec {
    doc: Some(
        c"IncrementalNewlineDecoder(decoder, translate, errors='strict')\n--\n\nNotes the line ends of what another decoder decodes, and makes them '\\n' if\ntranslate is true. Without a decoder the input is text.",
    ),
    slots: &[
        View::DEALLOC,
        View::TRAVERSE,
        View::CLEAR,
        tp_new(|ty: &Type, _: &Tuple, _: Option<&Dict>| native_new(ty, NewlineDecoder::default())),
        tp_init(init),
    ],
    methods: METHODS,
    getset: &[getset_row(
        c"newlines",
        |this: &View| check(this).and_then(|()| this.state.newlines()),
        c"the line ends that were seen",
    )],
    ..TypeSpec::new(&NEWLINE_DECODER)
};

/// How a text stream treats line ends, from its argument `newline`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Newlines {
    /// What ends a line when reading: any kind, or this text.
    pub universal: bool,
    /// Line ends become `\n` when reading.
    pub translate: bool,
    /// The argument itself.
    pub given: Option<&'static str>,
}

impl Newlines {
    /// By the argument `newline`.
    ///
    /// # Errors
    /// `ValueError`; `TypeError` when it is neither str nor `None`.
    pub fn parse(newline: &Object, wrong_type: impl FnOnce() -> taipan_object::PyErr) -> PyResult<Self> {
        if is_none(newline) {
            return Ok(Self { universal: true, translate: true, given: None });
        }
        let Some(text) = newline.downcast::<Str>() else { return Err(wrong_type()) };
        for known in ["", "\n", "\r", "\r\n"] {
            if text.equals(known) {
                return Ok(Self { universal: known.is_empty(), translate: false, given: Some(known) });
            }
        }
        Err(raise!(PyExc_ValueError, "illegal newline value: {}", text.to_lossy()))
    }

    /// What `\n` is written as, if it is something else.
    pub fn written(&self) -> Option<&'static str> {
        match self.given {
            // Lines end with one `\n` on the systems we run on.
            None | Some("" | "\n") => None,
            other => other,
        }
    }
}

/// Where the first line of `chars` from `from` on ends (behind its line end), or `None`; then the
/// second number says from where to look again once there is more text.
pub fn line_end(chars: Chars<'_>, from: usize, newlines: &Newlines) -> (Option<usize>, usize) {
    let len = chars.len();
    let find = |c: u8, from: usize| -> Option<usize> {
        match chars {
            Chars::One(s) => memchr::memchr(c, &s[from..]).map(|at| at + from),
            Chars::Two(s) => s[from..].iter().position(|x| *x == u16::from(c)).map(|at| at + from),
            Chars::Four(s) => s[from..].iter().position(|x| *x == u32::from(c)).map(|at| at + from),
        }
    };
    if newlines.translate {
        return (find(b'\n', from).map(|at| at + 1), len);
    }
    if newlines.universal {
        let mut at = from;
        while at < len {
            match chars.at(at) {
                10 => return (Some(at + 1), len),
                13 if at + 1 < len && chars.at(at + 1) == 10 => return (Some(at + 2), len),
                13 => return (Some(at + 1), len),
                _ => at += 1,
            }
        }
        return (None, len);
    }
    match newlines.given {
        Some("\r\n") => {
            let mut at = from;
            while let Some(found) = find(b'\r', at) {
                if found + 1 >= len {
                    return (None, found);
                }
                if chars.at(found + 1) == 10 {
                    return (Some(found + 2), len);
                }
                at = found + 1;
            }
            (None, len)
        }
        Some("\r") => (find(b'\r', from).map(|at| at + 1), len),
        _ => (find(b'\n', from).map(|at| at + 1), len),
    }
}
