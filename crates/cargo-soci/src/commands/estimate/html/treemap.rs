//! Directories as areas in each other, so large as their bytes: squarified, so that areas can be compared (Bruls, Huizing,
//! van Wijk, "Squarified treemaps", 2000).

use soci_start::{Directory, Parts};

/// A directory, or the files of one, with its place in what surrounds it.
#[derive(Debug, Default)]
pub(super) struct Area {
    /// Its path; what is shown of it is the end.
    pub path: String,
    /// The name in it.
    pub name: String,
    pub parts: Parts,
    pub place: Place,
    /// What lies in it, if it is large enough to be divided.
    pub areas: Vec<Area>,
}

/// A rectangle, in points of a page that is as wide as the design.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Place {
    pub x: f64,
    pub y: f64,
    pub width: f64,
    pub height: f64,
}

/// The tree as areas in a rectangle of this size.
pub(super) fn areas(root: &Directory, width: f64, height: f64) -> Vec<Area> {
    divide(root, "", width, height)
}

/// The size of what lies in a divided area: below its name, within its border.
pub(super) fn inner(place: Place) -> (f64, f64) {
    (place.width - BORDER, place.height - HEAD)
}

fn divide(directory: &Directory, path: &str, width: f64, height: f64) -> Vec<Area> {
    let mut parts: Vec<(String, String, Parts, Option<&Directory>)> = Vec::new();
    for (name, below) in &directory.directories {
        let (name, below) = only_child(String::from_utf8_lossy(name).into_owned(), below);
        parts.push((format!("{path}/{name}"), name, below.parts, Some(below)));
    }
    let own = match path {
        "" => "/".to_owned(),
        path => path.to_owned(),
    };
    parts.push((own, "files".to_owned(), directory.own, None));
    parts.retain(|(_, _, parts, _)| parts.sum() > 0);
    // What is too small to have a name is one area together.
    let all: u64 = parts.iter().map(|(_, _, parts, _)| parts.sum()).sum();
    let smallest = NAMED / (width * height) * all as f64;
    let (mut parts, small): (Vec<_>, Vec<_>) =
        (parts.into_iter()).partition(|(_, _, parts, _)| parts.sum() as f64 >= smallest);
    if parts.is_empty() {
        return Vec::new();
    }
    if !small.is_empty() {
        let mut sum = Parts::default();
        small.iter().for_each(|(_, _, parts, _)| sum += *parts);
        parts.push((format!("{path}/"), format!("{} more", small.len()), sum, None));
    }
    parts.sort_by(|one, two| two.2.sum().cmp(&one.2.sum()).then_with(|| one.0.cmp(&two.0)));
    let sizes: Vec<u64> = parts.iter().map(|(_, _, parts, _)| parts.sum()).collect();
    let places = squarify(&sizes, width, height);
    let area = |((path, name, parts, below), place): ((String, String, Parts, Option<&Directory>), Place)| {
        let (width, height) = inner(place);
        let areas = match below {
            Some(below) if width >= DIVIDED.0 && height >= DIVIDED.1 && !below.directories.is_empty() => {
                divide(below, &path, width, height)
            }
            _ => Vec::new(),
        };
        Area {
            path,
            name,
            parts,
            place,
            areas,
        }
    };
    parts.into_iter().zip(places).map(area).collect()
}

/// A directory with nothing but one directory in it is shown as one.
fn only_child(mut name: String, mut directory: &Directory) -> (String, &Directory) {
    while directory.own == Parts::default() {
        let mut full = (directory.directories.iter()).filter(|(_, below)| below.parts.sum() > 0);
        let (Some((next, below)), None) = (full.next(), full.next()) else {
            break;
        };
        name = format!("{name}/{}", String::from_utf8_lossy(next));
        directory = below;
    }
    (name, directory)
}

/// Sizes, largest first and none of them 0, as parts of a rectangle: rows that are as square as they can be.
fn squarify(sizes: &[u64], width: f64, height: f64) -> Vec<Place> {
    let mut places = Vec::with_capacity(sizes.len());
    let mut rest: f64 = sizes.iter().map(|size| *size as f64).sum();
    let (mut x, mut y, mut wide, mut high) = (0.0, 0.0, width, height);
    let mut open = sizes;
    while let Some(first) = open.first() {
        let scale = wide * high / rest;
        let side = wide.min(high);
        let (mut sum, mut worst, mut taken) = (0.0, f64::INFINITY, 0);
        for size in open {
            let next = sum + *size as f64 * scale;
            let (large, small) = (*first as f64 * scale, *size as f64 * scale);
            let ratio = (side * side * large / (next * next)).max(next * next / (side * side * small));
            if ratio > worst {
                break;
            }
            (sum, worst, taken) = (next, ratio, taken + 1);
        }
        // At least one: the first is never worse than infinitely bad, unless the numbers are none.
        let taken = taken.max(1);
        let depth = sum / side;
        let mut at = 0.0;
        for size in &open[..taken] {
            let length = *size as f64 * scale / depth;
            places.push(match wide >= high {
                true => Place {
                    x,
                    y: y + at,
                    width: depth,
                    height: length,
                },
                false => Place {
                    x: x + at,
                    y,
                    width: length,
                    height: depth,
                },
            });
            at += length;
            rest -= *size as f64;
        }
        match wide >= high {
            true => (x, wide) = (x + depth, (wide - depth).max(0.0)),
            false => (y, high) = (y + depth, (high - depth).max(0.0)),
        }
        open = &open[taken..];
    }
    places
}

/// Square points that an area needs to have a name.
const NAMED: f64 = 1000.0;

/// Points above and beside what lies in an area: its name and its border.
const HEAD: f64 = 24.0;
const BORDER: f64 = 4.0;

/// Points that an area needs to be divided.
const DIVIDED: (f64, f64) = (110.0, 60.0);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn areas_fill_the_rectangle_by_their_sizes() {
        let sizes = [600, 300, 200, 90, 9, 1];
        let places = squarify(&sizes, 400.0, 300.0);
        let all: f64 = places.iter().map(|place| place.width * place.height).sum();
        assert!((all - 120_000.0).abs() < 1e-6, "{all}");
        for (size, place) in sizes.iter().zip(&places) {
            let area = place.width * place.height;
            assert!((area - *size as f64 * 100.0).abs() < 1e-6, "{size}: {place:?}");
            assert!(
                place.x >= 0.0 && place.x + place.width <= 400.0 + 1e-9,
                "{place:?}"
            );
            assert!(
                place.y >= 0.0 && place.y + place.height <= 300.0 + 1e-9,
                "{place:?}"
            );
        }
        assert!(squarify(&[], 10.0, 10.0).is_empty());
    }

    #[test]
    fn many_small_directories_are_one_area() {
        let of = |bytes| {
            let mut directory = Directory::default();
            directory.own.unopened = bytes;
            directory.parts.unopened = bytes;
            directory
        };
        let mut root = Directory::default();
        root.directories.insert(b"large".to_vec(), of(500_000));
        let mut many = of(0);
        for number in 0..5000 {
            many.directories.insert(format!("{number}").into_bytes(), of(100));
        }
        many.parts.unopened = 500_000;
        root.directories.insert(b"many".to_vec(), many);
        for number in 0..100 {
            root.directories.insert(format!("{number}").into_bytes(), of(1));
        }
        let areas = areas(&root, 1000.0, 500.0);
        let names: Vec<&str> = areas.iter().map(|area| &area.name[..]).collect();
        assert_eq!(names, ["large", "many", "100 more"]);
        assert!(areas[1].areas.is_empty(), "{areas:?}");
    }
}
