//! `_locale`: the system's locale.

use crate::util::{ModuleError, argument_name, module_error};
use std::ffi::CString;
use taipan_object::bytes::Bytes;
use taipan_object::dict::Dict;
use taipan_object::int::Int;
use taipan_object::list::List;
use taipan_object::module::{Module, ModuleSpec};
use taipan_object::native::Args;
use taipan_object::singletons::is_none;
use taipan_object::statics::PyExc_TypeError;
use taipan_object::unicode::Str;
use taipan_object::{Object, PyErr, PyResult, Ref, err, methods, raise};
use taipan_os::locale;

module_error!(Error, "locale", "Error", PyExc_Exception);

/// Text of the C library: UTF-8, with bytes that are none as lone surrogates.
fn decoded(data: &[u8]) -> PyResult<Ref<Str>> {
    let made = taipan_types_text::str::decode(data, "utf-8", "surrogateescape")?;
    made.downcast_owned::<Str>().map_err(|_| err::system_error("decoder gave no str"))
}

fn c_text(object: &Object, function: &str, place: &str, optional: bool) -> PyResult<CString> {
    let Some(text) = object.downcast::<Str>() else {
        let or_none = if optional { " or None" } else { "" };
        return Err(raise!(
            PyExc_TypeError,
            "{function}() argument{place} must be str{or_none}, not {}",
            argument_name(object)
        ));
    };
    CString::new(text.to_utf8()?).map_err(|_| err::value_error("embedded null character"))
}

fn c_text_opt(object: Option<&Object>, function: &str, place: &str) -> PyResult<Option<CString>> {
    object.filter(|object| !is_none(object)).map(|object| c_text(object, function, place, true)).transpose()
}

fn setlocale(_: &Object, args: &Args<'_>) -> PyResult<Ref<Str>> {
    let category = args.required(0).to_i32()?;
    let name = c_text_opt(args.get(1), "setlocale", " 2")?;
    match locale::set(category, name.as_deref()) {
        Some(name) => decoded(&name),
        None if name.is_some() => Err(Error::error("unsupported locale setting")),
        None => Err(Error::error("locale query failed")),
    }
}

/// Groupings are numbers that end with 0, or with 127 for "no further grouping".
fn grouping(data: &[u8]) -> PyResult<Ref<List>> {
    if data.is_empty() {
        return List::new();
    }
    let mut all: Vec<Ref> = data.iter().map(|&n| Int::from_i64(i64::from(n)).upcast()).collect();
    if !data.contains(&127) {
        all.push(Int::from_i64(0).upcast());
    }
    List::from_vec(all)
}

fn localeconv(_: &Object) -> PyResult<Ref<Dict>> {
    let all = locale::conventions();
    let dict = Dict::new()?;
    let texts = [
        "int_curr_symbol",
        "currency_symbol",
        "mon_decimal_point",
        "mon_thousands_sep",
        "positive_sign",
        "negative_sign",
    ];
    for (name, text) in texts.iter().zip(&all.money_texts) {
        if *name == "positive_sign" {
            dict.set_text("mon_grouping", &*grouping(&all.mon_grouping)?)?;
        }
        dict.set_text(name, &*decoded(text)?)?;
    }
    let numbers = [
        "int_frac_digits",
        "frac_digits",
        "p_cs_precedes",
        "p_sep_by_space",
        "n_cs_precedes",
        "n_sep_by_space",
        "p_sign_posn",
        "n_sign_posn",
    ];
    for (name, number) in numbers.iter().zip(all.money_numbers) {
        dict.set_text(name, &Int::from_i64(i64::from(number)))?;
    }
    for (name, text) in ["decimal_point", "thousands_sep"].iter().zip(&all.number_texts) {
        dict.set_text(name, &*decoded(text)?)?;
    }
    dict.set_text("grouping", &*grouping(&all.grouping)?)?;
    Ok(dict)
}

fn nl_langinfo(_: &Object, key: &Object) -> PyResult<Ref<Str>> {
    let key = key.to_i32()?;
    if !ITEMS.iter().any(|(_, number)| *number == key) {
        return Err(err::value_error("unsupported langinfo constant"));
    }
    decoded(&locale::information(key))
}

fn points(object: &Object, function: &str, place: &str) -> PyResult<Vec<u32>> {
    let Some(text) = object.downcast::<Str>() else {
        return Err(raise!(
            PyExc_TypeError,
            "{function}() argument{place} must be str, not {}",
            argument_name(object)
        ));
    };
    let points: Vec<u32> = text.code_points().collect();
    if points.contains(&0) {
        return Err(err::value_error("embedded null character"));
    }
    Ok(points)
}

fn strcoll(_: &Object, args: &Args<'_>) -> PyResult<i32> {
    let (a, b) = (points(args.required(0), "strcoll", " 1")?, points(args.required(1), "strcoll", " 2")?);
    Ok(locale::compare(&a, &b))
}

fn strxfrm(_: &Object, text: &Object) -> PyResult<Ref<Str>> {
    let made = locale::transformed(&points(text, "strxfrm", "")?).map_err(system_error)?;
    // The library's keys are numbers of its own: what is no character is cut down to one.
    let made: Vec<u32> = made.into_iter().map(|c| if c > 0x10FFFF { 0x10FFFF } else { c }).collect();
    Str::from_code_points(&made)
}

fn system_error(number: i32) -> PyErr {
    raise!(taipan_object::statics::PyExc_OSError, "[Errno {number}] {}", taipan_os::error_text(number))
}

fn translate(
    domain: Option<&Object>,
    message: (&Object, &str),
    category: Option<i32>,
    function: &str,
) -> PyResult<Ref<Str>> {
    let domain = match domain {
        Some(domain) if category.is_some() => c_text_opt(Some(domain), function, " 1")?,
        Some(domain) => c_text_opt(Some(domain), function, " 1")?,
        None => None,
    };
    let message = c_text(message.0, function, message.1, false)?;
    decoded(&locale::translated(domain.as_deref(), &message, category))
}

fn textdomain(_: &Object, domain: &Object) -> PyResult<Option<Ref<Str>>> {
    let domain = c_text_opt(Some(domain), "textdomain", "")?;
    locale::message_domain(domain.as_deref()).map(|text| decoded(&text)).transpose()
}

fn bindtextdomain(_: &Object, args: &Args<'_>) -> PyResult<Option<Ref<Str>>> {
    let domain = c_text(args.required(0), "bindtextdomain", " 1", false)?;
    if domain.is_empty() {
        return Err(Error::error("domain must be a non-empty string"));
    }
    let folder = match args.get_some(1) {
        Some(folder) if folder.downcast::<Bytes>().is_some() => {
            let bytes = folder.downcast::<Bytes>().map(|b| b.as_slice().to_vec()).unwrap_or_default();
            Some(CString::new(bytes).map_err(|_| err::value_error("embedded null byte"))?)
        }
        folder => c_text_opt(folder, "bindtextdomain", " 2")?,
    };
    locale::message_folder(&domain, folder.as_deref()).map(|text| decoded(&text)).transpose()
}

fn bind_textdomain_codeset(_: &Object, args: &Args<'_>) -> PyResult<Option<Ref<Str>>> {
    let domain = c_text(args.required(0), "bind_textdomain_codeset", " 1", false)?;
    let codeset = c_text_opt(args.get(1), "bind_textdomain_codeset", " 2")?;
    locale::message_codeset(&domain, codeset.as_deref()).map(|text| decoded(&text)).transpose()
}

methods! {
    static METHODS = {
        args "setlocale" "($module, category, locale=None, /)" = setlocale, "Set the locale of a category, or ask for it.";
        noargs "localeconv" "($module, /)" = localeconv, "The locale's conventions for numbers and money.";
        one "nl_langinfo" "($module, key, /)" = nl_langinfo, "A word or format of the locale.";
        noargs "getencoding" "($module, /)" = |_: &Object| taipan_os::files::locale_encoding(), "The name of the locale's encoding.";
        args "strcoll" "($module, os1, os2, /)" = strcoll, "Compare two texts in the locale's order.";
        one "strxfrm" "($module, string, /)" = strxfrm, "A key whose order is the locale's order of the text.";
        one "gettext" "($module, msg, /)" = |_: &Object, m: &Object| translate(None, (m, ""), None, "gettext"), "The translation of a message.";
        args "dgettext" "($module, domain, msg, /)" = |_: &Object, a: &Args<'_>| translate(a.get(0), (a.required(1), " 2"), None, "dgettext"), "The translation of a message in a domain.";
        args "dcgettext" "($module, domain, msg, category, /)" = |_: &Object, a: &Args<'_>| { let category = a.required(2).to_i32()?; translate(a.get(0), (a.required(1), " 2"), Some(category), "dcgettext") }, "The translation of a message in a domain and a category.";
        one "textdomain" "($module, domain, /)" = textdomain, "Set the domain of messages, or ask for it.";
        args "bindtextdomain" "($module, domain, dir, /)" = bindtextdomain, "Set the folder of a domain's messages, or ask for it.";
        args "bind_textdomain_codeset" "($module, domain, codeset, /)" = bind_textdomain_codeset, "Set the encoding of a domain's messages, or ask for it.";
    }
}

const CATEGORIES: [(&str, i32); 8] = [
    ("LC_CTYPE", 0),
    ("LC_NUMERIC", 1),
    ("LC_TIME", 2),
    ("LC_COLLATE", 3),
    ("LC_MONETARY", 4),
    ("LC_MESSAGES", 5),
    ("LC_ALL", 6),
    ("CHAR_MAX", 127),
];

/// The numbers of `nl_langinfo`, as the C library has them.
#[rustfmt::skip]
const ITEMS: &[(&str, i32)] = &[
    ("ABDAY_1", 131072), ("ABDAY_2", 131073), ("ABDAY_3", 131074), ("ABDAY_4", 131075),
    ("ABDAY_5", 131076), ("ABDAY_6", 131077), ("ABDAY_7", 131078),
    ("DAY_1", 131079), ("DAY_2", 131080), ("DAY_3", 131081), ("DAY_4", 131082),
    ("DAY_5", 131083), ("DAY_6", 131084), ("DAY_7", 131085),
    ("ABMON_1", 131086), ("ABMON_2", 131087), ("ABMON_3", 131088), ("ABMON_4", 131089),
    ("ABMON_5", 131090), ("ABMON_6", 131091), ("ABMON_7", 131092), ("ABMON_8", 131093),
    ("ABMON_9", 131094), ("ABMON_10", 131095), ("ABMON_11", 131096), ("ABMON_12", 131097),
    ("MON_1", 131098), ("MON_2", 131099), ("MON_3", 131100), ("MON_4", 131101),
    ("MON_5", 131102), ("MON_6", 131103), ("MON_7", 131104), ("MON_8", 131105),
    ("MON_9", 131106), ("MON_10", 131107), ("MON_11", 131108), ("MON_12", 131109),
    ("AM_STR", 131110), ("PM_STR", 131111), ("D_T_FMT", 131112), ("D_FMT", 131113),
    ("T_FMT", 131114), ("T_FMT_AMPM", 131115), ("ERA", 131116), ("ERA_D_FMT", 131118),
    ("ALT_DIGITS", 131119), ("ERA_D_T_FMT", 131120), ("ERA_T_FMT", 131121), ("_DATE_FMT", 131180),
    ("CODESET", 14), ("CRNCYSTR", 262159), ("RADIXCHAR", 65536), ("THOUSEP", 65537),
    ("YESEXPR", 327680), ("NOEXPR", 327681),
];

fn init(module: &Module) -> PyResult<()> {
    module.add("Error", Error::class()?)?;
    for (name, number) in CATEGORIES.iter().chain(ITEMS) {
        module.add(name, &Int::from_i64(i64::from(*number)))?;
    }
    Ok(())
}

/// `_locale`.
pub static SPEC: ModuleSpec =
    ModuleSpec { name: "_locale", doc: "The locale of the system.", methods: METHODS, init };
