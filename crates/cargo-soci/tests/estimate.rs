//! What users of `estimate` see.

mod support;

use support::Place;

/// A place with a converted image of four layers, one of them compressed with zstd.
fn place() -> Place {
    let place = Place::new();
    let image = soci_tests::image_vectors().join("inputs/mixed.tar");
    std::fs::copy(image, place.join("mixed.tar")).expect("an input");
    place
        .run(&[
            "convert",
            "mixed.tar",
            "soci.tar",
            "--min-layer-size",
            "4000",
            "--span-size",
            "64KiB",
        ])
        .ended(0);
    place
}

#[test]
fn a_start_over_two_links() {
    let place = place();
    place.write(
        "app.trace",
        "{\"op\":\"trace\",\"version\":1}\n\
         {\"op\":\"open\",\"t\":0.1,\"path\":\"/app/bin/../data/f00-6def7.txt\"}\n\
         {\"op\":\"open\",\"t\":0.2,\"path\":\"/app/data/f00-e0ef1.txt\",\"ranges\":[[0,10]]}\n\
         {\"op\":\"open\",\"t\":0.3,\"path\":\"/proc/self/maps\"}\n",
    );
    place.write("other.trace", "/app/data/f00-e0ef1.txt\n/etc/hosts\n");
    let at = |words: &[&str]| {
        let run = place.run(words);
        format!("$ cargo soci {}\n{}{}", words.join(" "), run.stdout, run.stderr)
    };
    insta::assert_snapshot!(
        [
            at(&["estimate", "app.trace", "soci.tar"]),
            at(&[
                "estimate",
                "app.trace",
                "soci.tar",
                "--and",
                "other.trace",
                "--link",
                "50Mbit/20ms",
                "-v"
            ]),
            at(&[
                "estimate",
                "app.trace",
                "soci.tar",
                "--link",
                "1Gbit/500us",
                "--format",
                "json"
            ]),
        ]
        .join("\n")
    );
}

/// The page without its style, which has a file of its own.
fn page(place: &Place, words: &[&str]) -> String {
    let run = place.run(words).ended(0);
    let (head, rest) = run.stdout.split_once("<style>").expect("a style");
    let (_, body) = rest.split_once("</style>").expect("its end");
    format!("$ cargo soci {}\n{head}{body}{}", words.join(" "), run.stderr)
}

#[test]
fn a_page_for_a_browser() {
    let place = place();
    place.write(
        "app.trace",
        "{\"path\":\"/app/data/f00-6def7.txt\"}\n\
         {\"path\":\"/app/data/f00-e0ef1.txt\",\"ranges\":[[0,1000]]}\n\
         {\"path\":\"/proc/self/maps\"}\n",
    );
    let with = page(&place, &["estimate", "app.trace", "soci.tar", "--format", "html"]);
    insta::assert_snapshot!("page_with_a_trace", with);
    let without = page(&place, &["estimate", "soci.tar", "--format", "html"]);
    insta::assert_snapshot!("page_without_a_trace", without);
    for page in [&with, &without] {
        for loaded in ["<script", "<link", "<img", "src=", "url(", "@import", "http:"] {
            assert!(!page.contains(loaded), "{loaded}: {page}");
        }
    }
}

/// A path in a trace that is not in the image is told on the page: it must be harmless there.
#[test]
fn words_of_others_steer_nothing() {
    let place = place();
    place.write(
        "app.trace",
        "{\"path\":\"/app/data/f00-6def7.txt\"}\n\
         {\"path\":\"/a\\u001b[2J</li><script>alert(1)</script>\\n::error::x\"}\n",
    );
    let run = place
        .run(&["estimate", "app.trace", "soci.tar", "--format", "html"])
        .ended(0);
    assert!(run.stdout.contains("alert(1)"), "{}", run.stdout);
    assert!(!run.stdout.contains("<script"), "{}", run.stdout);
    assert!(!run.stdout.contains('\u{1b}'), "{}", run.stdout);
    assert!(
        !run.stdout.lines().any(|line| line.trim_start().starts_with("::")),
        "{}",
        run.stdout
    );
}

#[test]
fn mistakes_say_what_and_what_to_do() {
    let place = place();
    place.write("noise", "hello\n");
    place.write("elsewhere", "/srv/x\n/srv/y\n");
    place.write("wrong", "{\"path\":\"/a\"}\n{\"path\":\"b\"}\n");
    place.write("relative", "openat(AT_FDCWD, \"app.py\", O_RDONLY) = 3\n");
    place.write("list", "/app/data/f00-e0ef1.txt\n");
    let mut said = Vec::new();
    for (words, code) in [
        (&["estimate", "noise", "soci.tar"][..], 3),
        (&["estimate", "missing", "soci.tar"], 3),
        (&["estimate", "elsewhere", "soci.tar"], 3),
        (&["estimate", "wrong", "soci.tar"], 3),
        (&["estimate", "relative", "soci.tar"], 3),
        (&["estimate", "list", "mixed.tar"], 3),
        (&["estimate", "list", "soci.tar", "--link", "fast"], 2),
        (&["estimate", "list", "soci.tar", "--platform", "linux/arm64"], 3),
    ] {
        let run = place.run(words).ended(code);
        assert_eq!(run.stdout, "", "{words:?}");
        said.push(format!("$ cargo soci {}\n{}", words.join(" "), run.stderr));
    }
    insta::assert_snapshot!(said.join("\n"));
}

/// The real strace, with the flags that the documentation gives and with others.
#[cfg(all(target_os = "linux", feature = "real-tools"))]
#[test]
fn the_real_strace_is_read() {
    use soci_start::{Form, Trace};

    let place = Place::new();
    place.write("one", "1");
    place.write("sub/two", "2");
    let folder = place.join("").canonicalize().expect("a path");
    let script = "cat one > /dev/null; (cat sub/two > /dev/null) & wait; cat missing 2> /dev/null || true";
    let flags: &[&[&str]] = &[
        &[
            "-y",
            "-ttt",
            "-e",
            "trace=open,openat,openat2,execve,chroot,chdir",
        ],
        &["-y"],
        &["-y", "-t"],
        &["-yy", "-tt", "-xx"],
    ];
    for flags in flags {
        let status = std::process::Command::new("strace")
            .args(["-f", "-o", "strace.log"])
            .args(*flags)
            .args(["sh", "-c", script])
            .current_dir(&folder)
            .status()
            .expect("strace is installed by `cargo xtask setup`");
        assert!(status.success());
        let log = std::fs::read(folder.join("strace.log")).expect("a log");
        let (trace, form) =
            Trace::read(&log).unwrap_or_else(|error| panic!("{error}\n{}", String::from_utf8_lossy(&log)));
        assert_eq!(form, Form::Strace);
        let has = |path: &str| {
            let path = folder.join(path).into_os_string().into_encoded_bytes();
            trace.files.iter().any(|file| file.path == path)
        };
        assert!(
            has("one") && has("sub/two") && !has("missing"),
            "{flags:?}: {trace:?}"
        );
        let by_name = |end: &[u8]| trace.files.iter().any(|file| file.path.ends_with(end));
        assert!(by_name(b"/cat") && by_name(b"/sh"), "{flags:?}");
        assert_eq!(trace.unresolved, 0, "{flags:?}");
    }
}

/// The real fatrace beside a program, and beside one whose files lie in a layer of an overlay. Takes root.
#[cfg(all(target_os = "linux", feature = "real-tools"))]
#[test]
fn the_real_fatrace_is_read() {
    use std::process::Command;

    use soci_start::{Form, Trace};

    let place = Place::new();
    place.write("begin", "0");
    place.write("one two", "1");
    place.write("overlay2/0f/diff/etc/in-layer", "2");
    place.write("overlay2/0f/work/empty", "");
    place.write("upper/empty", "");
    place.write("merged/empty", "");
    std::fs::remove_file(place.join("overlay2/0f/work/empty")).expect("it was written");
    let folder = place.join("").canonicalize().expect("a path");
    let script = "cat 'one two' > /dev/null\n\
                  mount -t overlay overlay -o lowerdir=overlay2/0f/diff,upperdir=upper,workdir=overlay2/0f/work merged\n\
                  cat merged/etc/in-layer > /dev/null";
    for (flags, has_time) in [(&["-t"][..], true), (&["-t", "-t"], true), (&[], false)] {
        let mut fatrace = Command::new("fatrace")
            .args(["-f", "O", "-o", "fatrace.log", "--seconds", "60"])
            .args(flags)
            .current_dir(&folder)
            .spawn()
            .expect("fatrace is installed by `cargo xtask setup`");
        let log = |until: &str| {
            for _ in 0..500 {
                std::fs::read(folder.join("begin")).expect("a file");
                let log = std::fs::read(folder.join("fatrace.log")).unwrap_or_default();
                if String::from_utf8_lossy(&log).contains(until) {
                    return log;
                }
                std::thread::sleep(std::time::Duration::from_millis(20));
            }
            panic!("fatrace tells nothing of {until}: is this root, with fanotify?");
        };
        log("/begin\n");
        let status = Command::new("unshare")
            .args(["--mount", "sh", "-ec", script])
            .current_dir(&folder)
            .status()
            .expect("unshare");
        assert!(status.success());
        let log = log("/in-layer\n");
        fatrace.kill().expect("it runs");
        fatrace.wait().expect("it was killed");
        std::fs::remove_file(folder.join("fatrace.log")).expect("a log");

        let (trace, form) = Trace::read(&log).expect("a trace");
        assert_eq!(form, Form::Fatrace);
        let opened = |path: &[u8]| trace.files.iter().find(|file| file.path == path);
        let beside = folder.join("one two").into_os_string().into_encoded_bytes();
        for path in [&beside[..], b"/etc/in-layer"] {
            let file = opened(path).unwrap_or_else(|| panic!("{flags:?}: {}", String::from_utf8_lossy(&log)));
            assert_eq!(file.at.is_some(), has_time, "{flags:?}: {file:?}");
        }
    }
}
