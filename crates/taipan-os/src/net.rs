//! Sockets: addresses, connections, transfers, options, and the names of hosts and services.

use crate::Errno;
use crate::calls::{check, last};
use core::ffi::{CStr, c_char, c_int, c_uint, c_void};
use core::mem::{MaybeUninit, offset_of};
use core::ptr::{null, null_mut};
use std::ffi::CString;
use std::net::{Ipv4Addr, Ipv6Addr};

/// Address families.
pub const INET: c_int = libc::AF_INET;
pub const INET6: c_int = libc::AF_INET6;
pub const UNIX: c_int = libc::AF_UNIX;

/// The address of a socket.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Address {
    V4(Ipv4Addr, u16),
    V6 {
        host: Ipv6Addr,
        port: u16,
        flow: u32,
        scope: u32,
    },
    /// A file name, or a name that starts with a null; empty for none.
    Unix(Vec<u8>),
    /// Another family's, as the system gave it.
    Other(c_int, Vec<u8>),
    None,
}

/// An address as the system takes it.
struct Raw {
    storage: libc::sockaddr_storage,
    length: libc::socklen_t,
}

impl Raw {
    fn empty() -> Self {
        // SAFETY: zeros are a valid address of no family.
        let storage = unsafe { core::mem::zeroed() };
        Self { storage, length: size_of::<libc::sockaddr_storage>() as libc::socklen_t }
    }

    fn pointer(&self) -> *const libc::sockaddr {
        (&raw const self.storage).cast()
    }

    fn pointer_mut(&mut self) -> *mut libc::sockaddr {
        (&raw mut self.storage).cast()
    }

    /// Puts a family's struct in front.
    fn fill<T>(value: T) -> Self {
        const { assert!(size_of::<T>() <= size_of::<libc::sockaddr_storage>()) };
        let mut raw = Self::empty();
        // SAFETY: it fits, and the storage is aligned for every family.
        unsafe { raw.storage_as::<T>().write(value) };
        raw.length = size_of::<T>() as libc::socklen_t;
        raw
    }

    fn storage_as<T>(&mut self) -> *mut T {
        (&raw mut self.storage).cast()
    }

    fn of(address: &Address) -> Result<Self, Errno> {
        Ok(match address {
            Address::V4(host, port) => Self::fill(libc::sockaddr_in {
                sin_family: INET as libc::sa_family_t,
                sin_port: port.to_be(),
                sin_addr: libc::in_addr { s_addr: u32::from_ne_bytes(host.octets()) },
                sin_zero: [0; 8],
            }),
            Address::V6 { host, port, flow, scope } => Self::fill(libc::sockaddr_in6 {
                sin6_family: INET6 as libc::sa_family_t,
                sin6_port: port.to_be(),
                sin6_flowinfo: flow.to_be(),
                sin6_addr: libc::in6_addr { s6_addr: host.octets() },
                sin6_scope_id: *scope,
            }),
            Address::Unix(name) => {
                let mut path = [0 as c_char; 108];
                if name.len() > path.len() {
                    return Err(libc::ENAMETOOLONG);
                }
                for (place, &byte) in path.iter_mut().zip(name) {
                    *place = byte as c_char;
                }
                let mut raw =
                    Self::fill(libc::sockaddr_un { sun_family: UNIX as libc::sa_family_t, sun_path: path });
                // A file's name ends with a null where there is room for one.
                let end = usize::from(name.first().is_some_and(|&byte| byte != 0) && name.len() < 108);
                let length = offset_of!(libc::sockaddr_un, sun_path) + name.len() + end;
                raw.length = length as libc::socklen_t;
                raw
            }
            Address::Other(..) | Address::None => return Err(libc::EAFNOSUPPORT),
        })
    }

    fn address(&mut self) -> Address {
        let length = self.length as usize;
        if length < size_of::<libc::sa_family_t>() {
            return Address::None;
        }
        // SAFETY: the system filled the struct of this family; the storage is large enough for each.
        unsafe {
            match c_int::from(self.storage.ss_family) {
                INET => {
                    let raw = self.storage_as::<libc::sockaddr_in>().read();
                    Address::V4(raw.sin_addr.s_addr.to_ne_bytes().into(), u16::from_be(raw.sin_port))
                }
                INET6 => {
                    let raw = self.storage_as::<libc::sockaddr_in6>().read();
                    Address::V6 {
                        host: raw.sin6_addr.s6_addr.into(),
                        port: u16::from_be(raw.sin6_port),
                        flow: u32::from_be(raw.sin6_flowinfo),
                        scope: raw.sin6_scope_id,
                    }
                }
                UNIX => {
                    let raw = self.storage_as::<libc::sockaddr_un>().read();
                    let count = length.saturating_sub(offset_of!(libc::sockaddr_un, sun_path)).min(108);
                    let mut name: Vec<u8> = raw.sun_path[..count].iter().map(|&c| c as u8).collect();
                    if name.first().is_some_and(|&byte| byte != 0)
                        && let Some(end) = name.iter().position(|&byte| byte == 0)
                    {
                        name.truncate(end);
                    }
                    Address::Unix(name)
                }
                family => {
                    let start = self.storage_as::<u8>();
                    let bytes = core::slice::from_raw_parts(start, length.min(128));
                    Address::Other(family, bytes[2..].to_vec())
                }
            }
        }
    }
}

/// Makes a socket that programs which are run do not inherit.
///
/// # Errors
/// What the system says.
pub fn socket(family: c_int, kind: c_int, protocol: c_int) -> Result<c_int, Errno> {
    crate::calls::socket(family, kind | libc::SOCK_CLOEXEC, protocol)
}

/// Two sockets connected with each other.
///
/// # Errors
/// What the system says.
pub fn pair(family: c_int, kind: c_int, protocol: c_int) -> Result<(c_int, c_int), Errno> {
    let mut ends = [0; 2];
    // SAFETY: room for two descriptors.
    check(unsafe { libc::socketpair(family, kind | libc::SOCK_CLOEXEC, protocol, ends.as_mut_ptr()) })?;
    Ok((ends[0], ends[1]))
}

/// Gives a socket its address.
///
/// # Errors
/// What the system says.
pub fn bind(fd: c_int, address: &Address) -> Result<(), Errno> {
    let raw = Raw::of(address)?;
    // SAFETY: the length is told.
    check(unsafe { libc::bind(fd, raw.pointer(), raw.length) }).map(drop)
}

/// Connects a socket.
///
/// # Errors
/// What the system says.
pub fn connect(fd: c_int, address: &Address) -> Result<(), Errno> {
    let raw = Raw::of(address)?;
    // SAFETY: the length is told.
    check(unsafe { libc::connect(fd, raw.pointer(), raw.length) }).map(drop)
}

/// Takes a connection: its descriptor and where it comes from.
///
/// # Errors
/// What the system says.
pub fn accept(fd: c_int) -> Result<(c_int, Address), Errno> {
    let mut raw = Raw::empty();
    let mut length = raw.length;
    // SAFETY: the room is told.
    let new = check(unsafe { libc::accept4(fd, raw.pointer_mut(), &raw mut length, libc::SOCK_CLOEXEC) })?;
    raw.length = length;
    Ok((new, raw.address()))
}

/// The address of a socket.
///
/// # Errors
/// What the system says.
pub fn own_address(fd: c_int) -> Result<Address, Errno> {
    let mut raw = Raw::empty();
    let mut length = raw.length;
    // SAFETY: the room is told.
    check(unsafe { libc::getsockname(fd, raw.pointer_mut(), &raw mut length) })?;
    raw.length = length;
    Ok(raw.address())
}

/// The address that a socket is connected to.
///
/// # Errors
/// What the system says.
pub fn peer_address(fd: c_int) -> Result<Address, Errno> {
    let mut raw = Raw::empty();
    let mut length = raw.length;
    // SAFETY: the room is told.
    check(unsafe { libc::getpeername(fd, raw.pointer_mut(), &raw mut length) })?;
    raw.length = length;
    Ok(raw.address())
}

/// Sends; gives how much.
///
/// # Errors
/// What the system says.
pub fn send(fd: c_int, data: &[u8], flags: c_int) -> Result<usize, Errno> {
    // SAFETY: the length is told.
    check(unsafe { libc::send(fd, data.as_ptr().cast(), data.len(), flags) }).map(isize::cast_unsigned)
}

/// Sends to an address; gives how much.
///
/// # Errors
/// What the system says.
pub fn send_to(fd: c_int, data: &[u8], flags: c_int, address: &Address) -> Result<usize, Errno> {
    let raw = Raw::of(address)?;
    // SAFETY: the lengths are told.
    let sent =
        unsafe { libc::sendto(fd, data.as_ptr().cast(), data.len(), flags, raw.pointer(), raw.length) };
    check(sent).map(isize::cast_unsigned)
}

/// Receives; gives how much.
///
/// # Errors
/// What the system says.
pub fn receive(fd: c_int, buffer: &mut [u8], flags: c_int) -> Result<usize, Errno> {
    // SAFETY: the length is told.
    check(unsafe { libc::recv(fd, buffer.as_mut_ptr().cast(), buffer.len(), flags) })
        .map(isize::cast_unsigned)
}

/// Receives; gives how much and from where.
///
/// # Errors
/// What the system says.
pub fn receive_from(fd: c_int, buffer: &mut [u8], flags: c_int) -> Result<(usize, Address), Errno> {
    let mut raw = Raw::empty();
    let mut length = raw.length;
    // SAFETY: the lengths are told.
    let received = unsafe {
        libc::recvfrom(
            fd,
            buffer.as_mut_ptr().cast(),
            buffer.len(),
            flags,
            raw.pointer_mut(),
            &raw mut length,
        )
    };
    let count = check(received)?;
    raw.length = if length == 0 { 0 } else { length };
    Ok((count.cast_unsigned(), raw.address()))
}

/// The value of an option that is an int.
///
/// # Errors
/// What the system says.
pub fn option_int(fd: c_int, level: c_int, name: c_int) -> Result<c_int, Errno> {
    let mut value: c_int = 0;
    let mut length = size_of::<c_int>() as libc::socklen_t;
    // SAFETY: the room is told.
    check(unsafe { libc::getsockopt(fd, level, name, (&raw mut value).cast(), &raw mut length) })?;
    Ok(value)
}

/// The value of an option, at most as long as the buffer; gives its length.
///
/// # Errors
/// What the system says.
pub fn option(fd: c_int, level: c_int, name: c_int, buffer: &mut [u8]) -> Result<usize, Errno> {
    let mut length = buffer.len() as libc::socklen_t;
    // SAFETY: the room is told.
    check(unsafe { libc::getsockopt(fd, level, name, buffer.as_mut_ptr().cast(), &raw mut length) })?;
    Ok(length as usize)
}

/// Sets an option; without a value the length alone is told.
///
/// # Errors
/// What the system says.
pub fn set_option(
    fd: c_int,
    level: c_int,
    name: c_int,
    value: Option<&[u8]>,
    length: usize,
) -> Result<(), Errno> {
    let data: *const c_void = value.map_or(null(), |value| value.as_ptr().cast());
    let length = value.map_or(length, <[u8]>::len) as libc::socklen_t;
    // SAFETY: the length is told; the system checks the null address.
    check(unsafe { libc::setsockopt(fd, level, name, data, length) }).map(drop)
}

/// One answer of [`look_up`].
#[derive(Clone, Debug)]
pub struct Found {
    pub family: c_int,
    pub kind: c_int,
    pub protocol: c_int,
    pub canonical: Vec<u8>,
    pub address: Address,
}

/// What [`look_up`] is to find.
#[derive(Clone, Copy, Debug, Default)]
pub struct Wanted {
    pub family: c_int,
    pub kind: c_int,
    pub protocol: c_int,
    pub flags: c_int,
}

/// The error of a look-up: its code and, for system errors, the `errno`.
#[derive(Clone, Copy, Debug)]
pub struct LookUpError {
    pub code: c_int,
    pub errno: Option<Errno>,
}

impl LookUpError {
    fn of(code: c_int) -> Self {
        Self { code, errno: (code == libc::EAI_SYSTEM).then(last) }
    }

    /// The system's words.
    pub fn text(self) -> String {
        // SAFETY: a static, null-terminated text.
        unsafe { CStr::from_ptr(libc::gai_strerror(self.code)) }.to_string_lossy().into_owned()
    }
}

/// The addresses of a host and a service.
///
/// # Errors
/// The look-up's own codes.
pub fn look_up(
    host: Option<&CStr>,
    service: Option<&CStr>,
    wanted: Wanted,
) -> Result<Vec<Found>, LookUpError> {
    // SAFETY: zeros are valid hints; the list is read before it is freed.
    unsafe {
        let mut hints: libc::addrinfo = core::mem::zeroed();
        hints.ai_family = wanted.family;
        hints.ai_socktype = wanted.kind;
        hints.ai_protocol = wanted.protocol;
        hints.ai_flags = wanted.flags;
        let mut list = null_mut();
        let text = |text: Option<&CStr>| text.map_or(null(), CStr::as_ptr);
        let code = libc::getaddrinfo(text(host), text(service), &raw const hints, &raw mut list);
        if code != 0 {
            return Err(LookUpError::of(code));
        }
        let mut all = Vec::new();
        let mut row = list;
        while let Some(entry) = row.as_ref() {
            let mut raw = Raw::empty();
            let length = (entry.ai_addrlen as usize).min(size_of::<libc::sockaddr_storage>());
            core::ptr::copy_nonoverlapping(entry.ai_addr.cast::<u8>(), raw.storage_as::<u8>(), length);
            raw.length = length as libc::socklen_t;
            let canonical = if entry.ai_canonname.is_null() {
                Vec::new()
            } else {
                CStr::from_ptr(entry.ai_canonname).to_bytes().to_vec()
            };
            all.push(Found {
                family: entry.ai_family,
                kind: entry.ai_socktype,
                protocol: entry.ai_protocol,
                canonical,
                address: raw.address(),
            });
            row = entry.ai_next;
        }
        libc::freeaddrinfo(list);
        Ok(all)
    }
}

/// The names of an address: host and service.
///
/// # Errors
/// The look-up's own codes.
pub fn names_of(address: &Address, flags: c_int) -> Result<(Vec<u8>, Vec<u8>), LookUpError> {
    let raw = Raw::of(address).map_err(|_| LookUpError { code: libc::EAI_FAMILY, errno: None })?;
    let (mut host, mut service) = ([0u8; 1025], [0u8; 32]);
    // SAFETY: the lengths are told.
    let code = unsafe {
        libc::getnameinfo(
            raw.pointer(),
            raw.length,
            host.as_mut_ptr().cast(),
            host.len() as libc::socklen_t,
            service.as_mut_ptr().cast(),
            service.len() as libc::socklen_t,
            flags,
        )
    };
    if code != 0 {
        return Err(LookUpError::of(code));
    }
    let text = |bytes: &[u8]| bytes.split(|&byte| byte == 0).next().unwrap_or_default().to_vec();
    Ok((text(&host), text(&service)))
}

/// The machine's name.
///
/// # Errors
/// What the system says.
pub fn host_name() -> Result<Vec<u8>, Errno> {
    let mut buffer = [0u8; 1025];
    // SAFETY: one byte less than there is, so the name ends with a null.
    check(unsafe { libc::gethostname(buffer.as_mut_ptr().cast(), buffer.len() - 1) })?;
    Ok(buffer.split(|&byte| byte == 0).next().unwrap_or_default().to_vec())
}

/// Sets the machine's name.
///
/// # Errors
/// What the system says.
pub fn set_host_name(name: &[u8]) -> Result<(), Errno> {
    // SAFETY: the length is told.
    check(unsafe { libc::sethostname(name.as_ptr().cast(), name.len()) }).map(drop)
}

/// The calls below answer in memory that the next call overwrites: one at a time.
static NAMES: std::sync::Mutex<()> = std::sync::Mutex::new(());

fn turn() -> std::sync::MutexGuard<'static, ()> {
    NAMES.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
}

/// The port of a service.
pub fn service_port(name: &CStr, protocol: Option<&CStr>) -> Option<u16> {
    let _turn = turn();
    // SAFETY: null or the C library's own struct, read before the next call.
    unsafe {
        let found = libc::getservbyname(name.as_ptr(), protocol.map_or(null(), CStr::as_ptr));
        found.as_ref().map(|entry| u16::from_be(entry.s_port as u16))
    }
}

/// The name of a service.
pub fn service_name(port: u16, protocol: Option<&CStr>) -> Option<Vec<u8>> {
    let _turn = turn();
    // SAFETY: null or the C library's own struct, read before the next call.
    unsafe {
        let port = c_int::from(port.to_be());
        let found = libc::getservbyport(port, protocol.map_or(null(), CStr::as_ptr));
        found.as_ref().map(|entry| CStr::from_ptr(entry.s_name).to_bytes().to_vec())
    }
}

/// The number of a protocol.
pub fn protocol_number(name: &CStr) -> Option<c_int> {
    let _turn = turn();
    // SAFETY: null or the C library's own struct, read before the next call.
    unsafe { libc::getprotobyname(name.as_ptr()).as_ref().map(|entry| entry.p_proto) }
}

/// The network interfaces.
///
/// # Errors
/// What the system says.
pub fn interfaces() -> Result<Vec<(u32, Vec<u8>)>, Errno> {
    // SAFETY: an array that a zero ends, read before it is freed.
    unsafe {
        let list = libc::if_nameindex();
        if list.is_null() {
            return Err(last());
        }
        let mut all = Vec::new();
        let mut row = list;
        while (*row).if_index != 0 && !(*row).if_name.is_null() {
            all.push(((*row).if_index, CStr::from_ptr((*row).if_name).to_bytes().to_vec()));
            row = row.add(1);
        }
        libc::if_freenameindex(list);
        Ok(all)
    }
}

/// The number of a network interface.
///
/// # Errors
/// What the system says.
pub fn interface_index(name: &CStr) -> Result<u32, Errno> {
    // SAFETY: null-terminated.
    match unsafe { libc::if_nametoindex(name.as_ptr()) } {
        0 => Err(last()),
        index => Ok(index),
    }
}

/// The name of a network interface.
///
/// # Errors
/// What the system says.
pub fn interface_name(index: c_uint) -> Result<Vec<u8>, Errno> {
    let mut buffer = MaybeUninit::<[c_char; 64]>::zeroed();
    // SAFETY: room for the longest name.
    unsafe {
        if libc::if_indextoname(index, buffer.as_mut_ptr().cast()).is_null() {
            return Err(last());
        }
        Ok(CStr::from_ptr(buffer.as_ptr().cast()).to_bytes().to_vec())
    }
}

/// An IPv4 address in any of the spellings that C accepts.
pub fn parse_loose(text: &CStr) -> Option<[u8; 4]> {
    let mut raw = libc::in_addr { s_addr: 0 };
    // SAFETY: null-terminated; the struct is ours.
    let good = unsafe { inet_aton(text.as_ptr(), &raw mut raw) } != 0;
    good.then(|| raw.s_addr.to_ne_bytes())
}

unsafe extern "C" {
    fn inet_aton(text: *const c_char, address: *mut libc::in_addr) -> c_int;
}

/// Bytes of ancillary data with its header, without and with the padding behind it.
pub fn ancillary_length(length: u32) -> (usize, usize) {
    // SAFETY: arithmetic only.
    unsafe { (libc::CMSG_LEN(length) as usize, libc::CMSG_SPACE(length) as usize) }
}

/// A text for C; `None` when it holds a null.
pub fn c_text(bytes: &[u8]) -> Option<CString> {
    CString::new(bytes).ok()
}
