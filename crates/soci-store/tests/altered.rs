//! A good image altered in every way that documents, zTOCs, layers and lists can be wrong, and what `verify` says: no
//! alteration passes for a good image.

mod support;

use std::collections::BTreeSet;
use std::fs;

use soci_image::{Digest, Manifest, SociIndex};
use soci_store::workflow::{Consequence, Options, Sample, VerifiedImage};
use soci_ztoc::ztoc::{Checkpoint, GzipZinfo, Window, Zinfo, Ztoc};
use support::converted::Image;
use support::made::{self, Layer, letters, tar};

use Consequence::*;

/// One alteration.
struct Case {
    name: &'static str,
    alter: fn(&Image),
    cause: &'static str,
    consequence: Consequence,
    /// Whether a sample of all spans finds it as well.
    sampled: bool,
}

const fn case(name: &'static str, alter: fn(&Image), cause: &'static str, consequence: Consequence) -> Case {
    Case {
        name,
        alter,
        cause,
        consequence,
        sampled: true,
    }
}

/// What is only in the bytes of layers, or of files.
const fn whole(name: &'static str, alter: fn(&Image), cause: &'static str, consequence: Consequence) -> Case {
    Case {
        sampled: false,
        ..case(name, alter, cause, consequence)
    }
}

#[rustfmt::skip]
const CASES: &[Case] = &[
    // What the index lists.
    case("a manifest is gone", |i| i.remove(&manifest(i)), "missing-manifest", PullFails),
    case("a manifest has other bytes", |i| i.flip(&manifest(i)), "damaged-manifest", PullFails),
    case("a manifest's size is off by one", |i| i.change_index(|t| one_more(t, &manifest(i))), "damaged-manifest", PullFails),
    case("a manifest is listed as an index", |i| i.change_index(|t| retype(t, &manifest(i), made::INDEX)), "damaged-manifest", PullFails),
    case("a manifest is listed as docker's", |i| i.change_index(|t| retype(t, &manifest(i), DOCKER_MANIFEST)), "other-media-type", PullFails),
    case("a manifest says docker's type", |i| i.change_manifest(|t| t.replacen(support::MANIFEST, DOCKER_MANIFEST, 1)), "other-media-type", PullFails),
    case("a manifest says that it is an index", |i| i.change_manifest(|t| t.replacen(support::MANIFEST, made::INDEX, 1)), "damaged-manifest", PullFails),
    case("a manifest lists manifests too", |i| i.change_manifest(|t| t.replacen("\"layers\"", "\"manifests\":[],\"layers\"", 1)), "damaged-manifest", PullFails),
    case("a manifest lists manife\u{17f}ts too", |i| i.change_manifest(|t| t.replacen("\"layers\"", "\"manife\u{17f}ts\":[],\"layers\"", 1)), "damaged-manifest", PullFails),
    case("a manifest is not JSON", |i| i.change_manifest(|t| t[..t.len() - 1].to_owned()), "damaged-manifest", PullFails),
    case("an image has no platform", |i| i.change_index(|t| t.replacen(r#","platform":{"architecture":"amd64","os":"linux"}"#, "", 1)), "image-without-platform", PullFails),
    case("the SOCI index stands first", |i| i.change_index(soci_first), "index-before-image", PullFails),
    case("a SOCI index's size is off by one", |i| i.change_index(|t| one_more(t, &soci(i))), "damaged-document", ImageNotLazy),
    case("a SOCI index has lost its type", |i| i.change_index(|t| t.replacen(SOCI_TYPE, "", 1)), "artifact-type-lost", None),
    case("a SOCI index has another type", |i| i.change_index(|t| t.replacen("soci.index.v2", "soci.index.v1", 1)), "artifact-type-lost", None),
    case("a SOCI index is not listed", |i| i.change_index(without_soci), "index-not-listed", None),
    case("a platform is listed twice", |i| i.change_index(|t| t.replacen("arm64", "amd64", 1)), "duplicate-platform", None),
    case("an attestation has other bytes", |i| i.flip(&attestation(i)), "damaged-document", None),
    case("an attestation's size is off by one", |i| i.change_index(|t| one_more(t, &attestation(i))), "damaged-document", None),
    // What a manifest says.
    case("no SOCI index is named", |i| i.change_manifest(|t| t.replacen("com.amazon.soci.index-digest", "com.amazon.soci.index", 1)), "no-soci-index", ImageNotLazy),
    case("a SOCI index that is not there is named", |i| i.change_manifest(|t| t.replacen(&soci(i), Digest::sha256(b"gone").as_str(), 1)), "missing-index", ImageNotLazy),
    case("the config is named as SOCI index", |i| i.change_manifest(|t| t.replacen(&soci(i), &config(i), 1)), "unreadable-index", ImageNotLazy),
    case("a layer is named as SOCI index", |i| i.change_manifest(|t| t.replacen(&soci(i), &layer(i, 2), 1)), "unreadable-index", ImageNotLazy),
    case("what is not a digest is named as SOCI index", |i| i.change_manifest(|t| t.replacen(&soci(i), "latest", 1)), "missing-index", ImageNotLazy),
    case("a layer's size is off by one", |i| i.change_manifest(|t| one_more(t, &layer(i, 0))), "wrong-layer-size", PullFails),
    case("a small layer's size is off by one", |i| i.change_manifest(|t| one_more(t, &layer(i, 2))), "wrong-layer-size", PullFails),
    whole("two layers are swapped", |i| i.change_manifest(|t| swap(t, &made::point(made::LAYER, &i.read(&layer(i, 0))), &made::point(made::LAYER, &i.read(&layer(i, 1))))), "wrong-diff-id", PullFails),
    case("a layer is left out", |i| i.change_manifest(|t| t.replacen(&format!("{},", made::point(made::LAYER, &i.read(&layer(i, 0)))), "", 1)), "wrong-config", PullFails),
    case("the config is listed in another size", |i| i.change_manifest(|t| one_more(t, &config(i))), "wrong-config", PullFails),
    // The config.
    case("the config is gone", |i| i.remove(&config(i)), "missing-config", PullFails),
    case("the config has other bytes", |i| i.flip(&config(i)), "wrong-config", PullFails),
    case("the config is not JSON", |i| i.change(&config(i), |t| format!("{t}}}")), "wrong-config", PullFails),
    case("the config has no diff_ids", |i| i.change(&config(i), |t| t.replace("diff_ids", "diffs")), "wrong-config", PullFails),
    case("the config has a diff_id too few", |i| i.change(&config(i), |t| t.replacen(&format!("\"{}\",", diff_id(t)), "", 1)), "wrong-config", PullFails),
    whole("the config has another diff_id", |i| i.change(&config(i), |t| t.replacen(&diff_id(t), Digest::sha256(b"x").as_str(), 1)), "wrong-diff-id", PullFails),
    // The SOCI index.
    case("the SOCI index is gone", |i| i.remove(&soci(i)), "missing-index", ImageNotLazy),
    case("the SOCI index has other bytes", |i| i.flip(&soci(i)), "unreadable-index", ImageNotLazy),
    case("the SOCI index has a blank", |i| i.change(&soci(i), |t| t.replacen(':', ": ", 1)), "non-canonical-index", ImageNotLazy),
    case("the SOCI index says an artifact type", |i| i.change(&soci(i), |t| t.replacen("\"config\"", "\"artifactType\":\"application/vnd.amazon.soci.index.v2+json\",\"config\"", 1)), "non-canonical-index", ImageNotLazy),
    case("the SOCI index lists manifests", |i| i.change(&soci(i), |t| t.replacen("\"config\"", "\"manifests\":[],\"config\"", 1)), "unreadable-index", ImageNotLazy),
    case("the SOCI index is of version 1", |i| i.change(&soci(i), |t| t.replacen("index.v2", "index.v1", 1)), "unreadable-index", ImageNotLazy),
    case("the SOCI index is of version 9", |i| i.change(&soci(i), |t| t.replacen("index.v2", "index.v9", 1)), "unreadable-index", ImageNotLazy),
    case("the SOCI index's config is gone", |i| i.remove(Digest::sha256(b"{}").as_str()), "missing-soci-config", ImageNotLazy),
    case("the SOCI index's config is listed in another size", |i| i.change(&soci(i), |t| one_more(t, Digest::sha256(b"{}").as_str())), "missing-soci-config", ImageNotLazy),
    case("the SOCI index's config is another", |i| i.change(&soci(i), |t| t.replacen(Digest::sha256(b"{}").as_str(), Digest::sha256(b"[]").as_str(), 1)), "missing-soci-config", ImageNotLazy),
    case("the SOCI index has no zTOC", |i| i.change(&soci(i), without_ztocs), "empty-index", ImageNotLazy),
    case("a zTOC names another layer", |i| i.change(&soci(i), |t| t.replacen(&layer(i, 0), Digest::sha256(b"x").as_str(), 1)), "ztoc-of-other-layer", LayerNotLazy),
    case("zTOCs name each other's layers", |i| i.change(&soci(i), |t| swap(t, &layer(i, 0), &layer(i, 1))), "misplaced-ztoc", ReadsFail),
    case("a layer has two zTOCs", |i| i.change(&soci(i), |t| t.replace(&layer(i, 1), &layer(i, 0))), "several-ztocs", LayerNotLazy),
    case("a zTOC's size is off by one", |i| i.change(&soci(i), |t| one_more(t, &ztoc(i))), "wrong-ztoc-size", ImageNotLazy),
    case("another span size is told", |i| i.change(&soci(i), |t| t.replacen("\"65536\"", "\"65537\"", 1)), "other-span-size", None),
    case("attributes are denied that are there", |i| i.change(&soci(i), deny_xattrs), "disabled-xattrs", WrongContents),
    // zTOCs.
    case("a zTOC is gone", |i| i.remove(&ztoc(i)), "missing-ztoc", ImageNotLazy),
    case("a zTOC has other bytes", |i| i.flip(&ztoc(i)), "wrong-ztoc-digest", ImageNotLazy),
    case("a zTOC is cut", |i| i.replace(&ztoc(i), &i.read(&ztoc(i))[..1000]), "unreadable-ztoc", LayerNotLazy),
    case("a zTOC is empty", |i| i.replace(&ztoc(i), b""), "unreadable-ztoc", LayerNotLazy),
    case("a span digest is wrong", |i| i.change_ztoc(|z| z.span_digests[2][0] ^= 1), "wrong-span-digest", ReadsFail),
    case("a span digest is in upper case", |i| i.replace(&ztoc(i), &upper(i.read(&ztoc(i)))), "wrong-span-digest", ReadsFail),
    case("span digests are swapped", |i| i.change_ztoc(|z| z.span_digests.swap(1, 2)), "wrong-span-digest", ReadsFail),
    case("a span digest is left out", |i| i.change_ztoc(|z| { z.span_digests.pop(); }), "refused-ztoc", LayerNotLazy),
    case("the last span is told wrong", |i| i.change_ztoc(|z| z.max_span_id += 1), "refused-ztoc", LayerNotLazy),
    case("a window is zero", |i| places(i, |p| p[2].window.fill(0)), "wrong-window", WrongContents),
    case("all windows are zero", |i| places(i, |p| p.iter_mut().for_each(|c| c.window.fill(0))), "wrong-window", WrongContents),
    case("a window has other bytes", |i| places(i, |p| p[3].window.iter_mut().for_each(|b| *b ^= 1)), "wrong-window", WrongContents),
    case("windows are swapped", |i| places(i, |p| p[2].window = p[1].window.clone()), "wrong-window", WrongContents),
    case("the last window is zero", |i| places(i, |p| p.last_mut().unwrap().window.fill(0)), "wrong-window", WrongContents),
    case("a checkpoint's place is off by one", |i| places(i, |p| p[2].uncompressed += 1), "unreadable-span", ReadsFail),
    case("a checkpoint's place is off by one downwards", |i| places(i, |p| p[2].uncompressed -= 1), "unreadable-span", ReadsFail),
    case("a checkpoint's bits are wrong", |i| places(i, |p| p[2].bits = if p[2].bits == 0 { 1 } else { p[2].bits - 1 }), "unreadable-span", ReadsFail),
    case("offsets do not rise", |i| places(i, |p| p[2].uncompressed = p[1].uncompressed), "refused-ztoc", LayerNotLazy),
    whole("a file has another size", |i| change_toc(i, &300_000_i64.to_le_bytes(), &299_999_i64.to_le_bytes()), "wrong-toc-entry", ReadsFail),
    whole("a file has another mode", |i| change_toc(i, &0o644_i64.to_le_bytes(), &0o4644_i64.to_le_bytes()), "wrong-toc-entry", ReadsFail),
    whole("a file has another time", |i| change_toc(i, b"2023-11-14T22:13:20Z", b"2023-11-14T22:13:21Z"), "wrong-toc-entry", ReadsFail),
    whole("a file has another name", |i| change_toc(i, b"app/two", b"app/tow"), "wrong-toc-entry", ReadsFail),
    whole("files have each other's names", |i| { change_toc(i, b"app/two", b"app/2wo"); change_toc(i, b"app/one", b"app/two"); change_toc(i, b"app/2wo", b"app/one"); }, "wrong-toc-entry", ReadsFail),
    whole("a file is left out", |i| change_toc(i, &3_u32.to_le_bytes(), &2_u32.to_le_bytes()), "missing-toc-entries", WrongContents),
    // Layers.
    whole("a layer has other bytes", |i| i.flip(&layer(i, 0)), "wrong-layer-digest", PullFails),
    whole("a small layer has other bytes", |i| i.flip(&layer(i, 2)), "wrong-layer-digest", PullFails),
    case("a layer is gone", |i| i.remove(&layer(i, 0)), "missing-layer", PullFails),
    case("a small layer is gone", |i| i.remove(&layer(i, 2)), "missing-layer", PullFails),
    case("a layer is cut", |i| { let bytes = i.read(&layer(i, 0)); i.write(&layer(i, 0), &bytes[..bytes.len() - 9]) }, "wrong-layer-size", PullFails),
    whole("a small layer is cut and everything says so", |i| { let bytes = i.read(&layer(i, 2)); i.replace(&layer(i, 2), &bytes[..bytes.len() - 9]) }, "damaged-layer", PullFails),
    whole("a small layer has another content", |i| i.replace(&layer(i, 2), &Layer::gzip(&tar(&[("small", b"other")])).bytes), "wrong-diff-id", PullFails),
    whole("a small layer is not a tar", |i| i.replace(&layer(i, 2), &Layer::gzip(&letters(2000, 9)).bytes), "damaged-layer", PullFails),
    // Lists of what to fetch at once.
    case("a prefetch list is gone", |i| i.remove(&list(i)), "missing-prefetch-list", ImageNotLazy),
    case("a prefetch list has other bytes", |i| i.flip(&list(i)), "unreadable-prefetch-list", NotPrefetched),
    case("a prefetch list is not JSON", |i| i.replace(&list(i), b"{"), "unreadable-prefetch-list", NotPrefetched),
    case("a prefetch list names spans that are not there", |i| i.replace(&list(i), br#"{"version":"1.0","prefetch_spans":[{"start_span":0,"end_span":999}]}"#), "wrong-prefetch-list", NotPrefetched),
    case("a prefetch list ends before it begins", |i| i.replace(&list(i), br#"{"version":"1.0","prefetch_spans":[{"start_span":1,"end_span":0}]}"#), "wrong-prefetch-list", NotPrefetched),
    case("a prefetch list's size is off by one", |i| i.change(&soci(i), |t| one_more(t, &list(i))), "missing-prefetch-list", ImageNotLazy),
];

const DOCKER_MANIFEST: &str = "application/vnd.docker.distribution.manifest.v2+json";
const SOCI_TYPE: &str = r#","artifactType":"application/vnd.amazon.soci.index.v2+json""#;

fn options() -> Options {
    Options {
        min_layer_size: 1000,
        span_size: 65536,
        prefetch: vec!["/app/one".into()],
        ..Options::default()
    }
}

fn converted() -> Image {
    Image::of(&made::image(), &options())
}

fn all_spans() -> Options {
    Options {
        sample: Some(Sample {
            spans: usize::MAX,
            seed: 1,
        }),
        ..Options::default()
    }
}

#[test]
fn the_image_is_good_and_a_sample_says_what_it_did_not_see() {
    let image = converted();
    let verdict = image.verify();
    assert_eq!((&verdict.findings[..], &verdict.unknown[..]), (&[][..], &[][..]));
    assert!(verdict.is_good());
    // Two layers are shared.
    assert_eq!(verdict.layers, 4);
    let sampled = image.verify_with(&all_spans()).expect("verifies");
    assert_eq!(sampled.findings, []);
    assert!(sampled.is_good());
    assert_eq!(sampled.layers, 2);
    assert!(sampled.unknown.len() >= 4, "{:?}", sampled.unknown);
}

#[test]
fn no_alteration_passes() {
    let mut wrong = Vec::new();
    let good = converted();
    for case in CASES {
        let image = good.copy();
        (case.alter)(&image);
        let mut check = |how: &str, verdict: VerifiedImage| {
            let found: Vec<_> = (verdict.findings.iter())
                .map(|f| (f.cause, f.consequence))
                .collect();
            if !found.contains(&(case.cause, case.consequence)) {
                wrong.push(format!("{} ({how}): {found:?}", case.name));
            }
            if verdict.is_good() != (case.consequence == None) {
                wrong.push(format!("{} ({how}): good is {}", case.name, verdict.is_good()));
            }
            let worst = found.iter().map(|(_, consequence)| *consequence).max();
            if worst > Some(PullFails.min(case.consequence))
                && !matches!(
                    case.cause,
                    "wrong-config"
                        | "misplaced-ztoc"
                        | "several-ztocs"
                        | "ztoc-of-other-layer"
                        | "refused-ztoc"
                        | "damaged-document"
                        | "unreadable-span"
                        | "wrong-span-digest"
                )
            {
                wrong.push(format!("{} ({how}) is worse: {found:?}", case.name));
            }
        };
        check("whole", image.verify());
        if case.sampled {
            check("sampled", image.verify_with(&all_spans()).expect("verifies"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn converting_again_is_advised_only_where_it_helps() {
    let mut wrong = Vec::new();
    let good = converted();
    for case in CASES {
        let image = good.copy();
        (case.alter)(&image);
        let before = image.verify();
        let advised: BTreeSet<_> = (before.findings.iter())
            .filter(|finding| finding.help.starts_with("convert"))
            .map(|finding| finding.cause)
            .collect();
        // Where something else keeps the image from being converted, that comes first, and is said.
        let mut others = before
            .findings
            .iter()
            .filter(|finding| !finding.help.starts_with("convert"));
        let first = others.any(|finding| finding.consequence == PullFails);
        if advised.is_empty() || first {
            continue;
        }
        if let Err(error) = image.convert_again(&options()) {
            wrong.push(format!("{}: {advised:?}, and converting says {error}", case.name));
            continue;
        }
        let left: BTreeSet<_> = image
            .verify()
            .findings
            .iter()
            .map(|finding| finding.cause)
            .collect();
        let left: Vec<_> = advised.intersection(&left).collect();
        if !left.is_empty() {
            wrong.push(format!("{}: {left:?} is still there", case.name));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// The first platform's.
fn manifest(image: &Image) -> String {
    let index = image.index().1;
    let start = index.find("\"digest\":\"").expect("a digest") + 10;
    index[start..start + 71].to_owned()
}

fn parsed(image: &Image) -> Manifest {
    Manifest::parse(&image.read(&manifest(image))).expect("a manifest")
}

fn config(image: &Image) -> String {
    parsed(image).config.digest.to_string()
}

fn layer(image: &Image, number: usize) -> String {
    parsed(image).layers[number].digest.to_string()
}

fn soci(image: &Image) -> String {
    parsed(image)
        .soci_index_digest()
        .expect("it is converted")
        .to_string()
}

fn soci_index(image: &Image) -> SociIndex {
    SociIndex::parse(&image.read(&soci(image))).expect("a SOCI index")
}

/// Of the first layer.
fn ztoc(image: &Image) -> String {
    soci_index(image).ztocs[0].digest.to_string()
}

fn list(image: &Image) -> String {
    soci_index(image).prefetch[0].digest.to_string()
}

fn attestation(image: &Image) -> String {
    let index = image.index().1;
    let end = index
        .find("\"vnd.docker.reference.digest\"")
        .expect("an attestation");
    let start = index[..end].rfind("\"digest\":\"").expect("a digest") + 10;
    index[start..start + 71].to_owned()
}

fn diff_id(config: &str) -> String {
    let start = config.find("sha256:").expect("a diff_id");
    config[start..start + 71].to_owned()
}

/// The size behind a digest, plus one.
fn one_more(text: &str, digest: &str) -> String {
    let before = format!(r#""digest":"{digest}","size":"#);
    let start = text.find(&before).expect("a descriptor") + before.len();
    let length = text[start..].find(|c: char| !c.is_ascii_digit()).expect("more");
    let size: u64 = text[start..start + length].parse().expect("a size");
    format!("{}{}{}", &text[..start], size + 1, &text[start + length..])
}

/// Another media type in front of a digest.
fn retype(text: &str, digest: &str, media_type: &str) -> String {
    let end = text
        .find(&format!(r#"","digest":"{digest}""#))
        .expect("a descriptor");
    let start = text[..end].rfind('"').expect("a media type") + 1;
    format!("{}{media_type}{}", &text[..start], &text[end..])
}

fn swap(text: &str, one: &str, other: &str) -> String {
    text.replace(one, "\u{1}")
        .replace(other, one)
        .replace('\u{1}', other)
}

/// Start and end of the first SOCI index among the entries.
fn first_soci(text: &str) -> (usize, usize) {
    let at = text.find(SOCI_TYPE).expect("a SOCI index");
    let start = text[..at].rfind(",{\"mediaType\"").expect("an entry") + 1;
    let end = at + text[at..].find('}').expect("an end") + 1;
    (start, end)
}

fn soci_first(text: &str) -> String {
    let (start, end) = first_soci(text);
    let list = text.find('[').expect("a list") + 1;
    let entry = &text[start..end];
    format!(
        "{}{entry},{}{}",
        &text[..list],
        &text[list..start - 1],
        &text[end..]
    )
}

fn without_soci(text: &str) -> String {
    let mut text = text.to_owned();
    while text.contains(SOCI_TYPE) {
        let (start, end) = first_soci(&text);
        text.replace_range(start - 1..end, "");
    }
    text
}

fn without_ztocs(text: &str) -> String {
    let mut index = SociIndex::parse(text.as_bytes()).expect("a SOCI index");
    index.ztocs.clear();
    String::from_utf8(index.to_vec()).expect("JSON")
}

fn deny_xattrs(text: &str) -> String {
    let mut index = SociIndex::parse(text.as_bytes()).expect("a SOCI index");
    index.ztocs[1].disable_xattrs = true;
    String::from_utf8(index.to_vec()).expect("JSON")
}

/// A checkpoint taken apart.
struct Place {
    compressed: u64,
    uncompressed: u64,
    bits: u8,
    window: Vec<u8>,
}

/// Other checkpoints for the first layer.
fn places(image: &Image, change: impl FnOnce(&mut Vec<Place>)) {
    image.change_ztoc(|ztoc| {
        let Zinfo::Gzip(zinfo) = &ztoc.zinfo else {
            panic!("a gzip layer")
        };
        let apart = |checkpoint: &Checkpoint| Place {
            compressed: checkpoint.compressed_offset(),
            uncompressed: checkpoint.uncompressed_offset(),
            bits: checkpoint.bits(),
            window: checkpoint.window().to_vec(),
        };
        let mut places: Vec<Place> = zinfo.checkpoints().iter().map(apart).collect();
        change(&mut places);
        let together = |place: Place| {
            let window = Window::new(place.window[..].try_into().expect("32 KiB"));
            Checkpoint::new(place.compressed, place.uncompressed, place.bits, window).expect("a place")
        };
        let checkpoints = places.into_iter().map(together).collect();
        ztoc.zinfo = Zinfo::Gzip(GzipZinfo::new(zinfo.span_size(), checkpoints).expect("they ascend"));
    });
}

fn upper(mut ztoc: Vec<u8>) -> Vec<u8> {
    let at = ztoc
        .windows(7)
        .position(|bytes| bytes == b"sha256:")
        .expect("a span digest");
    ztoc[at + 7..at + 71].make_ascii_uppercase();
    ztoc
}

/// Other bytes in the first place where they change the table of contents: windows hold names and numbers as well.
fn change_toc(image: &Image, from: &[u8], to: &[u8]) {
    let old = ztoc(image);
    let bytes = image.read(&old);
    let before = Ztoc::from_bytes(&bytes).expect("a zTOC");
    let places = (0..bytes.len()).filter(|at| bytes[*at..].starts_with(from));
    let changed = places.map(|at| [&bytes[..at], to, &bytes[at + from.len()..]].concat());
    let is_new = |bytes: &Vec<u8>| {
        Ztoc::from_bytes(bytes).is_ok_and(|ztoc| {
            ztoc.toc() != before.toc()
                && ztoc.zinfo() == before.zinfo()
                && ztoc.span_digests() == before.span_digests()
        })
    };
    let changed = changed
        .into_iter()
        .find(is_new)
        .expect("it stands in the table of contents");
    image.replace(&old, &changed);
}

impl Image {
    fn read(&self, digest: &str) -> Vec<u8> {
        fs::read(self.path(digest)).expect("a blob")
    }

    fn write(&self, digest: &str, bytes: &[u8]) {
        fs::write(self.path(digest), bytes).expect("a blob");
    }

    fn remove(&self, digest: &str) {
        fs::remove_file(self.path(digest)).expect("a blob");
    }

    /// One bit in the middle, under the old name.
    fn flip(&self, digest: &str) {
        let mut bytes = self.read(digest);
        let middle = bytes.len() / 2;
        bytes[middle] ^= 1;
        self.write(digest, &bytes);
    }

    fn change(&self, digest: &str, change: impl FnOnce(&str) -> String) {
        let text = String::from_utf8(self.read(digest)).expect("JSON");
        let changed = change(&text);
        self.replace(digest, changed.as_bytes());
    }

    fn change_index(&self, change: impl FnOnce(&str) -> String) {
        self.change(&self.index().0, change);
    }

    fn change_manifest(&self, change: impl FnOnce(&str) -> String) {
        self.change(&manifest(self), change);
    }
}
