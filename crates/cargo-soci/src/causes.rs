//! The causes that every user meets once: no such folder, no rights, a full disk, a registry that is not there.
//!
//! Systems and libraries word them in their own ways, some with numbers, some twice. Here each gets one sentence and
//! what to do about it.

use std::io;
use std::path::{Path, PathBuf};

use soci_registry::RegistryError;
use soci_registry::transport::{TransportError, TransportFault};

use crate::error::CommandError;

/// Turns what the system says of a file or folder into the error of a command. It is the only way to tell such an
/// error: each has its help, and none says the path twice.
pub trait AtPath<T> {
    /// A failure reads `cannot ACTION PATH: CAUSE`, exit code 3. Actions are "read", "write" (a file), "write into"
    /// (a folder), "make", "remove". A path of `-` is stdin or stdout.
    fn at(self, action: &str, path: impl AsRef<Path>) -> Result<T, CommandError>;
}

impl<T> AtPath<T> for io::Result<T> {
    fn at(self, action: &str, path: impl AsRef<Path>) -> Result<T, CommandError> {
        self.map_err(|error| of_file(action, path.as_ref(), &error))
    }
}

/// `cannot write into /var/tmp: the disk is full`, with what to do.
pub fn of_file(action: &str, path: &Path, error: &io::Error) -> CommandError {
    let writes = action != "read";
    let is_stream = path == Path::new("-");
    let place = match (is_stream, writes) {
        (true, false) => "stdin".to_owned(),
        (true, true) => "stdout".to_owned(),
        (false, _) => path.display().to_string(),
    };
    let shown = CommandError::failed(format!("cannot {action} {place}: {}", of_io(error, writes)));
    match help(action, path, error) {
        Some(help) if !is_stream => shown.help(help),
        _ => shown,
    }
}

/// The same for a place where an image was looked for: what was meant may be a registry's.
pub fn of_place(action: &str, path: &Path, error: &io::Error) -> CommandError {
    let shown = of_file(action, path, error);
    if action == "read" && error.kind() == io::ErrorKind::NotFound {
        return shown.help(
            "a path starts in the working folder; an image in a registry is docker://HOST/REPOSITORY:TAG",
        );
    }
    shown
}

/// The words for a system error; those of the system without its number where there are no better ones.
pub fn of_io(error: &io::Error, writes: bool) -> String {
    match error.kind() {
        io::ErrorKind::NotFound if writes => "there is no such folder".to_owned(),
        io::ErrorKind::NotFound => "there is no such file or folder".to_owned(),
        io::ErrorKind::PermissionDenied => "the permission is missing".to_owned(),
        io::ErrorKind::StorageFull => "the disk is full".to_owned(),
        io::ErrorKind::QuotaExceeded => "the quota of the disk is used up".to_owned(),
        io::ErrorKind::ReadOnlyFilesystem => "the file system is read-only".to_owned(),
        io::ErrorKind::NotADirectory => "a part of the path is not a folder".to_owned(),
        io::ErrorKind::IsADirectory => "it is a folder".to_owned(),
        _ => {
            let text = innermost(error);
            match text.rfind(" (os error ") {
                Some(at) => text[..at].to_owned(),
                None => text,
            }
        }
    }
}

fn help(action: &str, path: &Path, error: &io::Error) -> Option<String> {
    // What has to be there, or has to be writable, is the folder that a new file is to stand in.
    let folder = match path.parent() {
        _ if action == "write into" || path.exists() => path,
        Some(parent) if parent == Path::new("") => Path::new("."),
        Some(parent) => parent,
        None => path,
    };
    match error.kind() {
        io::ErrorKind::NotFound if action == "read" => {
            Some("check the spelling; a path starts in the working folder".to_owned())
        }
        io::ErrorKind::NotFound if action == "remove" => None,
        io::ErrorKind::NotFound => Some(format!("make it first: mkdir -p {}", folder.display())),
        io::ErrorKind::PermissionDenied | io::ErrorKind::ReadOnlyFilesystem => {
            Some(format!("look at its owner and mode: ls -ld {}", folder.display()))
        }
        io::ErrorKind::IsADirectory if action == "read" => {
            Some(format!("name the file in it: ls {}", path.display()))
        }
        io::ErrorKind::IsADirectory => Some("name a file that may be written, or another place".to_owned()),
        io::ErrorKind::NotADirectory => {
            Some("a file stands where a folder is meant: check each part of the path".to_owned())
        }
        io::ErrorKind::InvalidData if action == "read" => {
            Some("is it the right file? This one must hold text in UTF-8".to_owned())
        }
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded if holds_temporary_files(path) => {
            Some("temporary files go there: set TMPDIR to a folder with more room, or free some".to_owned())
        }
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => {
            Some("free some space there, or name another place; nothing was left behind".to_owned())
        }
        _ => None,
    }
}

/// Whether the path lies where this program keeps its temporary files.
fn holds_temporary_files(path: &Path) -> bool {
    let folders = [
        std::env::var_os("TMPDIR").map(PathBuf::from),
        Some(PathBuf::from("/var/tmp")),
        Some(std::env::temp_dir()),
    ];
    folders.into_iter().flatten().any(|folder| path == folder)
}

/// Wrappers add the path, which the message has already.
fn innermost(error: &io::Error) -> String {
    let Some(wrapped) = error.get_ref() else {
        return error.to_string();
    };
    let mut inner: &dyn std::error::Error = wrapped;
    while let Some(next) = inner.source() {
        inner = next;
    }
    inner.to_string()
}

/// A registry's error: what happened, at which host, and what to do.
pub fn of_registry(error: &RegistryError) -> CommandError {
    let (message, help) = match error {
        RegistryError::Transport {
            host,
            what,
            source,
            attempts,
        } => {
            let (mut message, help) = transport(host, what, source);
            if *attempts > 1 {
                message.push_str(&format!(" ({attempts} attempts)"));
            }
            (message, help)
        }
        other => (other.to_string(), other.help()),
    };
    let shown = CommandError::failed(message);
    match help {
        Some(help) => shown.help(help),
        None => shown,
    }
}

fn transport(host: &str, what: &str, error: &TransportError) -> (String, Option<String>) {
    let text = match error.message.rfind(" (os error ") {
        Some(at) => &error.message[..at],
        None => &error.message,
    };
    let is_unknown_name = [
        "lookup address",
        "No such host",
        "not known",
        "host not found",
        "resolve",
    ]
    .iter()
    .any(|words| text.contains(words));
    if is_unknown_name {
        return (
            format!("cannot reach {host}: no such host is known (DNS)"),
            Some(format!(
                "check the spelling and the network (behind a proxy: HTTPS_PROXY); a folder or file is ./{host}/…, oci:PATH or \
                 oci-archive:FILE"
            )),
        );
    }
    match error.fault {
        TransportFault::Connect => (
            format!("cannot connect to {host}: {}", lower(text)),
            Some("check the host and port, the network, a firewall, and HTTPS_PROXY / NO_PROXY".to_owned()),
        ),
        TransportFault::Tls => (
            format!("cannot speak TLS with {host}: {text}"),
            Some(
                "a certificate of an authority of your own: --ca-file FILE or SSL_CERT_FILE; a registry without TLS: \
                 --plain-http HOST"
                    .to_owned(),
            ),
        ),
        TransportFault::Timeout => (
            format!("cannot {what} at {host}: {text}"),
            Some("the network or the registry is slow or stuck: run the command again".to_owned()),
        ),
        TransportFault::Cut => (
            format!("cannot {what} at {host}: {text}"),
            Some("the connection breaks: run the command again; what has arrived is not sent again".to_owned()),
        ),
        TransportFault::Protocol => (
            format!("cannot {what} at {host}: {text}"),
            Some("is it a registry? Its address answers with something else than HTTP".to_owned()),
        ),
        TransportFault::Interrupted => (format!("cannot {what} at {host}: {text}"), None),
    }
}

fn lower(text: &str) -> String {
    let mut letters = text.chars();
    match letters.next() {
        Some(first) => first.to_lowercase().chain(letters).collect(),
        None => String::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn both(error: &CommandError) -> String {
        format!(
            "{}\n  help: {}",
            error.message(),
            error.help_text().unwrap_or_default()
        )
    }

    #[test]
    fn files_and_folders() {
        let mut said = Vec::new();
        for (action, kind) in [
            ("read", io::ErrorKind::NotFound),
            ("write into", io::ErrorKind::NotFound),
            ("write", io::ErrorKind::PermissionDenied),
            ("write", io::ErrorKind::StorageFull),
            ("create", io::ErrorKind::ReadOnlyFilesystem),
            ("read", io::ErrorKind::IsADirectory),
            ("read", io::ErrorKind::InvalidData),
            ("write", io::ErrorKind::NotFound),
            ("make", io::ErrorKind::NotADirectory),
        ] {
            said.push(both(&of_file(action, Path::new("/srv/x"), &kind.into())));
        }
        let missing = io::Error::from(io::ErrorKind::NotFound);
        said.push(both(&of_place("read", Path::new("app"), &missing)));
        let full = io::Error::from(io::ErrorKind::StorageFull);
        said.push(both(&of_file("write into", Path::new("/var/tmp"), &full)));
        said.push(both(&of_file("write to", Path::new("-"), &full)));
        insta::assert_snapshot!(said.join("\n"));
    }

    #[test]
    fn numbers_and_paths_of_libraries_are_left_out() {
        let error = tempfile::tempdir_in("/nonexistent").expect_err("no such folder");
        assert_eq!(of_io(&error, true), "there is no such folder");
        assert_eq!(
            of_io(&io::Error::from_raw_os_error(4), false),
            "Interrupted system call"
        );
    }

    #[test]
    fn registries_that_cannot_be_reached() {
        use TransportFault::{Connect, Cut, Protocol, Timeout, Tls};
        let mut said = Vec::new();
        for (fault, message) in [
            (
                Connect,
                "failed to lookup address information: Name or service not known",
            ),
            (Connect, "Connection refused (os error 111)"),
            (Tls, "invalid peer certificate: UnknownIssuer"),
            (Timeout, "nothing arrived for 60 s"),
            (Cut, "Connection reset by peer (os error 104)"),
            (Protocol, "the answer is no HTTP"),
        ] {
            let error = RegistryError::Transport {
                host: "registry.example".into(),
                what: "read the manifest app:1".into(),
                attempts: 6,
                source: TransportError::new(fault, message),
            };
            said.push(both(&of_registry(&error)));
        }
        insta::assert_snapshot!(said.join("\n"));
    }
}
