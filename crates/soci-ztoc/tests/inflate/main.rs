//! The inflater against zlib and flate2.

mod ours;
mod points;
mod zlib;

#[test]
fn smoke() {
    let Ok(path) = std::env::var("SMOKE") else { return };
    for p in path.split(' ') {
        println!("{p}");
        points::assert_same(&std::fs::read(p).unwrap());
    }
}
