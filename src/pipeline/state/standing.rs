//! What a file is to those who read it before, where files are known by their content.

use crate::input::Hashed;
use crate::publish::SourceFile;

/// What a file of a listing is.
#[derive(Debug, Clone, Default)]
pub(crate) enum Standing {
    /// Nothing is known of it.
    #[default]
    New,
    /// All its lines were read.
    Known(SourceFile),
    /// It has grown since it was read.
    Grown(SourceFile, Box<Hashed>),
}

impl Standing {
    /// What it was when it was read.
    pub(crate) fn known(&self) -> Option<&SourceFile> {
        match self {
            Standing::Known(known) | Standing::Grown(known, _) => Some(known),
            Standing::New => None,
        }
    }
}
