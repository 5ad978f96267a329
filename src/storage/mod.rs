//! Objects by their keys, in a folder of this machine or below a prefix of a bucket: read, written, listed, and replaced only
//! where nobody else was faster.

mod blocking;
mod folder_store;
mod location;
mod objects;
mod spool;
mod uploads;

pub use blocking::{spawn, wait};
pub use location::Location;
pub use objects::{Entry, Object, Storage, Version};
pub use uploads::{Appear, Upload, Uploads};
