//! The two sides of a trace: the outer one makes a world of its own and waits; the inner one works in it.

use std::process::ExitStatus;
use std::sync::Arc;
use std::time::Instant;

use serde::Serialize;
use serde_json::json;
use soci_mount::{
    Mount, Network, Program, Pulled, PulledLayer, Ready, Recorded, Run, Started, Wishes, World, again, enter,
    find_runtime, read_inside, to_stderr, unpack,
};
use soci_start::{Opened as OpenedFile, Trace};
use soci_store::workspace::Workspace;

use super::{Args, NetworkFlag, ReadyFlags, human};
use crate::commands::CommandResult;
use crate::context::{Context, Format};
use crate::error::CommandError;
use crate::exit::Exit;
use crate::machine::report::{self, Fetched, FileReport, LayerReport, round};
use crate::machine::{Opened, cannot};
use crate::output::OutputFile;
use crate::places;

/// What `--format json` prints.
#[derive(Serialize)]
pub(super) struct Report {
    /// `lazy` or `whole`.
    pub(super) way: &'static str,
    /// None where the image came as fast as it could.
    pub(super) link: Option<String>,
    pub(super) command: Vec<String>,
    /// Until ready, from the begin of the pull.
    pub(super) seconds: f64,
    /// Of these, until the container could be created.
    pub(super) pull_seconds: f64,
    /// Of these, from the call of the runtime on.
    pub(super) container_seconds: f64,
    pub(super) fetched: Fetched,
    pub(super) layers: Vec<LayerReport>,
    /// Opened until ready, in the order of their first opening; empty where all was unpacked before.
    pub(super) files: Vec<FileReport>,
    /// What could not be read.
    pub(super) faults: Vec<String>,
    /// The trace file.
    pub(super) trace: Option<String>,
}

pub(super) fn machine(args: Args, format: Format, context: &Context) -> CommandResult {
    let ready = ready(&args.ready, args.network)?;
    match enter().map_err(|error| cannot(&error))? {
        // A mount that is given up answers every read with an I/O error: whatever fails then, fails of that.
        Some(world) => {
            inside(args, &ready, &world, format, context).map_err(|error| match context.cancel.is_set() {
                true => CommandError::interrupted(),
                false => error,
            })
        }
        None => outside(context),
    }
}

fn ready(flags: &ReadyFlags, network: NetworkFlag) -> Result<Ready, CommandError> {
    let is_remote = flags.ready_port.is_some() || flags.ready_http.is_some();
    if is_remote && network == NetworkFlag::None {
        return Err(
            CommandError::usage("nobody reaches a container without a network")
                .help("take --network none away, or wait for --ready-log or --ready-exit"),
        );
    }
    Ok(match flags {
        ReadyFlags {
            ready_port: Some(port),
            ..
        } => Ready::Port(*port),
        ReadyFlags {
            ready_http: Some(address),
            ..
        } => Ready::Http(address.parse().map_err(CommandError::usage)?),
        ReadyFlags {
            ready_log: Some(pattern),
            ..
        } => Ready::Log(regex::bytes::Regex::new(pattern).map_err(|error| {
            CommandError::usage(format!(
                "--ready-log {pattern:?} is no regular expression: {error}"
            ))
        })?),
        ReadyFlags { ready_exit: true, .. } => Ready::Exit,
        ReadyFlags { r#for: time, .. } => Ready::After(time.unwrap_or(std::time::Duration::from_secs(30))),
    })
}

/// Starts the inner side and ends as it does.
fn outside(context: &Context) -> CommandResult {
    let workspace = Workspace::private_in(&std::env::temp_dir()).map_err(|error| places::failed(&error))?;
    let words: Vec<_> = std::env::args_os().collect();
    let status =
        again(workspace.path(), &words, || context.cancel.is_set()).map_err(|error| cannot(&error))?;
    drop(workspace);
    ended(status)
}

fn ended(status: ExitStatus) -> CommandResult {
    let code = status.code().and_then(|code| u8::try_from(code).ok());
    let exit = Exit::ALL.iter().find(|(exit, _)| Some(exit.code()) == code);
    exit.map(|(exit, _)| *exit).ok_or_else(|| {
        CommandError::failed(format!("the process that ran the container was ended: {status}"))
            .help("nothing of it is left; was there enough memory?")
    })
}

/// Where the files of the container come from.
enum Lower {
    Lazy(Mount),
    Whole,
}

fn inside(args: Args, ready: &Ready, world: &World, format: Format, context: &Context) -> CommandResult {
    let runtime = find_runtime(args.runtime.as_deref()).map_err(|error| cannot(&error))?;
    if !args.whole {
        Mount::check().map_err(|error| cannot(&error))?;
    }
    let link = args.link.map(|link| link.to_string());
    let opened = Opened::new(&args.source, args.which, args.link, context)?;
    let begin = opened.begin;
    let index = match args.whole {
        true => None,
        false => Some(opened.index()?),
    };
    let pulled = opened.pull(index.as_ref(), context)?;
    let layers = pulled.layers().to_vec();
    warn(&layers, context);
    let (folder, lower) = match args.whole {
        true => (whole(&pulled, world, context)?, Lower::Whole),
        false => {
            let folder = world.folder("lower").map_err(|error| cannot(&error))?;
            let mount = Mount::new(pulled, index.as_ref(), Arc::clone(&opened.wire), &folder, begin);
            (folder, Lower::Lazy(mount.map_err(|error| cannot(&error))?))
        }
    };
    let pull_seconds = begin.elapsed().as_secs_f64();
    let wishes = Wishes {
        command: args.command,
        entrypoint: args.entrypoint,
        environment: args.env,
        user: args.user,
        folder: args.workdir,
    };
    let program = Program::new(&opened.config()?, &wishes, |path| read_inside(&folder, path))
        .map_err(|error| cannot(&error))?;
    context.detail(&format!(
        "pulled after {pull_seconds:.2} s; runs {:?}",
        program.words
    ));
    let run = Run {
        world,
        lower: &folder,
        program: &program,
        runtime: &runtime,
        network: match args.network {
            NetworkFlag::Host => Network::Host,
            NetworkFlag::None => Network::None,
        },
        ready,
        timeout: args.timeout,
        stop: &|| context.cancel.is_set(),
        output: Arc::new(to_stderr),
    };
    let outcome = run.until_ready(|| {
        if let Lower::Lazy(mount) = &lower {
            mount.close_record();
        }
    });
    let recorded = match lower {
        Lower::Lazy(mount) => mount.recorded(),
        Lower::Whole => Recorded::default(),
    };
    let started = outcome.map_err(|error| beside_faults(cannot(&error), &recorded))?;
    let mut report = Report {
        way: if args.whole { "whole" } else { "lazy" },
        link,
        command: program.words,
        seconds: round(since(begin, started.ready)),
        pull_seconds: round(pull_seconds),
        container_seconds: round(since(started.called, started.ready)),
        fetched: Fetched::of(&layers, &recorded),
        layers: report::layers(&layers, &recorded),
        files: report::files(&recorded),
        faults: recorded.faults.iter().map(ToString::to_string).collect(),
        trace: None,
    };
    if !report.faults.is_empty() {
        let failed = CommandError::failed("the start is not what it would be: something could not be read");
        return Err(beside_faults(failed, &recorded));
    }
    let to_stdout = args.output == std::path::Path::new("-");
    if !args.whole {
        write(&args.output, &lines(&layers, &recorded, begin, &started, context))?;
        report.trace = Some(args.output.display().to_string());
    }
    match format {
        _ if to_stdout && !args.whole => context.note(&human::report(&report)),
        Format::Json => context.report_json(&report)?,
        _ => context.report(&human::report(&report))?,
    }
    Ok(Exit::Done)
}

fn warn(layers: &[PulledLayer], context: &Context) {
    for layer in layers {
        if let Some(why) = &layer.refused {
            context.warn(&format!("layer {} is not lazy: {why}", layer.digest));
        }
    }
}

/// All layers unpacked on the disk.
fn whole(pulled: &Pulled, world: &World, context: &Context) -> Result<std::path::PathBuf, CommandError> {
    let folder = world.disk("unpacked").map_err(|error| cannot(&error))?;
    unpack(pulled, &folder, &|| context.cancel.is_set()).map_err(|error| cannot(&error))?;
    Ok(folder)
}

fn since(begin: Instant, end: Instant) -> f64 {
    end.saturating_duration_since(begin).as_secs_f64()
}

/// What could not be read explains most other errors.
fn beside_faults(error: CommandError, recorded: &Recorded) -> CommandError {
    if recorded.faults.is_empty() || error.exit() == Exit::Interrupted {
        return error;
    }
    let faults: Vec<_> = recorded.faults.iter().map(ToString::to_string).collect();
    CommandError::failed(format!(
        "{}\ncould not be read: {}",
        error.message(),
        faults.join("\ncould not be read: ")
    ))
    .help("`cargo soci verify` says what is wrong with an image and its index")
}

/// The trace in the form that `estimate` reads, with the fetches for whoever wants them.
fn lines(
    layers: &[PulledLayer],
    recorded: &Recorded,
    begin: Instant,
    started: &Started,
    context: &Context,
) -> String {
    let unnamed = recorded
        .files
        .iter()
        .filter(|file| std::str::from_utf8(&file.path).is_err())
        .count();
    if unnamed > 0 {
        context.warn(&format!(
            "{unnamed} opened files have names that are not UTF-8: the trace leaves them out"
        ));
    }
    let opened = recorded
        .files
        .iter()
        .map(|file| OpenedFile::new(file.path.clone(), Some(exact(file.at)), Some(file.ranges.clone())));
    let mut text = Trace::new(opened, Some(exact(since(begin, started.ready)))).to_lines();
    let digests: Vec<_> = layers.iter().map(|layer| &layer.digest).collect();
    let mut add = |line: serde_json::Value| {
        text.push_str(&line.to_string());
        text.push('\n');
    };
    add(json!({"op": "image", "layers": digests}));
    add(json!({"op": "called", "t": exact(since(begin, started.called))}));
    for fetch in &recorded.fetches {
        add(json!({
            "op": "fetch", "t": exact(fetch.at), "seconds": exact(fetch.seconds), "layer": fetch.layer,
            "span": fetch.span, "bytes": fetch.compressed
        }));
    }
    text
}

/// Microseconds.
fn exact(seconds: f64) -> f64 {
    (seconds * 1e6).round() / 1e6
}

fn write(path: &std::path::Path, text: &str) -> Result<(), CommandError> {
    let mut output = OutputFile::create(path)?;
    output.write(text.as_bytes())?;
    output.commit()
}
