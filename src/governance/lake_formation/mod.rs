//! Policies in AWS Lake Formation: what it has, what it would have, and the calls between.
//!
//! Source: <https://docs.aws.amazon.com/lake-formation/latest/APIReference/Welcome.html>. A policy and what is live both become a [`State`] in Lake
//! Formation's own terms; the [`Step`]s between two states are sent in an order that leaves nobody without the rights to go on.

mod account;
mod carrying;
mod checkup;
mod client;
mod clock;
mod effective;
mod live;
mod shapes;
mod state;
mod steps;
mod told;
mod wanted;

pub use account::Account;
pub use checkup::Checkup;
pub use client::LakeFormation;
pub use state::{AttachmentKey, FilterKey, GrantKey, Held, RowRule, State, Target};
pub use steps::{Step, steps};
pub use told::Told;
pub use wanted::wanted;
