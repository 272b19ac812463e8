//! Names of hosts, services, protocols and interfaces; numbers and texts of addresses.

use super::address::{host_name, resolve, show};
use super::errors::{gai_error, plain_error};
use crate::posix::convert::{c_name, data, int, ok, os_error, released};
use std::ffi::CString;
use std::net::{Ipv4Addr, Ipv6Addr};
use taipan_object::bytes::Bytes;
use taipan_object::err::{overflow_error, type_error, value_error};
use taipan_object::int::Int;
use taipan_object::list::List;
use taipan_object::native::Args;
use taipan_object::singletons::is_none;
use taipan_object::statics::{PyExc_OverflowError, PyExc_TypeError};
use taipan_object::system::fs_decode;
use taipan_object::tuple::Tuple;
use taipan_object::unicode::Str;
use taipan_object::{Object, PyErr, PyResult, Ref, intern, raise};
use taipan_os::net::{self, Address, Wanted};

/// `EAFNOSUPPORT`.
const NO_FAMILY: i32 = 97;

fn number(value: i32) -> Ref {
    Int::from_i64(value.into()).upcast()
}

/// A host argument of `getaddrinfo`.
fn host_arg(object: &Object) -> PyResult<Option<CString>> {
    if is_none(object) {
        return Ok(None);
    }
    if let Some(text) = object.downcast::<Str>() {
        let encoded = text.call_method(intern!("encode"), &[intern!("idna")])?;
        let bytes = encoded.downcast::<Bytes>().map(|bytes| bytes.as_slice().to_vec()).unwrap_or_default();
        return CString::new(bytes).map(Some).map_err(|_| value_error("embedded null character"));
    }
    match object.downcast::<Bytes>() {
        Some(bytes) => {
            CString::new(bytes.as_slice()).map(Some).map_err(|_| value_error("embedded null byte"))
        }
        None => Err(type_error("getaddrinfo() argument 1 must be string or None")),
    }
}

/// A port argument of `getaddrinfo`: a number or a service.
fn service_arg(object: &Object) -> PyResult<Option<CString>> {
    let nulls = |_| value_error("embedded null character");
    if is_none(object) {
        return Ok(None);
    }
    if object.downcast::<Int>().is_some() {
        return CString::new(object.str()?.to_lossy()).map(Some).map_err(nulls);
    }
    if let Some(text) = object.downcast::<Str>() {
        return CString::new(text.to_utf8()?).map(Some).map_err(nulls);
    }
    match object.downcast::<Bytes>() {
        Some(bytes) => CString::new(bytes.as_slice()).map(Some).map_err(nulls),
        None => Err(plain_error("Int or String expected")),
    }
}

fn getaddrinfo(_: &Object, args: &Args<'_>) -> PyResult<Ref<List>> {
    let flag = |index: usize| args.get(index).map_or(Ok(0), int);
    let wanted = Wanted { family: flag(2)?, kind: flag(3)?, protocol: flag(4)?, flags: flag(5)? };
    let host = host_arg(args.required(0))?;
    let service = service_arg(args.required(1))?;
    let found = released(|| net::look_up(host.as_deref(), service.as_deref(), wanted)).map_err(gai_error)?;
    let list = List::new()?;
    for entry in found {
        let row = Tuple::from_array([
            number(entry.family),
            number(entry.kind),
            number(entry.protocol),
            fs_decode(&entry.canonical)?.upcast(),
            show(&entry.address)?,
        ])?;
        list.append(row.upcast())?;
    }
    Ok(list)
}

fn getnameinfo(_: &Object, args: &Args<'_>) -> PyResult<Ref<Tuple>> {
    let Some(tuple) = args.required(0).downcast::<Tuple>() else {
        return Err(type_error("getnameinfo() argument 1 must be a tuple"));
    };
    let flags = int(args.required(1))?;
    let items = tuple.items();
    if !(2..=4).contains(&items.len()) {
        return Err(type_error("getnameinfo(): illegal sockaddr argument"));
    }
    let Some(host) = items[0].downcast::<Str>() else {
        return Err(type_error("getnameinfo(): illegal sockaddr argument"));
    };
    let unsigned =
        |index: usize| items.get(index).map_or(Ok(0), |item| crate::posix::convert::unsigned(item));
    let port = int(items[1])?;
    let (flow, scope) = (unsigned(2)?, unsigned(3)?);
    if flow > 0xF_FFFF {
        return Err(overflow_error("getnameinfo(): flowinfo must be 0-1048575."));
    }
    let service = CString::new(port.to_string()).unwrap_or_default();
    let host = c_name(host)?;
    // A datagram socket, and numbers only.
    let wanted = Wanted { kind: 2, flags: 4, ..Wanted::default() };
    let found = released(|| net::look_up(Some(&host), Some(&service), wanted)).map_err(gai_error)?;
    let mut found = found.into_iter();
    let (Some(first), None) = (found.next(), found.next()) else {
        return Err(plain_error("sockaddr resolved to multiple addresses"));
    };
    let address = match first.address {
        Address::V6 { host, port, .. } => Address::V6 { host, port, flow, scope },
        Address::V4(..) if items.len() != 2 => {
            return Err(plain_error("IPv4 sockaddr must be 2 tuple"));
        }
        other => other,
    };
    let (host, service) = released(|| net::names_of(&address, flags)).map_err(gai_error)?;
    Tuple::from_array([fs_decode(&host)?.upcast(), fs_decode(&service)?.upcast()])
}

/// The first IPv4 address of a host.
fn ipv4_of(object: &Object) -> PyResult<Ipv4Addr> {
    match resolve(&host_name(object)?, net::INET)? {
        Address::V4(host, _) => Ok(host),
        _ => Err(plain_error("unknown address family")),
    }
}

fn gethostbyname(_: &Object, name: &Object) -> PyResult<String> {
    ipv4_of(name).map(|host| host.to_string())
}

/// `(name, aliases, addresses)` of a host, by its look-up.
fn host_entry(name: &CString, family: i32) -> PyResult<Ref<Tuple>> {
    // A stream socket, with the canonical name.
    let wanted = Wanted { family, kind: 1, flags: 2, ..Wanted::default() };
    let found = released(|| net::look_up(Some(name), None, wanted)).map_err(gai_error)?;
    let canonical = found.first().map(|entry| entry.canonical.clone()).filter(|name| !name.is_empty());
    let addresses = List::new()?;
    for entry in &found {
        let text = match &entry.address {
            Address::V4(host, _) => host.to_string(),
            Address::V6 { host, .. } => host.to_string(),
            _ => continue,
        };
        addresses.append(Str::from_utf8(&text)?.upcast())?;
    }
    let canonical = canonical.unwrap_or_else(|| name.as_bytes().to_vec());
    Tuple::from_array([fs_decode(&canonical)?.upcast(), List::new()?.upcast(), addresses.upcast()])
}

fn gethostbyname_ex(_: &Object, name: &Object) -> PyResult<Ref<Tuple>> {
    host_entry(&host_name(name)?, net::INET)
}

fn gethostbyaddr(_: &Object, name: &Object) -> PyResult<Ref<Tuple>> {
    let address = resolve(&host_name(name)?, 0)?;
    // The name is required.
    let (host, _) = released(|| net::names_of(&address, 8)).map_err(gai_error)?;
    let shown = show(&address)?;
    let text = shown.downcast::<Tuple>().and_then(|tuple| tuple.get(0)).map(Object::new_ref);
    let addresses = List::new()?;
    if let Some(text) = text {
        addresses.append(text)?;
    }
    Tuple::from_array([fs_decode(&host)?.upcast(), List::new()?.upcast(), addresses.upcast()])
}

fn gethostname(_: &Object) -> PyResult<Ref<Str>> {
    fs_decode(&ok(net::host_name())?)
}

fn sethostname(_: &Object, name: &Object) -> PyResult<()> {
    let name = match name.downcast::<Str>() {
        Some(text) => taipan_object::system::fs_encode(text)?,
        None => data(name)?,
    };
    ok(net::set_host_name(&name))
}

/// A `str` argument as C text.
fn text(object: &Object, function: &str, place: usize) -> PyResult<CString> {
    let Some(text) = object.downcast::<Str>() else {
        return Err(raise!(
            PyExc_TypeError,
            "{function}() argument {place} must be str, not {}",
            if is_none(object) { "None" } else { object.ty().message_name() }
        ));
    };
    CString::new(text.to_utf8()?).map_err(|_| value_error("embedded null character"))
}

fn getservbyname(_: &Object, args: &Args<'_>) -> PyResult<i64> {
    let name = text(args.required(0), "getservbyname", 1)?;
    let protocol = args.get(1).map(|object| text(object, "getservbyname", 2)).transpose()?;
    let port = released(|| net::service_port(&name, protocol.as_deref()));
    port.map(i64::from).ok_or_else(|| plain_error("service/proto not found"))
}

fn getservbyport(_: &Object, args: &Args<'_>) -> PyResult<Ref<Str>> {
    let port = int(args.required(0))?;
    let port = u16::try_from(port)
        .map_err(|_| raise!(PyExc_OverflowError, "getservbyport: port must be 0-65535."))?;
    let protocol = args.get(1).map(|object| text(object, "getservbyport", 2)).transpose()?;
    match released(|| net::service_name(port, protocol.as_deref())) {
        Some(name) => fs_decode(&name),
        None => Err(plain_error("port/proto not found")),
    }
}

fn getprotobyname(_: &Object, args: &Args<'_>) -> PyResult<i32> {
    let name = text(args.required(0), "getprotobyname", 1)?;
    released(|| net::protocol_number(&name)).ok_or_else(|| plain_error("protocol not found"))
}

/// An unsigned number of so many bits.
fn bits(object: &Object, width: u32) -> PyResult<u64> {
    let value = object.to_index()?;
    if value.is_negative() {
        return Err(value_error("Cannot convert negative int"));
    }
    let value = value.to_u64().filter(|&value| value >> width == 0);
    value.ok_or_else(|| overflow_error(&format!("Python int too large for C uint{width}_t")))
}

fn swap16(_: &Object, value: &Object) -> PyResult<u64> {
    Ok(u16::to_be(bits(value, 16)? as u16).into())
}

fn swap32(_: &Object, value: &Object) -> PyResult<u64> {
    Ok(u32::to_be(bits(value, 32)? as u32).into())
}

fn inet_aton(_: &Object, address: &Object) -> PyResult<Ref<Bytes>> {
    let address = text(address, "inet_aton", 1)?;
    match net::parse_loose(&address) {
        Some(octets) => Bytes::new(&octets),
        None => Err(plain_error("illegal IP address string passed to inet_aton")),
    }
}

fn inet_ntoa(_: &Object, packed: &Object) -> PyResult<String> {
    match <[u8; 4]>::try_from(data(packed)?) {
        Ok(octets) => Ok(Ipv4Addr::from(octets).to_string()),
        Err(_) => Err(plain_error("packed IP wrong length for inet_ntoa")),
    }
}

fn inet_pton(_: &Object, args: &Args<'_>) -> PyResult<Ref<Bytes>> {
    let family = int(args.required(0))?;
    let address = text(args.required(1), "inet_pton", 2)?;
    let address = address.to_str().unwrap_or_default();
    let wrong = |_| plain_error("illegal IP address string passed to inet_pton");
    match family {
        net::INET => Bytes::new(&address.parse::<Ipv4Addr>().map_err(wrong)?.octets()),
        net::INET6 => Bytes::new(&address.parse::<Ipv6Addr>().map_err(wrong)?.octets()),
        _ => Err(os_error(NO_FAMILY)),
    }
}

fn inet_ntop(_: &Object, args: &Args<'_>) -> PyResult<String> {
    let family = int(args.required(0))?;
    let packed = data(args.required(1))?;
    let wrong = |_: Vec<u8>| value_error("invalid length of packed IP address string");
    match family {
        net::INET => Ok(Ipv4Addr::from(<[u8; 4]>::try_from(packed).map_err(wrong)?).to_string()),
        net::INET6 => Ok(Ipv6Addr::from(<[u8; 16]>::try_from(packed).map_err(wrong)?).to_string()),
        _ => Err(value_error(&format!("unknown address family {family}"))),
    }
}

fn if_nameindex(_: &Object) -> PyResult<Ref<List>> {
    let list = List::new()?;
    for (index, name) in ok(net::interfaces())? {
        let row = Tuple::from_array([Int::from_i64(index.into()).upcast(), fs_decode(&name)?.upcast()])?;
        list.append(row.upcast())?;
    }
    Ok(list)
}

fn if_nametoindex(_: &Object, args: &Args<'_>) -> PyResult<u32> {
    ok(net::interface_index(&c_name(args.required(0))?))
}

fn if_indextoname(_: &Object, index: &Object) -> PyResult<Ref<Str>> {
    fs_decode(&ok(net::interface_name(crate::posix::convert::unsigned(index)?))?)
}

#[cold]
fn ancillary_error(name: &str) -> PyErr {
    raise!(PyExc_OverflowError, "{name}() argument out of range")
}

/// Length and space of ancillary data.
fn ancillary(object: &Object, name: &str) -> PyResult<(usize, usize)> {
    let length = object.to_isize()?;
    let length = u32::try_from(length).ok().filter(|&length| length < i32::MAX as u32 - 64);
    length.map(net::ancillary_length).ok_or_else(|| ancillary_error(name))
}

fn cmsg_len(_: &Object, length: &Object) -> PyResult<usize> {
    ancillary(length, "CMSG_LEN").map(|lengths| lengths.0)
}

fn cmsg_space(_: &Object, length: &Object) -> PyResult<usize> {
    ancillary(length, "CMSG_SPACE").map(|lengths| lengths.1)
}

taipan_object::methods! {
    pub(super) static METHODS = {
        args "getaddrinfo" "($module, /, host, port, family=0, type=0, proto=0, flags=0)" = getaddrinfo, "The addresses of a host and a service: a list of (family, type, proto, canonname, address).";
        args "getnameinfo" "($module, sockaddr, flags, /)" = getnameinfo, "The names of an address: (host, service).";
        one "gethostbyname" "($module, host, /)" = gethostbyname, "The IPv4 address of a host.";
        one "gethostbyname_ex" "($module, host, /)" = gethostbyname_ex, "Name, aliases and IPv4 addresses of a host.";
        one "gethostbyaddr" "($module, host, /)" = gethostbyaddr, "Name, aliases and addresses of an address.";
        noargs "gethostname" "($module, /)" = gethostname, "The machine's name.";
        one "sethostname" "($module, name, /)" = sethostname, "Set the machine's name.";
        args "getservbyname" "($module, servicename, protocolname=<unrepresentable>, /)" = getservbyname, "The port of a service.";
        args "getservbyport" "($module, port, protocolname=<unrepresentable>, /)" = getservbyport, "The service of a port.";
        args "getprotobyname" "($module, name, /)" = getprotobyname, "The number of a protocol.";
        one "ntohs" "($module, x, /)" = swap16, "16 bits from the network's order of bytes to the machine's.";
        one "htons" "($module, x, /)" = swap16, "16 bits from the machine's order of bytes to the network's.";
        one "ntohl" "($module, x, /)" = swap32, "32 bits from the network's order of bytes to the machine's.";
        one "htonl" "($module, x, /)" = swap32, "32 bits from the machine's order of bytes to the network's.";
        one "inet_aton" "($module, ip_addr, /)" = inet_aton, "The 4 bytes of an IPv4 address.";
        one "inet_ntoa" "($module, packed_ip, /)" = inet_ntoa, "The text of an IPv4 address of 4 bytes.";
        args "inet_pton" "($module, address_family, ip_string, /)" = inet_pton, "The bytes of an address.";
        args "inet_ntop" "($module, address_family, packed_ip, /)" = inet_ntop, "The text of an address.";
        noargs "if_nameindex" "($module, /)" = if_nameindex, "The network interfaces: a list of (number, name).";
        args "if_nametoindex" "($module, oname, /)" = if_nametoindex, "The number of a network interface.";
        one "if_indextoname" "($module, if_index, /)" = if_indextoname, "The name of a network interface.";
        one "CMSG_LEN" "($module, length, /)" = cmsg_len, "Bytes of ancillary data with its header.";
        one "CMSG_SPACE" "($module, length, /)" = cmsg_space, "Bytes of ancillary data with its header and padding.";
    }
}
