//! The system's locale: names, conventions for numbers and money, words, order of texts, messages.
//!
//! The locale belongs to the process. Answers of the C library stand in memory that the next call
//! overwrites, so they are copied at once; callers hold their own lock meanwhile.

use std::ffi::{CStr, CString};

/// The locale of one category, after setting it if a name is given; `None` when there is no such
/// locale.
pub fn set(category: i32, name: Option<&CStr>) -> Option<Vec<u8>> {
    // SAFETY: null asks, otherwise a null-terminated name; the answer is copied.
    unsafe { copied(libc::setlocale(category, name.map_or(core::ptr::null(), CStr::as_ptr))) }
}

/// # Safety
/// `text` is null or null-terminated.
unsafe fn copied(text: *const libc::c_char) -> Option<Vec<u8>> {
    // SAFETY: by contract.
    if text.is_null() { None } else { Some(unsafe { CStr::from_ptr(text) }.to_bytes().to_vec()) }
}

/// What `localeconv` tells.
#[derive(Clone, Debug, Default)]
pub struct Conventions {
    /// `decimal_point`, `thousands_sep`.
    pub number_texts: [Vec<u8>; 2],
    pub grouping: Vec<u8>,
    /// `int_curr_symbol`, `currency_symbol`, `mon_decimal_point`, `mon_thousands_sep`, `positive_sign`,
    /// `negative_sign`.
    pub money_texts: [Vec<u8>; 6],
    pub mon_grouping: Vec<u8>,
    /// `int_frac_digits`, `frac_digits`, `p_cs_precedes`, `p_sep_by_space`, `n_cs_precedes`,
    /// `n_sep_by_space`, `p_sign_posn`, `n_sign_posn`.
    pub money_numbers: [i8; 8],
}

/// The conventions of the present locale.
pub fn conventions() -> Conventions {
    // SAFETY: the struct and its texts are valid until the next call, and are copied before.
    unsafe {
        let raw = libc::localeconv();
        if raw.is_null() {
            return Conventions::default();
        }
        let raw = &*raw;
        let text = |text: *const libc::c_char| copied(text).unwrap_or_default();
        Conventions {
            number_texts: [text(raw.decimal_point), text(raw.thousands_sep)],
            grouping: text(raw.grouping),
            money_texts: [
                text(raw.int_curr_symbol),
                text(raw.currency_symbol),
                text(raw.mon_decimal_point),
                text(raw.mon_thousands_sep),
                text(raw.positive_sign),
                text(raw.negative_sign),
            ],
            mon_grouping: text(raw.mon_grouping),
            money_numbers: [
                raw.int_frac_digits as i8,
                raw.frac_digits as i8,
                raw.p_cs_precedes as i8,
                raw.p_sep_by_space as i8,
                raw.n_cs_precedes as i8,
                raw.n_sep_by_space as i8,
                raw.p_sign_posn as i8,
                raw.n_sign_posn as i8,
            ],
        }
    }
}

/// A word or format of the present locale, by its number.
pub fn information(item: i32) -> Vec<u8> {
    // SAFETY: unknown numbers give an empty text; the answer is copied.
    unsafe { copied(libc::nl_langinfo(item)).unwrap_or_default() }
}

fn wide(text: &[u32]) -> Vec<libc::wchar_t> {
    text.iter().map(|&c| c as libc::wchar_t).chain([0]).collect()
}

unsafe extern "C" {
    fn wcscoll(a: *const libc::wchar_t, b: *const libc::wchar_t) -> libc::c_int;
    fn wcsxfrm(to: *mut libc::wchar_t, from: *const libc::wchar_t, size: libc::size_t) -> libc::size_t;
    fn gettext(message: *const libc::c_char) -> *mut libc::c_char;
    fn dgettext(domain: *const libc::c_char, message: *const libc::c_char) -> *mut libc::c_char;
    fn dcgettext(
        domain: *const libc::c_char,
        message: *const libc::c_char,
        category: libc::c_int,
    ) -> *mut libc::c_char;
    fn textdomain(domain: *const libc::c_char) -> *mut libc::c_char;
    fn bindtextdomain(domain: *const libc::c_char, folder: *const libc::c_char) -> *mut libc::c_char;
    fn bind_textdomain_codeset(
        domain: *const libc::c_char,
        codeset: *const libc::c_char,
    ) -> *mut libc::c_char;
}

/// The order of two texts without zeros: negative, zero or positive.
pub fn compare(a: &[u32], b: &[u32]) -> i32 {
    let (a, b) = (wide(a), wide(b));
    // SAFETY: both end with a zero.
    unsafe { wcscoll(a.as_ptr(), b.as_ptr()) }
}

/// A text whose plain order is the locale's order of the given one.
///
/// # Errors
/// What the system says.
pub fn transformed(text: &[u32]) -> Result<Vec<u32>, crate::Errno> {
    let text = wide(text);
    let mut out: Vec<libc::wchar_t> = vec![0; text.len()];
    for _ in 0..2 {
        // SAFETY: the source ends with a zero, the target has the size that is given.
        let needed = unsafe {
            *libc::__errno_location() = 0;
            wcsxfrm(out.as_mut_ptr(), text.as_ptr(), out.len())
        };
        let error = std::io::Error::last_os_error().raw_os_error().unwrap_or(0);
        if error != 0 && error != libc::ERANGE {
            return Err(error);
        }
        if needed < out.len() {
            out.truncate(needed);
            break;
        }
        out = vec![0; needed + 1];
    }
    Ok(out.into_iter().map(|c| c as u32).collect())
}

/// The translation of a message, in a domain and a category if given.
pub fn translated(domain: Option<&CStr>, message: &CString, category: Option<i32>) -> Vec<u8> {
    let domain_ptr = domain.map_or(core::ptr::null(), CStr::as_ptr);
    // SAFETY: null-terminated texts; the answer is copied.
    unsafe {
        let made = match (domain, category) {
            (_, Some(category)) => dcgettext(domain_ptr, message.as_ptr(), category),
            (Some(_), None) => dgettext(domain_ptr, message.as_ptr()),
            (None, None) => gettext(message.as_ptr()),
        };
        copied(made).unwrap_or_default()
    }
}

/// Sets the domain of messages, or asks for it.
pub fn message_domain(domain: Option<&CStr>) -> Option<Vec<u8>> {
    // SAFETY: null asks, otherwise a null-terminated text; the answer is copied.
    unsafe { copied(textdomain(domain.map_or(core::ptr::null(), CStr::as_ptr))) }
}

/// Sets the folder of a domain, or asks for it.
pub fn message_folder(domain: &CStr, folder: Option<&CStr>) -> Option<Vec<u8>> {
    // SAFETY: as above.
    unsafe { copied(bindtextdomain(domain.as_ptr(), folder.map_or(core::ptr::null(), CStr::as_ptr))) }
}

/// Sets the encoding of a domain's messages, or asks for it.
pub fn message_codeset(domain: &CStr, codeset: Option<&CStr>) -> Option<Vec<u8>> {
    // SAFETY: as above.
    unsafe {
        copied(bind_textdomain_codeset(domain.as_ptr(), codeset.map_or(core::ptr::null(), CStr::as_ptr)))
    }
}
