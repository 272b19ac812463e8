//! Users and groups of the system.

use crate::Errno;
use core::ffi::{CStr, c_char, c_int};
use core::mem::MaybeUninit;
use core::ptr::null_mut;

/// One user.
#[derive(Clone, Debug)]
pub struct User {
    pub name: Vec<u8>,
    pub password: Vec<u8>,
    pub uid: u32,
    pub gid: u32,
    pub about: Vec<u8>,
    pub home: Vec<u8>,
    pub shell: Vec<u8>,
}

/// One group.
#[derive(Clone, Debug)]
pub struct Group {
    pub name: Vec<u8>,
    pub password: Vec<u8>,
    pub gid: u32,
    pub members: Vec<Vec<u8>>,
}

/// # Safety
/// Null or null-terminated.
unsafe fn text(pointer: *const c_char) -> Vec<u8> {
    // SAFETY: by contract.
    if pointer.is_null() { Vec::new() } else { unsafe { CStr::from_ptr(pointer) }.to_bytes().to_vec() }
}

impl User {
    /// # Safety
    /// The texts are null or null-terminated.
    unsafe fn of(raw: &libc::passwd) -> Self {
        // SAFETY: by contract.
        unsafe {
            Self {
                name: text(raw.pw_name),
                password: text(raw.pw_passwd),
                uid: raw.pw_uid,
                gid: raw.pw_gid,
                about: text(raw.pw_gecos),
                home: text(raw.pw_dir),
                shell: text(raw.pw_shell),
            }
        }
    }
}

impl Group {
    /// # Safety
    /// The texts are null or null-terminated, the members null or an array that a null ends.
    unsafe fn of(raw: &libc::group) -> Self {
        let mut members = Vec::new();
        // SAFETY: by contract.
        unsafe {
            let mut row = raw.gr_mem;
            while !row.is_null() && !(*row).is_null() {
                members.push(text(*row));
                row = row.add(1);
            }
            Self { name: text(raw.gr_name), password: text(raw.gr_passwd), gid: raw.gr_gid, members }
        }
    }
}

/// Calls with ever larger buffers until the entry fits.
fn look_up<R, T>(
    mut call: impl FnMut(*mut R, &mut [u8], *mut *mut R) -> c_int,
    convert: impl Fn(&R) -> T,
) -> Result<Option<T>, Errno> {
    let mut buffer = vec![0u8; 1024];
    loop {
        let mut raw = MaybeUninit::<R>::uninit();
        let mut found: *mut R = null_mut();
        match call(raw.as_mut_ptr(), &mut buffer, &raw mut found) {
            0 if found.is_null() => return Ok(None),
            // SAFETY: the call filled our struct, with texts inside our buffer.
            0 => return Ok(Some(convert(unsafe { &*found }))),
            libc::ERANGE if buffer.len() < 1 << 24 => buffer.resize(buffer.len() * 2, 0),
            // Some systems report an entry that is not there as an error.
            libc::ENOENT | libc::ESRCH => return Ok(None),
            error => return Err(error),
        }
    }
}

/// A user by number.
///
/// # Errors
/// What the system says.
pub fn user_by_id(uid: u32) -> Result<Option<User>, Errno> {
    look_up(
        // SAFETY: the buffer's length is told.
        |raw, buffer, found| unsafe {
            libc::getpwuid_r(uid, raw, buffer.as_mut_ptr().cast(), buffer.len(), found)
        },
        // SAFETY: as the library filled it.
        |raw| unsafe { User::of(raw) },
    )
}

/// A user by name.
///
/// # Errors
/// What the system says.
pub fn user_by_name(name: &CStr) -> Result<Option<User>, Errno> {
    look_up(
        // SAFETY: the buffer's length is told, the name null-terminated.
        |raw, buffer, found| unsafe {
            libc::getpwnam_r(name.as_ptr(), raw, buffer.as_mut_ptr().cast(), buffer.len(), found)
        },
        // SAFETY: as the library filled it.
        |raw| unsafe { User::of(raw) },
    )
}

/// A group by number.
///
/// # Errors
/// What the system says.
pub fn group_by_id(gid: u32) -> Result<Option<Group>, Errno> {
    look_up(
        // SAFETY: the buffer's length is told.
        |raw, buffer, found| unsafe {
            libc::getgrgid_r(gid, raw, buffer.as_mut_ptr().cast(), buffer.len(), found)
        },
        // SAFETY: as the library filled it.
        |raw| unsafe { Group::of(raw) },
    )
}

/// A group by name.
///
/// # Errors
/// What the system says.
pub fn group_by_name(name: &CStr) -> Result<Option<Group>, Errno> {
    look_up(
        // SAFETY: the buffer's length is told, the name null-terminated.
        |raw, buffer, found| unsafe {
            libc::getgrnam_r(name.as_ptr(), raw, buffer.as_mut_ptr().cast(), buffer.len(), found)
        },
        // SAFETY: as the library filled it.
        |raw| unsafe { Group::of(raw) },
    )
}

/// One walk over the system's lists at a time: their position belongs to the process.
static WALK: std::sync::Mutex<()> = std::sync::Mutex::new(());

/// All users.
pub fn users() -> Vec<User> {
    let _turn = WALK.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
    let mut all = Vec::new();
    // SAFETY: no other walk meanwhile; entries are valid until the next call.
    unsafe {
        libc::setpwent();
        while let Some(raw) = libc::getpwent().as_ref() {
            all.push(User::of(raw));
        }
        libc::endpwent();
    }
    all
}

/// All groups.
pub fn groups() -> Vec<Group> {
    let _turn = WALK.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
    let mut all = Vec::new();
    // SAFETY: no other walk meanwhile; entries are valid until the next call.
    unsafe {
        libc::setgrent();
        while let Some(raw) = libc::getgrent().as_ref() {
            all.push(Group::of(raw));
        }
        libc::endgrent();
    }
    all
}
