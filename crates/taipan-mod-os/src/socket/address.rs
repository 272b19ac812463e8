//! Addresses between Python's tuples and the system.

use super::errors::{gai_error, plain_error};
use crate::posix::convert::int;
use std::ffi::CString;
use std::net::{Ipv4Addr, Ipv6Addr};
use taipan_object::buffer::Buffer;
use taipan_object::bytes::Bytes;
use taipan_object::err::{overflow_error, type_error};
use taipan_object::int::Int;
use taipan_object::intern;
use taipan_object::statics::{PyByteArray_Type, PyExc_OverflowError, PyExc_TypeError};
use taipan_object::system::{fs_decode, fs_encode};
use taipan_object::tuple::Tuple;
use taipan_object::unicode::Str;
use taipan_object::{Object, PyResult, raise};
use taipan_os::net::{self, Address, Wanted};

/// A host's name as the system takes it: text goes through IDNA.
pub fn host_name(object: &Object) -> PyResult<CString> {
    let nulls = || type_error("host name must not contain null character");
    if let Some(text) = object.downcast::<Str>() {
        if let Some(ascii) = text.as_ascii() {
            return CString::new(ascii).map_err(|_| nulls());
        }
        let encoded = text.call_method(intern!("encode"), &[intern!("idna")])?;
        let bytes = encoded.downcast::<Bytes>().ok_or_else(|| type_error("encoding of hostname failed"))?;
        return CString::new(bytes.as_slice()).map_err(|_| nulls());
    }
    if let Some(bytes) = object.downcast::<Bytes>() {
        return CString::new(bytes.as_slice()).map_err(|_| nulls());
    }
    if object.ty().is_subtype(&PyByteArray_Type) {
        return CString::new(Buffer::simple(object)?.to_vec()).map_err(|_| nulls());
    }
    Err(raise!(PyExc_TypeError, "str, bytes or bytearray expected, not {}", object.ty().message_name()))
}

/// The first address of a host in a family. An empty name is any host, `<broadcast>` all of them.
pub fn resolve(host: &CString, family: i32) -> PyResult<Address> {
    let bytes = host.as_bytes();
    if bytes.is_empty() {
        if family == net::INET6 {
            return Ok(Address::V6 { host: Ipv6Addr::UNSPECIFIED, port: 0, flow: 0, scope: 0 });
        }
        return Ok(Address::V4(Ipv4Addr::UNSPECIFIED, 0));
    }
    if family != net::INET6 && (bytes == b"<broadcast>" || bytes == b"255.255.255.255") {
        return Ok(Address::V4(Ipv4Addr::BROADCAST, 0));
    }
    let text = host.to_str().unwrap_or_default();
    if family != net::INET6
        && let Ok(host) = text.parse::<Ipv4Addr>()
    {
        return Ok(Address::V4(host, 0));
    }
    if family == net::INET6
        && let Ok(host) = text.parse::<Ipv6Addr>()
    {
        return Ok(Address::V6 { host, port: 0, flow: 0, scope: 0 });
    }
    let wanted = Wanted { family, ..Wanted::default() };
    let found =
        crate::posix::convert::released(|| net::look_up(Some(host), None, wanted)).map_err(gai_error)?;
    found.into_iter().next().map(|found| found.address).ok_or_else(|| plain_error("unknown address family"))
}

fn port(object: &Object, function: &str) -> PyResult<u16> {
    let port = int(object)?;
    u16::try_from(port).map_err(|_| raise!(PyExc_OverflowError, "{function}(): port must be 0-65535."))
}

/// An address argument of a method, for a socket's family.
pub fn parse(object: &Object, family: i32, function: &str) -> PyResult<Address> {
    match family {
        net::UNIX => parse_unix(object),
        net::INET => {
            let Some(tuple) = object.downcast::<Tuple>() else {
                return Err(raise!(
                    PyExc_TypeError,
                    "{function}(): AF_INET address must be tuple, not {}",
                    object.ty().message_name()
                ));
            };
            let &[host, number] = tuple.items() else {
                return Err(type_error("AF_INET address must be a pair (host, port)"));
            };
            let host = host_name(host)?;
            int(number)?;
            let found = resolve(&host, net::INET)?;
            let port = port(number, function)?;
            match found {
                Address::V4(host, _) => Ok(Address::V4(host, port)),
                _ => Err(plain_error("address family mismatched")),
            }
        }
        net::INET6 => parse_inet6(object, function),
        _ => Err(raise!(taipan_object::statics::PyExc_OSError, "{function}(): bad family")),
    }
}

fn parse_unix(object: &Object) -> PyResult<Address> {
    let name = match object.downcast::<Str>() {
        Some(text) => fs_encode(text)?,
        None => crate::posix::convert::data(object)?,
    };
    // An abstract name may fill the room to the end; a file's needs its null.
    let most = if name.first() == Some(&0) || name.is_empty() { 108 } else { 107 };
    if name.len() > most {
        return Err(plain_error("AF_UNIX path too long"));
    }
    Ok(Address::Unix(name))
}

fn parse_inet6(object: &Object, function: &str) -> PyResult<Address> {
    let Some(tuple) = object.downcast::<Tuple>() else {
        return Err(raise!(
            PyExc_TypeError,
            "{function}(): AF_INET6 address must be tuple, not {}",
            object.ty().message_name()
        ));
    };
    let items = tuple.items();
    if !(2..=4).contains(&items.len()) {
        return Err(type_error("AF_INET6 address must be a tuple (host, port[, flowinfo[, scopeid]])"));
    }
    let unsigned =
        |index: usize| items.get(index).map_or(Ok(0), |item| crate::posix::convert::unsigned(item));
    let host = host_name(items[0])?;
    int(items[1])?;
    let (flow, scope) = (unsigned(2)?, unsigned(3)?);
    let found = resolve(&host, net::INET6)?;
    let port = port(items[1], function)?;
    if flow > 0xF_FFFF {
        return Err(overflow_error(&format!("{function}(): flowinfo must be 0-1048575.")));
    }
    match found {
        Address::V6 { host, scope: own, .. } => {
            let scope = if scope == 0 { own } else { scope };
            Ok(Address::V6 { host, port, flow, scope })
        }
        _ => Err(plain_error("address family mismatched")),
    }
}

/// An address as Python shows it.
pub fn show(address: &Address) -> PyResult {
    let text = |text: String| -> PyResult { Ok(Str::from_utf8(&text)?.upcast()) };
    let number = |value: u32| Int::from_i64(value.into()).upcast();
    Ok(match address {
        Address::V4(host, port) => {
            Tuple::from_array([text(host.to_string())?, number((*port).into())])?.upcast()
        }
        Address::V6 { host, port, flow, scope } => {
            let shown = net::names_of(
                &Address::V6 { host: *host, port: 0, flow: 0, scope: *scope },
                // NI_NUMERICHOST | NI_NUMERICSERV
                3,
            );
            let shown = shown.map_or_else(|_| host.to_string().into_bytes(), |(host, _)| host);
            Tuple::from_array([
                fs_decode(&shown)?.upcast(),
                number((*port).into()),
                number(*flow),
                number(*scope),
            ])?
            .upcast()
        }
        Address::Unix(name) if name.first() == Some(&0) => Bytes::new(name)?.upcast(),
        Address::Unix(name) => fs_decode(name)?.upcast(),
        Address::Other(family, bytes) => {
            Tuple::from_array([Int::from_i64((*family).into()).upcast(), Bytes::new(bytes)?.upcast()])?
                .upcast()
        }
        Address::None => taipan_object::singletons::new_none(),
    })
}
