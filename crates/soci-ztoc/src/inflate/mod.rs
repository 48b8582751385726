//! The push inflater: gzip members, deflate blocks, checkpoints.
