//! What stands in a folder: `listdir`, and `scandir` with its entries.
//!
//! An entry remembers what the folder told of it (number and kind) and, once asked, its status; so
//! questions about it cost a system call at most once.

use super::convert::{Also, Path, released};
use core::cell::{Cell, RefCell};
use std::ffi::CString;
use taipan_object::list::List;
use taipan_object::module::Module;
use taipan_object::native::{
    Args, Native, Payload, TypeSpec, Visitor, getset_row, native_new, tp_finalize, tp_iter, tp_iternext,
    tp_repr,
};
use taipan_object::statics::{Py_GenericAliasType, PyExc_ResourceWarning, StaticType};
use taipan_object::unicode::Str;
use taipan_object::{Object, PyResult, Ref, abi, err, state, typeobject};
use taipan_os::paths::{self, Dir, Entry, HERE};

/// `EBADF`.
const BAD_FD: i32 = 9;
/// `ENOENT`.
const MISSING: i32 = 2;

fn open(path: &Path) -> PyResult<Dir> {
    released(|| match path.fd {
        Some(fd) => Dir::from_fd(fd),
        None => Dir::open(path.name()),
    })
    .map_err(|errno| match path.fd {
        // The copy of the descriptor fails before the folder is known.
        Some(_) if errno == BAD_FD => super::convert::os_error(errno),
        _ => path.error(errno),
    })
}

fn listdir(_: &Object, args: &Args<'_>) -> PyResult<Ref<List>> {
    let path = Path::of("listdir", "path", args.get(0), Also::FdOrNone)?;
    let mut dir = open(&path)?;
    let names = released(|| {
        let mut names = Vec::new();
        loop {
            match dir.next_entry() {
                Ok(Some(entry)) => names.push(entry.name),
                Ok(None) => return Ok(names),
                Err(errno) => return Err(errno),
            }
        }
    })
    .map_err(|errno| path.error(errno))?;
    released(|| drop(dir));
    let list = List::new()?;
    for name in names {
        list.append(path.give(&name)?)?;
    }
    Ok(list)
}

/// `os.DirEntry`.
pub struct DirEntry {
    name: Ref,
    path: Ref,
    /// Where the entry is found: a folder descriptor and a name.
    dir: i32,
    at: CString,
    inode: u64,
    kind: u8,
    status: Cell<Option<paths::Stat>>,
    link_status: Cell<Option<paths::Stat>>,
}

/// The type object.
pub static DIR_ENTRY: StaticType = StaticType::native(
    c"posix.DirEntry",
    Native::<DirEntry>::SIZE,
    abi::Py_TPFLAGS_HAVE_GC | abi::Py_TPFLAGS_DISALLOW_INSTANTIATION,
);

impl Payload for DirEntry {
    const TYPE: &'static StaticType = &DIR_ENTRY;
    fn traverse(&self, visitor: &mut Visitor) {
        visitor.visit(&self.name);
        visitor.visit(&self.path);
    }
}

type EntryView = Native<DirEntry>;

impl DirEntry {
    /// The status of the entry itself.
    fn own_status(&self) -> PyResult<paths::Stat> {
        if let Some(known) = self.link_status.get() {
            return Ok(known);
        }
        let found = self.ask(false)?;
        self.link_status.set(Some(found));
        Ok(found)
    }

    fn ask(&self, follow: bool) -> PyResult<paths::Stat> {
        released(|| paths::stat(self.dir, &self.at, follow))
            .map_err(|errno| taipan_types_meta::exceptions::os_error(errno, Some(&self.path)))
    }

    fn is_link(&self) -> PyResult<bool> {
        if self.kind != Entry::UNKNOWN {
            return Ok(self.kind == Entry::LINK);
        }
        Ok(self.own_status()?.is_symlink())
    }

    fn status(&self, follow: bool) -> PyResult<paths::Stat> {
        if !follow {
            return self.own_status();
        }
        if let Some(known) = self.status.get() {
            return Ok(known);
        }
        let found = if self.is_link()? { self.ask(true)? } else { self.own_status()? };
        self.status.set(Some(found));
        Ok(found)
    }

    /// Whether the entry is of a kind; one that is gone is of none.
    fn is(&self, follow: bool, kind: u8, test: fn(&paths::Stat) -> bool) -> PyResult<bool> {
        let link = self.kind == Entry::LINK;
        if self.kind != Entry::UNKNOWN && !(follow && link) {
            return Ok(self.kind == kind);
        }
        match self.status(follow) {
            Ok(found) => Ok(test(&found)),
            Err(error) if error.is(&taipan_object::statics::PyExc_FileNotFoundError) => Ok(false),
            Err(error) => Err(error),
        }
    }
}

fn entry_stat(entry: &EntryView, args: &Args<'_>) -> PyResult<Ref<taipan_object::tuple::Tuple>> {
    super::stat::result(&entry.status(args.bool_or(0, true)?)?)
}

fn is_dir(entry: &EntryView, args: &Args<'_>) -> PyResult<bool> {
    entry.is(args.bool_or(0, true)?, Entry::DIR, paths::Stat::is_dir)
}

fn is_file(entry: &EntryView, args: &Args<'_>) -> PyResult<bool> {
    entry.is(args.bool_or(0, true)?, Entry::FILE, paths::Stat::is_file)
}

fn is_symlink(entry: &EntryView) -> PyResult<bool> {
    match entry.is_link() {
        Err(error) if error.is(&taipan_object::statics::PyExc_FileNotFoundError) => Ok(false),
        answer => answer,
    }
}

fn is_junction(_: &EntryView) -> bool {
    false
}

fn inode(entry: &EntryView) -> u64 {
    entry.inode
}

fn entry_name(entry: &EntryView) -> Ref {
    entry.name.clone()
}

fn entry_path(entry: &EntryView) -> Ref {
    entry.path.clone()
}

fn entry_repr(entry: &EntryView) -> PyResult<Ref<Str>> {
    let name = entry.name.repr()?;
    let points: Vec<u32> = "<DirEntry "
        .chars()
        .map(u32::from)
        .chain(name.code_points())
        .chain(core::iter::once(u32::from('>')))
        .collect();
    Str::from_code_points(&points)
}

fn class_getitem(class: &Object, item: &Object) -> PyResult {
    Py_GenericAliasType.call(&[class, item])
}

taipan_object::methods! {
    static ENTRY_METHODS = {
        args "is_dir" "($self, /, *, follow_symlinks=True)" = is_dir, "Whether the entry is a folder.";
        args "is_file" "($self, /, *, follow_symlinks=True)" = is_file, "Whether the entry is a regular file.";
        noargs "is_symlink" "($self, /)" = is_symlink, "Whether the entry is a symbolic link.";
        noargs "is_junction" "($self, /)" = is_junction, "Whether the entry is a junction, which exists on Windows only.";
        args "stat" "($self, /, *, follow_symlinks=True)" = entry_stat, "The status of the entry; asked once and remembered.";
        noargs "inode" "($self, /)" = inode, "The number of the entry's inode.";
        noargs "__fspath__" "($self, /)" = entry_path, "The path of the entry.";
        class one "__class_getitem__" "($type, item, /)" = class_getitem, "Give the class type arguments, for annotations.";
    }
}

static ENTRY_SPEC: TypeSpec = TypeSpec {
    slots: &[EntryView::DEALLOC, EntryView::TRAVERSE, tp_repr(entry_repr)],
    methods: ENTRY_METHODS,
    getset: &[
        getset_row(c"name", entry_name, c"the name in the folder"),
        getset_row(c"path", entry_path, c"the name with the path that scandir was given in front"),
    ],
    ..TypeSpec::new(&DIR_ENTRY)
};

/// What `scandir` gives.
pub struct Scan {
    path: Path,
    dir: RefCell<Option<Dir>>,
}

static SCAN: StaticType = StaticType::native(
    c"posix.ScandirIterator",
    Native::<Scan>::SIZE,
    abi::Py_TPFLAGS_DISALLOW_INSTANTIATION,
);

impl Payload for Scan {
    const TYPE: &'static StaticType = &SCAN;
}

type ScanView = Native<Scan>;

fn scandir(_: &Object, args: &Args<'_>) -> PyResult<Ref<ScanView>> {
    let path = Path::of("scandir", "path", args.get(0), Also::FdOrNone)?;
    let dir = open(&path)?;
    native_new(&SCAN, Scan { path, dir: RefCell::new(Some(dir)) })
}

impl Scan {
    fn close(&self) {
        let dir = self.dir.take();
        released(|| drop(dir));
    }

    fn entry(&self, entry: Entry) -> PyResult<Ref<EntryView>> {
        let (dir, full) = match self.path.fd {
            Some(fd) => (fd, entry.name.clone()),
            None => {
                let mut full = self.path.name().to_bytes().to_vec();
                if full.last().is_some_and(|&byte| byte != b'/') {
                    full.push(b'/');
                }
                full.extend_from_slice(&entry.name);
                (HERE, full)
            }
        };
        let name = self.path.give(&entry.name)?;
        let path = if self.path.fd.is_some() { name.clone() } else { self.path.give(&full)? };
        // Names from the system hold no null.
        let at = CString::new(full).map_err(|_| self.path.error(MISSING))?;
        let (inode, kind) = (entry.inode, entry.kind);
        let (status, link_status) = (Cell::new(None), Cell::new(None));
        native_new(&DIR_ENTRY, DirEntry { name, path, dir, at, inode, kind, status, link_status })
    }
}

fn scan_next(scan: &ScanView) -> PyResult<Option<Ref>> {
    // Taken out while the lock is released: another thread then finds the iterator at its end.
    let Some(mut dir) = scan.dir.take() else { return Ok(None) };
    let (found, dir) = released(move || {
        let found = dir.next_entry();
        (found, dir)
    });
    match found {
        Ok(Some(entry)) => {
            scan.dir.replace(Some(dir));
            Ok(Some(scan.entry(entry)?.upcast()))
        }
        Ok(None) => {
            released(|| drop(dir));
            Ok(None)
        }
        Err(errno) => {
            released(|| drop(dir));
            Err(scan.path.error(errno))
        }
    }
}

fn scan_close(scan: &ScanView) {
    scan.close();
}

fn scan_enter(scan: &ScanView) -> Ref {
    scan.object().new_ref()
}

fn scan_exit(scan: &ScanView, _: &[&Object]) {
    scan.close();
}

fn scan_finalize(scan: &ScanView) {
    if scan.dir.borrow().is_none() {
        return;
    }
    let text = scan.object().repr().map(|text| format!("unclosed scandir iterator {}", text.to_lossy()));
    let warned = text.and_then(|text| (state::interp().hooks.get().warn)(&PyExc_ResourceWarning, &text, 1));
    if let Err(error) = warned {
        // Only a warning that became an error is worth a report.
        if error.is(&taipan_object::statics::PyExc_Warning) {
            err::write_unraisable_at(
                error,
                "Exception ignored while finalizing scandir iterator",
                scan.object(),
            );
        }
    }
    scan.close();
}

fn itself(scan: &ScanView) -> Ref {
    scan.object().new_ref()
}

taipan_object::methods! {
    static SCAN_METHODS = {
        noargs "__enter__" "" = scan_enter, "";
        many "__exit__" "" = scan_exit, "";
        noargs "close" "" = scan_close, "";
    }
}

static SCAN_SPEC: TypeSpec = TypeSpec {
    slots: &[ScanView::DEALLOC, tp_iter(itself), tp_iternext(scan_next), tp_finalize(scan_finalize)],
    methods: SCAN_METHODS,
    ..TypeSpec::new(&SCAN)
};

/// Makes the types ready and adds them.
pub fn add(module: &Module) -> PyResult<()> {
    for spec in [&ENTRY_SPEC, &SCAN_SPEC] {
        if !spec.ty.has_flag(abi::Py_TPFLAGS_READY) {
            typeobject::install(spec)?;
        }
    }
    module.add("DirEntry", &DIR_ENTRY)?;
    module.add_functions(METHODS)
}

taipan_object::methods! {
    static METHODS = {
        args "listdir" "($module, /, path=None)" = listdir, "The names in a folder, in no order, without '.' and '..'.\n\n  path\n    A name (bytes give bytes) or the descriptor of an open folder; without it the working folder.";
        args "scandir" "($module, /, path=None)" = scandir, "An iterator of the entries of a folder.";
    }
}
