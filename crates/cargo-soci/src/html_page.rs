//! What every page for a browser that a command writes has in common: one file, nothing loaded.

use crate::escape::terminal;

/// The page up to the begin of its body. Its policy lets its own style apply, and its own script run if it has one, and
/// nothing else. `title` is HTML.
pub fn begin(title: &str, style: &str, has_script: bool) -> String {
    let script = match has_script {
        true => "; script-src 'unsafe-inline'",
        false => "",
    };
    format!(
        "<!doctype html>\n<html lang=\"en\">\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'{script}\">\n\
         <title>{title}</title>\n<style>\n{style}</style>\n<body>\n"
    )
}

/// Text from outside as HTML. A log shows the page's source: there it must be harmless as well.
pub fn text(text: &str) -> String {
    soci_lint::escape::html(&terminal(text))
}
