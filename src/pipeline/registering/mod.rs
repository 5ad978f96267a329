//! Readers' catalogs are told of what is published: before that it is made sure that they can be, behind it that they are.

pub(crate) mod comparison;
pub(crate) mod forwarding;
pub(crate) mod of_pipeline;
pub(crate) mod pointers;
pub(crate) mod sync;
