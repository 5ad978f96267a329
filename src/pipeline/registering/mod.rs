//! Readers' catalogs are told of what is published: before that it is made sure that they can be, behind it that they are.

pub(crate) mod comparison;
pub(crate) mod differences;
pub(crate) mod dropping;
pub(crate) mod existing;
pub(crate) mod forwarding;
pub(crate) mod of_pipeline;
pub(crate) mod pointers;
pub(crate) mod renaming;
pub(crate) mod sync;
