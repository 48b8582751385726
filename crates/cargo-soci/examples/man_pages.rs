//! Writes a manual page for every command into a folder: `man_pages FOLDER`.

use std::path::Path;

use cargo_soci::cli;
use cargo_soci::invocation::Caller;

fn main() -> std::io::Result<()> {
    let folder = std::env::args().nth(1).expect("the folder that the pages go to");
    std::fs::create_dir_all(&folder)?;
    clap_mangen::generate_to(cli::command(Caller::Direct), Path::new(&folder))
}
