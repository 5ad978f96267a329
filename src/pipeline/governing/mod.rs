//! Who may see what of a pipeline's tables.

pub(crate) mod applying;
pub(crate) mod comparing;
pub(crate) mod remote;
pub(crate) mod said;
