//! What a line's fields are before they are values of a type.

use std::ops::Range;

/// A field of a line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Value {
    /// NULL, or not there.
    Missing,
    /// These bytes of the line.
    Here(Range<usize>),
    /// These bytes of what was written anew.
    Changed(Range<usize>),
}

/// The fields of one line.
#[derive(Debug, Default)]
pub(super) struct Values {
    pub(super) fields: Vec<Value>,
    /// What was written anew of all of them.
    pub(super) changed: Vec<u8>,
}

impl Values {
    pub(super) fn clear(&mut self) {
        self.fields.clear();
        self.changed.clear();
    }

    /// The field at `index`; one that is not there is missing.
    pub(super) fn get(&self, index: usize) -> &Value {
        self.fields.get(index).unwrap_or(&Value::Missing)
    }
}
