//! zTOCs: build, write, read, verify, extract.
