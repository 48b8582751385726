//! Layouts and archives as sources and destinations, hostile ones included.

mod support;

use std::fs;
use std::io::Write;
use std::path::Path;

use soci_image::{Descriptor, Digest};
use soci_store::store::{AnyDestination, AnySource, Blob, Destination, Published, Root, Sink, Source};
use soci_store::{Location, block_on};
use support::{Files, MANIFEST, blob_name, entry, never, tree};

fn open(place: &str) -> soci_store::Result<AnySource> {
    AnySource::open(&place.parse::<Location>().expect("a location"), &never())
}

fn create(place: &str) -> soci_store::Result<AnyDestination> {
    AnyDestination::create(&place.parse::<Location>().expect("a location"), &never())
}

fn text(path: &Path) -> String {
    path.to_str().expect("UTF-8").to_string()
}

fn read_all(source: &AnySource, descriptor: &Descriptor) -> Vec<u8> {
    let mut blob = block_on(source.open(descriptor)).expect("opens");
    let mut bytes = Vec::new();
    let mut buffer = [0; 7];
    loop {
        match block_on(blob.read(&mut buffer)).expect("reads") {
            0 => return bytes,
            count => bytes.extend(&buffer[..count]),
        }
    }
}

/// Opens what should be refused, as a file and as a stream, and gives the message.
fn refusal(archive: &[u8]) -> String {
    let folder = tempfile::tempdir().expect("temporary folder");
    let path = folder.path().join("x.tar");
    fs::write(&path, archive).expect("temporary folder");
    let from_file = open(&text(&path))
        .expect_err("a refusal")
        .to_string()
        .replace(&text(&path), "PLACE");
    let from_stream = soci_store::archive::ArchiveSource::receive("PLACE", archive, &never())
        .expect_err("a refusal")
        .to_string();
    assert_eq!(from_file, from_stream);
    from_file
}

fn header(name: &str, kind: u8, size: u64) -> tar::Header {
    let mut header = tar::Header::new_ustar();
    header.as_old_mut().name[..name.len()].copy_from_slice(name.as_bytes());
    header.set_entry_type(tar::EntryType::new(kind));
    header.set_size(size);
    header.set_mode(0o644);
    header.set_cksum();
    header
}

fn archive_of(parts: &[(&tar::Header, &[u8])]) -> Vec<u8> {
    let mut bytes = Vec::new();
    for (header, content) in parts {
        bytes.extend(header.as_bytes());
        bytes.extend(*content);
        bytes.resize(bytes.len().next_multiple_of(512), 0);
    }
    bytes.resize(bytes.len() + 1024, 0);
    bytes
}

#[test]
fn an_image_reads_the_same_from_a_folder_an_archive_a_gzip_and_a_stream() {
    let folder = tempfile::tempdir().expect("temporary folder");
    let layer = vec![42; 100_000];
    let files = Files::layout(
        &[b"{}", &layer],
        &[entry(b"{}", r#""org.opencontainers.image.ref.name":"v1""#)],
    );
    files.write_folder(&folder.path().join("layout"));
    let tar = files.archive();
    fs::write(folder.path().join("x.tar"), &tar).expect("temporary folder");
    let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    gzip.write_all(&tar).expect("memory");
    let gzip = gzip.finish().expect("memory");
    fs::write(folder.path().join("x.tgz"), &gzip).expect("temporary folder");
    let stream =
        soci_store::archive::ArchiveSource::receive("standard input", &gzip[..], &never()).expect("opens");

    let at = |name: &str| text(&folder.path().join(name));
    for source in [
        open(&at("layout")).expect("opens"),
        open(&at("x.tar")).expect("opens"),
        open(&at("x.tgz")).expect("opens"),
        AnySource::Archive(stream),
    ] {
        let roots = block_on(source.roots()).expect("roots");
        assert_eq!(roots.len(), 1);
        assert_eq!(roots[0].names[0].tag.as_deref(), Some("v1"));
        assert_eq!(
            block_on(source.document(&roots[0].descriptor)).expect("reads"),
            b"{}"
        );
        let descriptor = Descriptor::of("layer", &layer);
        assert_eq!(read_all(&source, &descriptor), layer);
        let mut some = [0; 10];
        block_on(source.read_at(&descriptor, 99_990, &mut some)).expect("reads");
        assert_eq!(some, [42; 10]);
        assert!(
            block_on(source.read_at(&descriptor, 99_991, &mut some)).is_err(),
            "beyond the end"
        );
        assert!(!block_on(source.contains(&Descriptor::of("layer", b"x"))).expect("looks"));
    }
}

#[test]
fn two_names_of_one_image_are_one_root_and_two_images_are_two() {
    let folder = tempfile::tempdir().expect("temporary folder");
    let name = |tag: &str| format!(r#""org.opencontainers.image.ref.name":"{tag}""#);
    let entries = [
        entry(b"{}", &name("a")),
        entry(b"[]", &name("b")),
        entry(b"{}", &name("c")),
    ];
    Files::layout(&[b"{}", b"[]"], &entries).write_folder(folder.path());
    let roots = block_on(open(&text(folder.path())).expect("opens").roots()).expect("roots");
    let tags: Vec<Vec<_>> = roots
        .iter()
        .map(|root| root.names.iter().filter_map(|name| name.tag.as_deref()).collect())
        .collect();
    assert_eq!(tags, [vec!["a", "c"], vec!["b"]]);
}

#[test]
fn a_document_that_is_not_what_its_descriptor_says_is_refused() {
    let folder = tempfile::tempdir().expect("temporary folder");
    let mut files = Files::layout(&[b"{}"], &[entry(b"{}", "")]);
    files.0[1].1 = b"[]".to_vec();
    files.write_folder(folder.path());
    let source = open(&text(folder.path())).expect("opens");
    let error = block_on(source.document(&Descriptor::of(MANIFEST, b"{}")))
        .expect_err("a refusal")
        .to_string();
    assert!(
        error.contains("has the digest sha256:4f53cda18c2baa0c"),
        "{error}"
    );
    let longer = Descriptor {
        size: 3,
        ..Descriptor::of(MANIFEST, b"{}")
    };
    let error = block_on(source.document(&longer))
        .expect_err("a refusal")
        .to_string();
    assert!(error.ends_with("has 2 bytes, its descriptor says 3"), "{error}");
}

#[test]
fn hostile_archives_are_refused_with_the_reason() {
    let index = br#"{"schemaVersion":2,"manifests":[]}"#;
    let size = index.len() as u64;
    let plain = header("index.json", b'0', size);
    let cases: Vec<(&str, Vec<u8>, &str)> = vec![
        ("no tar", vec![b'x'; 2048], "PLACE: it is not a tar archive"),
        ("short", vec![b'x'; 100], "PLACE: it is not a tar archive"),
        (
            "no index",
            archive_of(&[]),
            "PLACE: it has neither index.json nor manifest.json, so it is not an archive of an image",
        ),
        (
            "twice",
            archive_of(&[(&plain, index), (&plain, index)]),
            "PLACE: it has index.json twice",
        ),
        (
            "cut inside",
            archive_of(&[(&plain, index), (&header("a", b'0', 4096), b"")])[..1536].to_vec(),
            "PLACE: it is cut off inside a file",
        ),
        (
            "cut between",
            archive_of(&[(&plain, index)])[..1024].to_vec(),
            "PLACE: it is cut off before its end mark",
        ),
        (
            "climbs",
            archive_of(&[(&header("../index.json", b'0', size), index)]),
            "PLACE: the tar header at offset 0 is damaged: its name climbs out of the archive",
        ),
        (
            "from the root",
            archive_of(&[(&header("/index.json", b'0', size), index)]),
            "PLACE: the tar header at offset 0 is damaged: its name climbs out of the archive",
        ),
        (
            "link",
            archive_of(&[(&header("index.json", b'2', 0), b"")]),
            "PLACE: its entry index.json is a link, not a file",
        ),
        (
            "sparse",
            archive_of(&[(&header("index.json", b'S', size), index)]),
            "PLACE: its entry index.json is neither a file nor a folder",
        ),
        (
            "PAX sparse",
            archive_of(&[
                (&header("x", b'x', 22), b"22 GNU.sparse.major=1\n"),
                (&plain, index),
            ]),
            "PLACE: the tar header at offset 0 is damaged: it announces a sparse file, which no image archive has",
        ),
        (
            "global size",
            archive_of(&[(&header("g", b'g', 10), b"10 size=1\n"), (&plain, index)]),
            "PLACE: the tar header at offset 0 is damaged: a global PAX header sets names or sizes",
        ),
        (
            "long extension",
            archive_of(&[(&header("x", b'x', 2 << 20), b"")]),
            "PLACE: the tar header at offset 0 is damaged: its extended header is too long",
        ),
        (
            "PAX size",
            archive_of(&[
                (&header("x", b'x', 29), b"29 size=18446744073709551615\n"),
                (&plain, index),
            ]),
            "PLACE: the tar header at offset 1024 is damaged: its size is impossible",
        ),
        (
            "PAX length",
            archive_of(&[(&header("x", b'x', 10), b"11 size=1\n"), (&plain, index)]),
            "PLACE: the tar header at offset 0 is damaged: its PAX records are malformed",
        ),
    ];
    for (what, archive, expected) in cases {
        assert_eq!(refusal(&archive), expected, "{what}");
    }
    let mut wrong = archive_of(&[(&plain, index)]);
    wrong.truncate(1024);
    wrong.extend([b'y'; 512]);
    assert_eq!(
        refusal(&wrong),
        "PLACE: the tar header at offset 1024 is damaged: its checksum is wrong"
    );
}

#[test]
fn a_size_in_base_256_and_one_in_pax_are_read() {
    let entry_text = entry(b"{}", "");
    let index = format!(r#"{{"manifests":[{entry_text}]}}"#);
    let mut large = header("index.json", b'0', 0);
    let field = &mut large.as_old_mut().size;
    *field = [0; 12];
    field[0] = 0x80;
    field[11] = u8::try_from(index.len()).expect("short");
    large.set_cksum();
    let name = blob_name(&Digest::sha256(b"{}"));
    let records = format!("10 size=2\n{} path={name}\n", name.len() + 9);
    let archive = archive_of(&[
        (&large, index.as_bytes()),
        (&header("pax", b'x', records.len() as u64), records.as_bytes()),
        (&header("short", b'0', 0), b"{}"),
    ]);
    let source = soci_store::archive::ArchiveSource::receive("x", &archive[..], &never()).expect("opens");
    let root = &block_on(source.roots()).expect("roots")[0];
    assert_eq!(block_on(source.document(&root.descriptor)).expect("reads"), b"{}");
}

#[cfg(unix)]
#[test]
fn links_out_of_a_layout_and_things_that_are_no_files_are_refused() {
    let folder = tempfile::tempdir().expect("temporary folder");
    let layout = folder.path().join("layout");
    Files::layout(&[b"{}"], &[entry(b"{}", "")]).write_folder(&layout);
    fs::write(folder.path().join("secret"), b"[]").expect("temporary folder");
    let secret = Descriptor::of("layer", b"[]");
    let planted = layout.join(blob_name(&secret.digest));
    std::os::unix::fs::symlink(folder.path().join("secret"), &planted).expect("temporary folder");
    let source = open(&text(&layout)).expect("opens");
    let error = block_on(source.document(&secret))
        .expect_err("a refusal")
        .to_string();
    assert!(
        error.ends_with("it is a symbolic link out of the layout, which is refused"),
        "{error}"
    );

    // A link inside the layout is fine: some tools share blobs so.
    let inside = Descriptor::of("layer", b"inside");
    fs::write(layout.join("blobs/pool"), b"inside").expect("temporary folder");
    std::os::unix::fs::symlink("../pool", layout.join(blob_name(&inside.digest))).expect("temporary folder");
    assert_eq!(read_all(&source, &inside), b"inside");

    let folder_blob = Descriptor::of("layer", b"folder");
    fs::create_dir(layout.join(blob_name(&folder_blob.digest))).expect("temporary folder");
    let error = block_on(source.document(&folder_blob))
        .expect_err("a refusal")
        .to_string();
    assert!(
        error.ends_with("it should be a blob but is not a regular file"),
        "{error}"
    );

    fs::remove_file(layout.join("index.json")).expect("temporary folder");
    std::os::unix::fs::symlink(folder.path().join("secret"), layout.join("index.json"))
        .expect("temporary folder");
    let error = open(&text(&layout)).expect_err("a refusal").to_string();
    assert!(
        error.ends_with("its index.json is not a regular file inside it"),
        "{error}"
    );
}

#[test]
fn a_destination_that_is_something_else_is_refused_and_not_touched() {
    let folder = tempfile::tempdir().expect("temporary folder");
    let other = folder.path().join("home");
    fs::create_dir(&other).expect("temporary folder");
    fs::write(other.join("letter.txt"), b"dear").expect("temporary folder");
    fs::write(folder.path().join("notes.tar"), b"no archive").expect("temporary folder");
    let before = tree(folder.path());
    for place in ["home", "notes.tar", "home/letter.txt"] {
        let error = create(&text(&folder.path().join(place)))
            .err()
            .expect("a refusal")
            .to_string();
        assert!(error.contains("nothing was touched"), "{error}");
    }
    assert!(create(&format!("oci:{}", text(&folder.path().join("no/such/folder")))).is_err());
    assert_eq!(tree(folder.path()), before);
    assert!(
        matches!(create("docker-archive:x.tar"), Err(error) if error.to_string().contains("write oci-archive:"))
    );
}

/// Writes a manifest and a layer in two of the ways there are, and lists the image as `name`.
fn fill(place: &AnyDestination, source: &AnySource) -> Published {
    let manifest = Descriptor::of(MANIFEST, b"{}");
    let layer = Descriptor::of("layer", b"some layer");
    let mut sink = block_on(place.begin_blob(&layer))
        .expect("begins")
        .expect("not there yet");
    block_on(sink.write(b"some ")).expect("writes");
    block_on(sink.write(b"layer")).expect("writes");
    block_on(sink.commit()).expect("commits");
    assert!(
        block_on(place.begin_blob(&layer)).expect("looks").is_none(),
        "it is there now"
    );
    block_on(place.put_blob(&Descriptor::of("ztoc", b"ztoc"), b"ztoc")).expect("writes");
    block_on(place.copy_blob(&Descriptor::of("layer", b"copied"), source, false)).expect("copies");
    block_on(place.put_manifest(&manifest, b"{}")).expect("writes");
    let root = block_on(source.roots()).expect("roots").remove(0);
    Published {
        root,
        descriptor: manifest,
    }
}

fn source_in(folder: &Path) -> AnySource {
    let tag = r#""org.opencontainers.image.ref.name":"v1","org.example.note":"kept""#;
    Files::layout(&[b"[]", b"copied"], &[entry(b"[]", tag)]).write_folder(&folder.join("source"));
    open(&text(&folder.join("source"))).expect("opens")
}

#[test]
fn what_is_written_appears_at_once_and_reads_back() {
    let folder = tempfile::tempdir().expect("temporary folder");
    let source = source_in(folder.path());
    for name in ["out", "out.tar"] {
        let path = folder.path().join(name);
        let place = create(&text(&path)).expect("creates");
        let image = fill(&place, &source);
        assert!(!path.exists(), "nothing is visible before publish");
        block_on(place.publish(&[image])).expect("publishes");
        let written = open(&text(&path)).expect("opens");
        let root: Root = block_on(written.roots()).expect("roots").remove(0);
        assert_eq!(root.descriptor.digest, Digest::sha256(b"{}"));
        assert_eq!(root.names[0].tag.as_deref(), Some("v1"));
        assert_eq!(root.descriptor.annotation("org.example.note"), Some("kept"));
        for blob in [&b"some layer"[..], b"ztoc", b"copied", b"{}"] {
            assert_eq!(read_all(&written, &Descriptor::of("x", blob)), blob);
        }
    }
    let mut names: Vec<_> = fs::read_dir(folder.path())
        .expect("a folder")
        .map(|entry| entry.expect("an entry").file_name().into_string().expect("UTF-8"))
        .collect();
    names.sort();
    assert_eq!(names, ["out", "out.tar", "source"], "no temporary files stay");
}

#[test]
fn what_is_given_up_leaves_nothing() {
    let folder = tempfile::tempdir().expect("temporary folder");
    let source = source_in(folder.path());
    let there = folder.path().join("there");
    Files::layout(&[b"old"], &[entry(b"old", "")]).write_folder(&there);
    let archive = Files::layout(&[b"old"], &[entry(b"old", "")]).archive();
    fs::write(folder.path().join("there.tar"), archive).expect("temporary folder");
    let before = tree(folder.path());
    for name in ["out", "out.tar", "there", "there.tar"] {
        let place = create(&text(&folder.path().join(name))).expect("creates");
        fill(&place, &source);
        block_on(place.abort());
        assert_eq!(tree(folder.path()), before, "{name} aborted");

        let place = create(&text(&folder.path().join(name))).expect("creates");
        let layer = Descriptor::of("layer", b"half");
        let mut sink = block_on(place.begin_blob(&layer))
            .expect("begins")
            .expect("not there yet");
        block_on(sink.write(b"ha")).expect("writes");
        drop(sink);
        drop(place);
        assert_eq!(tree(folder.path()), before, "{name} dropped");
    }
}

#[test]
fn damaged_blobs_are_not_brought_over() {
    let folder = tempfile::tempdir().expect("temporary folder");
    let source = source_in(folder.path());
    let copied = Descriptor::of("layer", b"copied");
    fs::write(
        folder.path().join("source").join(blob_name(&copied.digest)),
        b"edited",
    )
    .expect("temporary folder");
    for name in ["out", "out.tar"] {
        let place = create(&text(&folder.path().join(name))).expect("creates");
        let error = block_on(place.copy_blob(&copied, &source, false))
            .expect_err("a refusal")
            .to_string();
        assert!(error.contains("its bytes were changed or damaged"), "{error}");
        let longer = Descriptor {
            size: 7,
            ..copied.clone()
        };
        let error = block_on(place.copy_blob(&longer, &source, false))
            .expect_err("a refusal")
            .to_string();
        assert!(error.contains("has 6 bytes, its descriptor says 7"), "{error}");
    }
}

#[test]
fn an_image_of_the_same_name_is_replaced_and_others_stay() {
    let folder = tempfile::tempdir().expect("temporary folder");
    let source = source_in(folder.path());
    let there = folder.path().join("there");
    let tag = |tag: &str| format!(r#""org.opencontainers.image.ref.name":"{tag}""#);
    let entries = [
        entry(b"old", &tag("v0")),
        entry(b"old", &tag("v1")),
        entry(b"old", ""),
    ];
    Files::layout(&[b"old"], &entries).write_folder(&there);
    let place = create(&text(&there)).expect("creates");
    let image = fill(&place, &source);
    block_on(place.publish(&[image])).expect("publishes");
    let index = fs::read_to_string(there.join("index.json")).expect("a file");
    let (old, new) = (Digest::sha256(b"old"), Digest::sha256(b"{}"));
    assert_eq!(
        index,
        format!(
            r#"{{"schemaVersion":2,"manifests":[{{"mediaType":"{MANIFEST}","digest":"{old}","size":3,"annotations":{{"org.opencontainers.image.ref.name":"v0"}}}},{{"mediaType":"{MANIFEST}","digest":"{new}","size":2,"annotations":{{"org.example.note":"kept","org.opencontainers.image.ref.name":"v1"}}}},{{"mediaType":"{MANIFEST}","digest":"{old}","size":3}}]}}"#
        )
    );
}

#[test]
fn a_blob_that_was_cut_off_at_the_destination_is_written_again() {
    let folder = tempfile::tempdir().expect("temporary folder");
    let source = source_in(folder.path());
    let there = folder.path().join("there");
    Files::layout(&[b"old"], &[entry(b"old", "")]).write_folder(&there);
    let copied = Descriptor::of("layer", b"copied");
    fs::write(there.join(blob_name(&copied.digest)), b"cop").expect("temporary folder");
    let place = create(&text(&there)).expect("creates");
    let image = fill(&place, &source);
    block_on(place.publish(&[image])).expect("publishes");
    assert_eq!(read_all(&open(&text(&there)).expect("opens"), &copied), b"copied");
}

#[cfg(unix)]
#[test]
fn layers_of_a_layout_are_linked_not_copied() {
    use std::os::unix::fs::MetadataExt;
    let folder = tempfile::tempdir().expect("temporary folder");
    let source = source_in(folder.path());
    let copied = Descriptor::of("layer", b"copied");
    let place = create(&text(&folder.path().join("out"))).expect("creates");
    let image = fill(&place, &source);
    block_on(place.publish(&[image])).expect("publishes");
    let inode = |layout: &str| {
        fs::metadata(folder.path().join(layout).join(blob_name(&copied.digest)))
            .expect("a file")
            .ino()
    };
    assert_eq!(inode("source"), inode("out"));
}
