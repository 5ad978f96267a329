//! Glue as one of the catalogs that readers look tables up in.

use super::client::GlueCatalog;
use super::register;
use super::shapes;
use crate::catalog::entry::{Entry, Partition};
use crate::catalog::readers::{Catalog, Registered, There};
use crate::catalog::told::Told;
use crate::error::Result;
use crate::storage::wait;

impl GlueCatalog {
    /// Makes sure that the tables and views of `told` are ours, or nobody's.
    ///
    /// # Errors
    /// [`ErrorKind::Usage`] for one of somebody else, unless it is to be adopted; what Glue says.
    pub fn refuse_foreign(&self, told: &Told, adopt: bool) -> Result<()> {
        for entry in [&told.entry].into_iter().chain(&told.view) {
            let there = self.table(&entry.database, &entry.name)?;
            register::refuse_foreign(entry, there.as_ref(), adopt)?;
        }
        Ok(())
    }
}

impl Catalog for GlueCatalog {
    fn name(&self) -> String {
        let region = self.settings().region.as_deref().unwrap_or("-");
        match &self.settings().catalog_id {
            Some(id) => format!("Glue of {id} in {region}"),
            None => format!("Glue in {region}"),
        }
    }

    fn databases(&self) -> Result<Vec<String>> {
        let glue = self.clone();
        wait(async move { glue.all_databases().await })
    }

    fn tables(&self, database: &str) -> Result<Vec<Entry>> {
        let (glue, database) = (self.clone(), database.to_lowercase());
        wait(async move { glue.all_tables(&database).await })
    }

    fn table(&self, database: &str, name: &str) -> Result<Option<Entry>> {
        let (glue, database, name) = (self.clone(), database.to_lowercase(), name.to_lowercase());
        wait(async move { Ok(glue.find(&database, &name).await?.as_ref().map(shapes::entry)) })
    }

    fn partitions(&self, database: &str, name: &str) -> Result<Vec<Partition>> {
        let (glue, database, name) = (self.clone(), database.to_lowercase(), name.to_lowercase());
        wait(async move { glue.registered(&database, &name).await })
    }

    fn look(&self, database: &str, name: &str) -> Result<There> {
        let (glue, database, name) = (self.clone(), database.to_lowercase(), name.to_lowercase());
        wait(async move { glue.there(&database, &name).await })
    }

    fn register(&self, there: &There, told: &Told, adopt: bool) -> Result<Registered> {
        let (glue, there, told) = (self.clone(), there.clone(), told.clone());
        wait(async move { register::register(&glue, there, &told, adopt).await })
    }

    fn drop_table(&self, database: &str, name: &str) -> Result<bool> {
        let (glue, database, name) = (self.clone(), database.to_lowercase(), name.to_lowercase());
        wait(async move { glue.remove(&database, &name).await })
    }
}
