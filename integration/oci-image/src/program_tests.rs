//! Libraries of real programs of this machine, and of ELF files that are put together here.

use std::fs;

use super::*;

/// The smallest ELF library or program with a dynamic section: one loaded segment that is the whole file.
fn elf(needed: &[&str], runpath: &str, rpath: &str) -> Vec<u8> {
    let mut strings = vec![0];
    let mut entries: Vec<(u64, u64)> = Vec::new();
    let mut string = |tag: u64, text: &str| {
        entries.push((tag, strings.len() as u64));
        strings.extend(text.as_bytes());
        strings.push(0);
    };
    needed.iter().for_each(|name| string(1, name));
    [(29, runpath), (15, rpath)]
        .iter()
        .filter(|(_, path)| !path.is_empty())
        .for_each(|(tag, path)| string(*tag, path));
    let dynamic_at = 64 + 2 * 56;
    let dynamic_size = (entries.len() as u64 + 3) * 16;
    let strings_at = dynamic_at + dynamic_size;
    entries.extend([(5, strings_at), (10, strings.len() as u64), (0, 0)]);
    let total = strings_at + strings.len() as u64;
    let mut bytes = b"\x7fELF\x02\x01\x01\0\0\0\0\0\0\0\0\0\x03\0\x3e\0\x01\0\0\0".to_vec();
    [0, 64, 0].iter().for_each(|word: &u64| bytes.extend(word.to_le_bytes()));
    bytes.extend(0u32.to_le_bytes());
    [64u16, 56, 2, 64, 0, 0].iter().for_each(|half| bytes.extend(half.to_le_bytes()));
    for (kind, offset, size) in [(1u32, 0, total), (2, dynamic_at, dynamic_size)] {
        bytes.extend(kind.to_le_bytes());
        bytes.extend(4u32.to_le_bytes());
        [offset, offset, offset, size, size, 8].iter().for_each(|word| bytes.extend(word.to_le_bytes()));
    }
    for (tag, value) in entries {
        bytes.extend(tag.to_le_bytes());
        bytes.extend(value.to_le_bytes());
    }
    bytes.extend(strings);
    bytes
}

struct Machine {
    directory: tempfile::TempDir,
}

impl Machine {
    fn new(files: &[(&str, Vec<u8>)]) -> Self {
        let machine = Self { directory: tempfile::tempdir().unwrap() };
        for (name, content) in files {
            let path = machine.path(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, content).unwrap();
        }
        machine
    }

    fn path(&self, name: &str) -> PathBuf {
        self.directory.path().canonicalize().unwrap().join(name)
    }

    fn collect(&self, program: &str, destination: &str) -> Result<Parts> {
        let search = SearchPath {
            configured: vec![self.path("configured")],
            built_in: vec![self.path("lib")],
            lib: "lib".to_owned(),
        };
        let program = self.path(program);
        let needs = elf::read(&program)?;
        collect_with(&program, Path::new(destination), needs, search)
    }
}

#[test]
fn libraries_of_libraries_come_too_and_configured_directories_get_a_symlink() {
    let machine = Machine::new(&[
        ("bin/p", elf(&["liba.so"], "", "")),
        ("lib/liba.so", elf(&["libb.so", "liba.so"], "", "")),
        ("configured/libb.so", elf(&[], "", "")),
    ]);
    let parts = machine.collect("bin/p", "/bin/p").unwrap();
    let wanted = [("/bin/p".into(), machine.path("bin/p"))]
        .into_iter()
        .chain(["lib/liba.so", "configured/libb.so"].map(|name| (machine.path(name), machine.path(name))));
    assert_eq!(parts.files, wanted.collect());
    assert_eq!(parts.links, [(machine.path("lib/libb.so"), machine.path("configured/libb.so"))].into());
}

#[test]
fn origin_moves_with_the_program() {
    let machine = Machine::new(&[
        ("opt/bin/p", elf(&["liba.so"], "$ORIGIN/../lib", "")),
        ("opt/lib/liba.so", elf(&["libb.so"], "${ORIGIN}/more", "")),
        ("opt/lib/more/libb.so", elf(&[], "", "")),
    ]);
    let parts = machine.collect("opt/bin/p", "/usr/bin/p").unwrap();
    assert_eq!(parts.files[Path::new("/usr/lib/liba.so")], machine.path("opt/lib/liba.so"));
    assert_eq!(parts.files[Path::new("/usr/lib/more/libb.so")], machine.path("opt/lib/more/libb.so"));
    assert_eq!(parts.links, BTreeMap::new());
}

#[test]
fn rpath_is_inherited_and_runpath_is_not() {
    let files = |runpath, rpath| {
        [
            ("p", elf(&["liba.so"], runpath, rpath)),
            ("x/liba.so", elf(&["libb.so"], "", "")),
            ("x/libb.so", elf(&[], "", "")),
        ]
    };
    assert_eq!(Machine::new(&files("", "$ORIGIN/x")).collect("p", "/p").unwrap().files.len(), 3);
    let error = Machine::new(&files("$ORIGIN/x", "")).collect("p", "/p").unwrap_err();
    assert!(matches!(error, Error::MissingLibrary { library, .. } if library == "libb.so"));
}

#[test]
fn a_missing_library_is_named_with_the_program_and_who_asked() {
    let machine =
        Machine::new(&[("p", elf(&["liba.so"], "", "")), ("lib/liba.so", elf(&["libgone.so.1"], "", ""))]);
    let text = machine.collect("p", "/p").unwrap_err().to_string();
    for part in
        [machine.path("p"), "libgone.so.1".into(), machine.path("lib/liba.so"), machine.path("configured")]
    {
        assert!(text.contains(part.to_str().unwrap()), "{text}");
    }
}

#[test]
fn a_library_for_another_machine_is_passed_over() {
    let mut other = elf(&[], "", "");
    other[18] = 0xb7;
    let machine = Machine::new(&[
        ("p", elf(&["liba.so"], "", "")),
        ("configured/liba.so", other),
        ("lib/liba.so", elf(&[], "", "")),
    ]);
    let parts = machine.collect("p", "/p").unwrap();
    assert!(parts.files.contains_key(&machine.path("lib/liba.so")));
    assert!(!parts.files.contains_key(&machine.path("configured/liba.so")));
}
