//! The boundary run natively: one JSON object a line in, one a line out. Tests compare it with the module.
//!
//! ```text
//! {"path": "task-definition.json", "options": {}}
//! {"report": "…", "human": "…", "github": "…"}
//! ```

use std::io::{BufRead, Write};

use serde_json::{Value, json};
use soci_wasm::Documents;

const FORMS: [&str; 4] = ["human", "short", "github", "markdown"];

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut stdout = std::io::stdout().lock();
    for line in std::io::stdin().lock().lines() {
        let call: Value = serde_json::from_str(&line?)?;
        let path = call["path"].as_str().ok_or("a call without a path")?;
        let mut documents = Documents::new();
        let bytes = std::fs::read(path).map_err(|error| format!("{path}: {error}"))?;
        documents.add(path.to_owned(), bytes, false);
        let answer = match documents.lint(&call["options"].to_string()) {
            Ok(report) => {
                let mut answer = json!({ "report": report });
                for form in FORMS {
                    answer[form] = documents.render(form)?.into();
                }
                answer
            }
            Err(error) => json!({ "error": error.to_string() }),
        };
        writeln!(stdout, "{answer}")?;
    }
    Ok(())
}
