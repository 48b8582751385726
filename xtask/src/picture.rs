//! `docs/images/how-it-works-*.svg`: the one picture of the README, light and dark, from one description.

use std::fmt::Write as _;
use std::fs;
use std::path::PathBuf;

use crate::run::{Outcome, root};

/// Colours of one of the two.
struct Palette {
    name: &'static str,
    ink: &'static str,
    faint: &'static str,
    lazy: &'static str,
    loaded: &'static str,
}

const PALETTES: [Palette; 2] = [
    Palette {
        name: "light",
        ink: "#1f2328",
        faint: "#8b949e",
        lazy: "#ddf4ff",
        loaded: "#2da44e",
    },
    Palette {
        name: "dark",
        ink: "#e6edf3",
        faint: "#7d8590",
        lazy: "#0c2d4d",
        loaded: "#3fb950",
    },
];

/// Writes both.
pub(crate) fn run(arguments: &[String]) -> Outcome {
    if !arguments.is_empty() {
        return Err(format!("picture takes no arguments, not {arguments:?}"));
    }
    for palette in &PALETTES {
        let path = path(palette);
        fs::write(&path, draw(palette))
            .map_err(|error| format!("cannot write {}: {error}", path.display()))?;
    }
    Ok(())
}

fn path(palette: &Palette) -> PathBuf {
    root().join(format!("docs/images/how-it-works-{}.svg", palette.name))
}

/// Three steps from left to right, and below them what each start waits for.
fn draw(palette: &Palette) -> String {
    let mut svg = Svg {
        palette,
        body: String::new(),
    };
    svg.text(20, 28, 15, true, "build");
    svg.layers(20, 44, &[false; 4], &[]);
    svg.text(20, 176, 12, false, "an image of layers,");
    svg.text(20, 192, 12, false, "as any builder makes it");
    svg.arrow(150, 96, 238, "cargo soci convert");

    svg.text(258, 28, 15, true, "index");
    svg.layers(258, 44, &[true, true, true, false], &[]);
    svg.text(258, 176, 12, false, "the same layers, and for each");
    svg.text(258, 192, 12, false, "large one where its files are");
    svg.arrow(390, 96, 478, "deploy");

    svg.text(498, 28, 15, true, "lazy start");
    svg.layers(
        498,
        44,
        &[true, true, true, false],
        &[(0, 20, 14), (1, 60, 10), (2, 8, 22), (3, 0, 110)],
    );
    svg.text(498, 176, 12, false, "the container runs; pieces come");
    svg.text(498, 192, 12, false, "when a file in them is read");

    svg.text(20, 236, 13, true, "whole image first");
    svg.bar(170, 224, 330, "the pull", palette.faint);
    svg.bar(506, 224, 90, "starts", palette.loaded);
    svg.text(20, 268, 13, true, "with the index");
    svg.bar(170, 256, 40, "", palette.faint);
    svg.bar(216, 256, 90, "starts", palette.loaded);
    svg.text(
        316,
        268,
        12,
        false,
        "not to scale: it depends on how much is read at the start",
    );
    format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 720 290\" width=\"720\" height=\"290\" role=\"img\" \
         font-family=\"system-ui, sans-serif\">\n<title>How lazy loading works</title>\n{}</svg>\n",
        svg.body
    )
}

struct Svg<'a> {
    palette: &'a Palette,
    body: String,
}

impl Svg<'_> {
    fn text(&mut self, x: u32, y: u32, size: u32, strong: bool, text: &str) {
        let (colour, weight) = if strong {
            (self.palette.ink, 600)
        } else {
            (self.palette.faint, 400)
        };
        let _ = writeln!(
            self.body,
            "<text x=\"{x}\" y=\"{y}\" font-size=\"{size}\" font-weight=\"{weight}\" fill=\"{colour}\">{text}</text>"
        );
    }

    /// Layers of an image; those with an index have a strip at their side, and `loaded` are pieces of them.
    fn layers(&mut self, x: u32, y: u32, indexed: &[bool], loaded: &[(usize, u32, u32)]) {
        let Palette {
            ink,
            lazy,
            loaded: green,
            ..
        } = self.palette;
        for (number, indexed) in indexed.iter().enumerate() {
            let top = y + 28 * u32::try_from(number).expect("few layers");
            let fill = if *indexed { lazy } else { "none" };
            let _ = writeln!(
                self.body,
                "<rect x=\"{x}\" y=\"{top}\" width=\"110\" height=\"22\" rx=\"3\" fill=\"{fill}\" stroke=\"{ink}\"/>"
            );
            for (_, from, width) in loaded.iter().filter(|(layer, ..)| *layer == number) {
                let _ = writeln!(
                    self.body,
                    "<rect x=\"{}\" y=\"{top}\" width=\"{width}\" height=\"22\" rx=\"2\" fill=\"{green}\"/>",
                    x + from
                );
            }
            if *indexed {
                let _ = writeln!(
                    self.body,
                    "<path d=\"M{} {}h10M{} {}h10M{} {}h10\" stroke=\"{ink}\"/>",
                    x + 114,
                    top + 5,
                    x + 114,
                    top + 11,
                    x + 114,
                    top + 17
                );
            }
        }
    }

    fn arrow(&mut self, x: u32, y: u32, to: u32, text: &str) {
        let ink = self.palette.ink;
        let _ = writeln!(
            self.body,
            "<path d=\"M{x} {y}H{to}m-7 -5l7 5l-7 5\" fill=\"none\" stroke=\"{ink}\" stroke-width=\"1.5\"/>"
        );
        let middle = u32::midpoint(x, to);
        let _ = writeln!(
            self.body,
            "<text x=\"{middle}\" y=\"{}\" font-size=\"10\" text-anchor=\"middle\" fill=\"{ink}\">{text}</text>",
            y - 9
        );
    }

    fn bar(&mut self, x: u32, y: u32, width: u32, text: &str, fill: &str) {
        let _ = writeln!(
            self.body,
            "<rect x=\"{x}\" y=\"{y}\" width=\"{width}\" height=\"16\" rx=\"3\" fill=\"{fill}\"/>"
        );
        let _ = writeln!(
            self.body,
            "<text x=\"{}\" y=\"{}\" font-size=\"11\" fill=\"#ffffff\">{text}</text>",
            x + 8,
            y + 12
        );
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_committed_pictures_are_the_ones_that_are_drawn() {
        for palette in &PALETTES {
            let committed = fs::read_to_string(path(palette)).unwrap_or_default();
            assert!(
                committed == draw(palette),
                "{} is old: cargo xtask picture",
                path(palette).display()
            );
        }
    }
}
