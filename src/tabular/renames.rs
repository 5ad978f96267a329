//! Columns that were called otherwise in earlier files.

use super::column_name::plain_name;
use std::collections::BTreeMap;

/// The names that columns had before, each with the one that it has now.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Renames(BTreeMap<String, String>);

impl FromIterator<(String, String)> for Renames {
    fn from_iter<T: IntoIterator<Item = (String, String)>>(names: T) -> Self {
        Renames(names.into_iter().collect())
    }
}

impl Renames {
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// What the column is called that was `name`: by the name itself, else by one that differs in capitals and signs only.
    pub fn now<'a>(&'a self, name: &'a str) -> &'a str {
        let exact = self.0.get(name);
        let alike = || self.0.iter().find(|(before, _)| plain_name(before) == plain_name(name)).map(|(_, now)| now);
        match self.0.is_empty() {
            true => name,
            false => exact.or_else(alike).map_or(name, String::as_str),
        }
    }

    /// Names that were, with those that are.
    pub(super) fn iter(&self) -> impl Iterator<Item = (&String, &String)> {
        self.0.iter()
    }
}
