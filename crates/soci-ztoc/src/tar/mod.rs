//! A tar walk with the semantics of Go's `archive/tar`.
