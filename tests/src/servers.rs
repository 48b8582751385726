//! Real servers for tests, each on a free port of 127.0.0.1 and gone with its value.
//!
//! The programs come from Debian; `cargo xtask test` installs them. A program that is missing is a
//! failed test, not a skipped one.

use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

/// User and bcrypt hash of `test-password`, for [`DockerRegistry`].
pub const TEST_USER: (&str, &str) = (
    "tester",
    "$2a$04$jiwxoOHmptXnOxHJPJ0g8uk7f.W6veRTOvgHbniX/3.ECSgvU5f6u",
);

/// User and bcrypt hash of the password that moto gives out for the account 123456789012.
pub const MOTO_USER: (&str, &str) = (
    "AWS",
    "$2a$04$I3tNNMX60f2ROQ4A71wFkOEysRb9QAecnExpcES3BIbyZB1bgNFH.",
);

/// A program that is killed with the value.
pub struct Server {
    process: Child,
    address: SocketAddr,
    /// Lives as long as the program.
    _folder: Option<tempfile::TempDir>,
}

impl Server {
    /// Host and port.
    pub fn host(&self) -> String {
        self.address.to_string()
    }

    /// The address.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Debian's `docker-registry` with an empty store.
    pub fn docker_registry(user: Option<(&str, &str)>, tls: Option<&Certificate>) -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let path = folder.path().display().to_string();
        let address = free_address();
        let mut config = format!(
            "version: 0.1\nlog: {{level: error}}\nstorage:\n  filesystem: {{rootdirectory: {path}/data}}\n  \
             delete: {{enabled: true}}\nhttp:\n  addr: {address}\n"
        );
        if let Some(certificate) = tls {
            let (chain, key) = (certificate.chain.display(), certificate.key.display());
            config.push_str(&format!("  tls: {{certificate: {chain}, key: {key}}}\n"));
        }
        if let Some((name, hash)) = user {
            fs::write(folder.path().join("users"), format!("{name}:{hash}\n"))
                .expect("the folder is writable");
            config.push_str(&format!(
                "auth:\n  htpasswd: {{realm: test, path: {path}/users}}\n"
            ));
        }
        fs::write(folder.path().join("config.yml"), config).expect("the folder is writable");
        let arguments = ["serve".to_owned(), format!("{path}/config.yml")];
        Self::start("docker-registry", &arguments, address, Some(folder))
    }

    /// Debian's `tinyproxy`.
    pub fn tinyproxy() -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let path = folder.path().display().to_string();
        let address = free_address();
        let config = format!(
            "Port {}\nListen 127.0.0.1\nAllow 127.0.0.1\nLogFile \"{path}/log\"\nPidFile \"{path}/pid\"\n\
             MaxClients 50\nTimeout 60\n",
            address.port()
        );
        let file = folder.path().join("tinyproxy.conf");
        fs::write(&file, config).expect("the folder is writable");
        let arguments = ["-d".to_owned(), "-c".to_owned(), file.display().to_string()];
        Self::start("tinyproxy", &arguments, address, Some(folder))
    }

    /// What `tinyproxy` wrote about its connections.
    pub fn log(&self) -> String {
        let folder = self._folder.as_ref().expect("the server has a folder");
        fs::read_to_string(folder.path().join("log")).unwrap_or_default()
    }

    /// moto's stand-in for AWS' API.
    pub fn moto() -> Self {
        let address = free_address();
        let arguments = [
            "-H".to_owned(),
            "127.0.0.1".to_owned(),
            "-p".to_owned(),
            address.port().to_string(),
        ];
        let program = python_environment().join("bin/moto_server");
        Self::start(&program.display().to_string(), &arguments, address, None)
    }

    /// One call to moto, by a service's name and an action with its prefix.
    pub fn ask(&self, service: &str, target: &str, body: &serde_json::Value) -> serde_json::Value {
        let body = body.to_string();
        let mut stream = TcpStream::connect(self.address).expect("moto listens");
        write!(
            stream,
            "POST / HTTP/1.1\r\nHost: {}\r\nConnection: close\r\nX-Amz-Target: {target}\r\nContent-Type: \
             application/x-amz-json-1.0\r\nContent-Length: {}\r\nAuthorization: AWS4-HMAC-SHA256 Credential=\
             AKIDEXAMPLE/20261129/eu-west-1/{service}/aws4_request, SignedHeaders=host, Signature=0\r\n\r\n{body}",
            self.address,
            body.len()
        )
        .expect("moto reads");
        let mut answer = String::new();
        stream.read_to_string(&mut answer).expect("moto answers in UTF-8");
        let (head, body) = answer.split_once("\r\n\r\n").expect("a header");
        assert!(head.contains(" 200 "), "{target}: {answer}");
        serde_json::from_str(body).unwrap_or_default()
    }

    fn start(
        program: &str,
        arguments: &[String],
        address: SocketAddr,
        folder: Option<tempfile::TempDir>,
    ) -> Self {
        let process = Command::new(program)
            .args(arguments)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap_or_else(|error| {
                panic!("{program} cannot be started ({error}): `cargo xtask test` installs it")
            });
        let server = Self {
            process,
            address,
            _folder: folder,
        };
        let begun = Instant::now();
        while TcpStream::connect(address).is_err() {
            assert!(
                begun.elapsed() < Duration::from_secs(60),
                "{program} does not listen on {address}"
            );
            thread::sleep(Duration::from_millis(20));
        }
        server
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// A certificate authority made with openssl.
pub struct Authority {
    folder: tempfile::TempDir,
}

/// A certificate for a server.
pub struct Certificate {
    chain: PathBuf,
    key: PathBuf,
}

impl Authority {
    /// A new authority that nobody trusts.
    pub fn new() -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        openssl(
            folder.path(),
            &[
                "req",
                "-x509",
                "-newkey",
                "ec",
                "-pkeyopt",
                "ec_paramgen_curve:P-256",
                "-nodes",
                "-days",
                "2",
                "-subj",
                "/CN=Test Authority",
                "-keyout",
                "ca.key",
                "-out",
                "ca.pem",
            ],
        );
        Self { folder }
    }

    /// The file of its certificate.
    pub fn file(&self) -> PathBuf {
        self.folder.path().join("ca.pem")
    }

    /// A certificate for names as in `DNS:registry.example` and `IP:127.0.0.1`.
    pub fn issue(&self, names: &str) -> Certificate {
        let folder = self.folder.path();
        let extension =
            format!("subjectAltName={names}\nbasicConstraints=CA:FALSE\nextendedKeyUsage=serverAuth\n");
        fs::write(folder.join("extensions"), extension).expect("the folder is writable");
        openssl(
            folder,
            &[
                "req",
                "-newkey",
                "ec",
                "-pkeyopt",
                "ec_paramgen_curve:P-256",
                "-nodes",
                "-subj",
                "/CN=server",
                "-keyout",
                "server.key",
                "-out",
                "server.csr",
            ],
        );
        openssl(
            folder,
            &[
                "x509",
                "-req",
                "-in",
                "server.csr",
                "-CA",
                "ca.pem",
                "-CAkey",
                "ca.key",
                "-CAcreateserial",
                "-days",
                "2",
                "-extfile",
                "extensions",
                "-out",
                "server.pem",
            ],
        );
        Certificate {
            chain: folder.join("server.pem"),
            key: folder.join("server.key"),
        }
    }
}

impl Default for Authority {
    fn default() -> Self {
        Self::new()
    }
}

fn openssl(folder: &Path, arguments: &[&str]) {
    let output = Command::new("openssl")
        .args(arguments)
        .current_dir(folder)
        .output()
        .unwrap_or_else(|error| {
            panic!("openssl cannot be started ({error}): `cargo xtask test` installs it")
        });
    assert!(
        output.status.success(),
        "openssl: {}",
        String::from_utf8_lossy(&output.stderr)
    );
}

/// Debian's docker-registry under the name of a registry of Amazon ECR, over TLS and behind a tunnel; it takes the login
/// that moto gives.
pub struct EcrRegistry {
    /// Who signed its certificate.
    pub authority: Authority,
    /// The way to it.
    pub proxy: ConnectProxy,
    _server: Server,
}

impl EcrRegistry {
    /// Its name.
    pub const HOST: &str = "123456789012.dkr.ecr.eu-west-1.amazonaws.com";

    /// Starts it; it ends with the value.
    pub fn start() -> Self {
        let authority = Authority::new();
        let certificate = authority.issue(&format!("DNS:{}", Self::HOST));
        let server = Server::docker_registry(Some(MOTO_USER), Some(&certificate));
        Self {
            proxy: ConnectProxy::start(server.address()),
            authority,
            _server: server,
        }
    }
}

/// A proxy that takes every host for one server: real host names in tests without a network.
pub struct ConnectProxy {
    address: SocketAddr,
    hosts: Arc<Mutex<Vec<String>>>,
}

impl ConnectProxy {
    /// Starts it; it ends with the process.
    pub fn start(target: SocketAddr) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("loopback is there");
        let address = listener.local_addr().expect("a bound socket has an address");
        let hosts = Arc::new(Mutex::new(Vec::new()));
        let seen = Arc::clone(&hosts);
        thread::spawn(move || {
            for client in listener.incoming().flatten() {
                let seen = Arc::clone(&seen);
                thread::spawn(move || tunnel(client, target, &seen));
            }
        });
        Self { address, hosts }
    }

    /// `http://127.0.0.1:PORT`
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Host and port of each tunnel that was asked for.
    pub fn hosts(&self) -> Vec<String> {
        self.hosts.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

fn tunnel(client: TcpStream, target: SocketAddr, seen: &Mutex<Vec<String>>) {
    let Ok(mut output) = client.try_clone() else {
        return;
    };
    let mut reader = BufReader::new(client);
    let mut first = String::new();
    if reader.read_line(&mut first).is_err() {
        return;
    }
    let host = first.split(' ').nth(1).unwrap_or_default().to_owned();
    loop {
        let mut line = String::new();
        match reader.read_line(&mut line) {
            Ok(2..) if line != "\r\n" => {}
            Ok(_) => break,
            Err(_) => return,
        }
    }
    seen.lock().unwrap_or_else(PoisonError::into_inner).push(host);
    let Ok(mut server) = TcpStream::connect(target) else {
        return;
    };
    if output
        .write_all(b"HTTP/1.1 200 Connection established\r\n\r\n")
        .is_err()
    {
        return;
    }
    let Ok(mut back) = server.try_clone() else { return };
    thread::spawn(move || {
        let _ = std::io::copy(&mut back, &mut output);
        let _ = output.shutdown(std::net::Shutdown::Write);
    });
    let mut buffer = [0; 16 * 1024];
    while let Ok(count @ 1..) = reader.read(&mut buffer) {
        if server.write_all(&buffer[..count]).is_err() {
            return;
        }
    }
    let _ = server.shutdown(std::net::Shutdown::Write);
}

/// A Python environment with `tests/python/requirements.txt`, made once per build folder.
pub fn python_environment() -> PathBuf {
    static ONCE: Mutex<()> = Mutex::new(());
    let _guard = ONCE.lock().unwrap_or_else(PoisonError::into_inner);
    let requirements = crate::repository().join("tests/python/requirements.txt");
    let wanted = fs::read(&requirements).expect("the file is part of the repository");
    let folder = crate::target_folder().join("python-environment");
    let mark = folder.join("installed.txt");
    if fs::read(&mark).is_ok_and(|have| have == wanted) {
        return folder;
    }
    let run = |program: &Path, arguments: &[&str]| {
        let output = Command::new(program)
            .args(arguments)
            .output()
            .unwrap_or_else(|error| panic!("{} cannot be started: {error}", program.display()));
        let errors = String::from_utf8_lossy(&output.stderr);
        assert!(
            output.status.success(),
            "{} {arguments:?}: {errors}",
            program.display()
        );
    };
    let path = folder.display().to_string();
    run(Path::new("python3"), &["-m", "venv", "--clear", &path]);
    let file = requirements.display().to_string();
    run(
        &folder.join("bin/pip"),
        &["install", "--quiet", "--disable-pip-version-check", "-r", &file],
    );
    fs::write(&mark, wanted).expect("the build folder is writable");
    folder
}

fn free_address() -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").expect("loopback is there");
    listener.local_addr().expect("a bound socket has an address")
}

/// A containerd of our own.
pub struct Containerd {
    process: Child,
    folder: tempfile::TempDir,
}

impl Containerd {
    /// Starts it in a temporary folder, without the plugins that need a system around them.
    pub fn start() -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let path = folder.path().display().to_string();
        let disabled = [
            "grpc.v1.cri",
            "snapshotter.v1.btrfs",
            "snapshotter.v1.zfs",
            "snapshotter.v1.devmapper",
            "snapshotter.v1.aufs",
            "internal.v1.opt",
        ]
        .map(|plugin| format!("\"io.containerd.{plugin}\""))
        .join(", ");
        let config = format!(
            "version = 2\nroot = \"{path}/root\"\nstate = \"{path}/state\"\ndisabled_plugins = [{disabled}]\n\
             [grpc]\naddress = \"{path}/socket\"\n[ttrpc]\naddress = \"{path}/socket.ttrpc\"\n"
        );
        fs::write(folder.path().join("config.toml"), config).expect("the folder is writable");
        let log = folder.path().join("log");
        let process = Command::new("containerd")
            .args(["--config", &format!("{path}/config.toml")])
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(fs::File::create(&log).expect("the folder is writable"))
            .spawn()
            .unwrap_or_else(|error| {
                panic!("containerd cannot be started ({error}): `cargo xtask test` installs it")
            });
        let containerd = Self { process, folder };
        let begun = Instant::now();
        while !containerd
            .command(&["version"])
            .output()
            .is_ok_and(|output| output.status.success())
        {
            assert!(
                begun.elapsed() < Duration::from_secs(60),
                "containerd does not answer: {}",
                fs::read_to_string(&log).unwrap_or_default()
            );
            thread::sleep(Duration::from_millis(50));
        }
        containerd
    }

    /// Runs `ctr` and gives what it prints.
    pub fn ctr(&self, words: &[&str]) -> String {
        String::from_utf8_lossy(&self.ctr_bytes(words)).into_owned()
    }

    /// The same where it prints a blob.
    pub fn ctr_bytes(&self, words: &[&str]) -> Vec<u8> {
        let output = self.command(words).output().expect("it answered before");
        let errors = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "ctr {words:?}: {errors}");
        output.stdout
    }

    /// The same where it may refuse: what it says then.
    pub fn try_ctr(&self, words: &[&str]) -> Result<String, String> {
        let output = self.command(words).output().expect("it answered before");
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        if output.status.success() {
            Ok(text(&output.stdout))
        } else {
            Err(text(&output.stderr))
        }
    }

    fn command(&self, words: &[&str]) -> Command {
        let mut command = Command::new("ctr");
        command
            .args(["--address", &format!("{}/socket", self.folder.path().display())])
            .args(words);
        command
    }
}

impl Drop for Containerd {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}
