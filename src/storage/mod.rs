//! Objects by their keys, in a folder of this machine or below a prefix of a bucket: read, written, listed, and replaced only
//! where nobody else was faster.

mod answer;
mod blocking;
mod bucket_store;
mod clients;
mod completion;
mod credentials;
mod failure;
mod folder_store;
mod folders;
mod location;
mod objects;
mod resume;
mod run_state;
mod run_uploads;
mod settings;
mod spool;
mod transport;
mod upload;
mod uploads;

pub use blocking::{spawn, wait};
pub use credentials::{Chain, NoCredentials, region_of_profile};
pub use failure::StoreFailure;
pub use location::Location;
pub use objects::{Entry, Object, Storage, Version};
pub use run_state::Appear;
pub use run_uploads::Uploads;
pub use settings::{Sse, StoreSettings, defaults, set_defaults};
pub use upload::Upload;
pub use uploads::StaleUpload;
