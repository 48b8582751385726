//! `bootstrap`: what Lambda starts. It asks the Runtime API for one call after the other
//! (<https://docs.aws.amazon.com/lambda/latest/dg/runtimes-api.html>, 2026-11-29).

use std::process::ExitCode;
use std::sync::Arc;

use lambda_runtime::{Diagnostic, LambdaEvent, service_fn};
use serde_json::{Value, json};
use soci_lambda::function::{Function, Invocation};
use soci_lambda::settings::Settings;
use tokio::task::spawn_blocking;

fn main() -> ExitCode {
    match start() {
        Ok(()) => ExitCode::SUCCESS,
        Err(reason) => {
            println!(
                "{}",
                json!({"level": "ERROR", "outcome": "not-started", "reason": reason})
            );
            ExitCode::FAILURE
        }
    }
}

fn start() -> Result<(), String> {
    // Variables that are no text are none of ours.
    let variables = std::env::vars_os()
        .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)));
    let settings = Settings::read(variables).map_err(|wrong| {
        let lines: Vec<String> = wrong.iter().map(ToString::to_string).collect();
        lines.join("; ")
    })?;
    let function = Arc::new(Function::new(settings)?);
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|error| format!("cannot start: {error}"))?;
    let serve = service_fn(move |event: LambdaEvent<Value>| {
        let function = Arc::clone(&function);
        async move {
            let invocation = Invocation {
                request: event.context.request_id.clone(),
                function: event.context.env_config.function_name.clone(),
                deadline: event.context.deadline,
            };
            // Our own I/O blocks.
            let work = spawn_blocking(move || function.answer(&event.payload, &invocation));
            match work.await {
                Ok(Ok(answer)) => Ok(answer),
                Ok(Err(reason)) => Err(failed(reason)),
                Err(_) => Err(failed(
                    "a thread panicked: what it was to do was not done".to_owned(),
                )),
            }
        }
    });
    runtime
        .block_on(lambda_runtime::run(serve))
        .map_err(|error| error.to_string())
}

fn failed(reason: String) -> Diagnostic {
    Diagnostic {
        error_type: "Soci.Failed".to_owned(),
        error_message: reason,
    }
}
