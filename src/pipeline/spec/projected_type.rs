//! The types of partition projection.

/// What computes the values of a partition key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum ProjectedType {
    Date,
    Integer,
    Enum,
    Injected,
}
