//! Sends the changes.

use super::account::Account;
use super::client::{LakeFormation, collides, may_try, pause};
use super::shapes::{self, api_permissions, condition, incomplete, principal, resource, tagged};
use super::state::{FilterKey, GrantKey, Held, Target};
use super::steps::Step;
use crate::error::{Error, ErrorKind, Result};
use crate::governance::policy::ColumnChoice;
use crate::storage::wait;
use aws_sdk_lakeformation::types::{
    AllRowsWildcard, BatchPermissionsFailureEntry, BatchPermissionsRequestEntry, Column, ColumnWildcard, DataCellsFilter,
    DataLakePrincipal, LfTagError, RowFilter,
};
use std::collections::{BTreeMap, BTreeSet};

/// The most entries of a batch of grants: <https://docs.aws.amazon.com/lake-formation/latest/APIReference/API_BatchGrantPermissions.html>.
const BATCH: usize = 20;
/// The most values that go with one call: <https://docs.aws.amazon.com/lake-formation/latest/APIReference/API_CreateLFTag.html>.
const VALUES: usize = 50;

impl LakeFormation {
    /// Makes the changes, in their order: grants and revocations in batches.
    ///
    /// # Errors
    /// What Lake Formation says, naming the change; those before it are made, and the next try goes on from there.
    pub fn carry_out(&self, steps: &[Step]) -> Result<()> {
        let (this, steps) = (self.clone(), steps.to_vec());
        wait(async move { this.send(&steps).await })
    }

    async fn send(&self, steps: &[Step]) -> Result<()> {
        let mut at = 0;
        while at < steps.len() {
            let same = |step: &Step| std::mem::discriminant(step) == std::mem::discriminant(&steps[at]);
            let count = steps[at..].iter().take_while(|step| same(step)).count();
            let (run, step) = (&steps[at..at + count], &steps[at]);
            match step {
                Step::Grant(..) | Step::Revoke(..) => {
                    for batch in run.chunks(BATCH) {
                        self.batch(batch).await?;
                    }
                    at += count;
                }
                Step::Assign(..) => {
                    self.assign(run).await?;
                    at += count;
                }
                _ => {
                    self.one(step).await?;
                    at += 1;
                }
            }
        }
        Ok(())
    }

    /// Grants or revokes, up to [`BATCH`]; those that collide with another change are sent again.
    async fn batch(&self, steps: &[Step]) -> Result<()> {
        let mut open: Vec<&Step> = steps.iter().collect();
        let mut tried = 0;
        while !open.is_empty() {
            tried += 1;
            let entries = open.iter().enumerate().map(|(number, step)| self.entry(number, step)).collect::<Result<Vec<_>>>()?;
            let catalog = self.catalog().cloned();
            let doing = format!("can't {}", open[0]);
            let failures: Vec<BatchPermissionsFailureEntry> = match open[0] {
                Step::Grant(..) => {
                    let send =
                        || self.client.batch_grant_permissions().set_catalog_id(catalog.clone()).set_entries(Some(entries.clone())).send();
                    self.changed(&doing, send).await?.failures.unwrap_or_default()
                }
                _ => {
                    let send =
                        || self.client.batch_revoke_permissions().set_catalog_id(catalog.clone()).set_entries(Some(entries.clone())).send();
                    self.changed(&doing, send).await?.failures.unwrap_or_default()
                }
            };
            let mut again = Vec::new();
            for failure in &failures {
                let number = failure.request_entry().and_then(|entry| entry.id().parse::<usize>().ok()).unwrap_or(0);
                let step = open.get(number).copied().unwrap_or(open[0]);
                let code = failure.error().and_then(|error| error.error_code()).unwrap_or_default();
                if !(collides(code) && may_try(tried)) {
                    let message = failure.error().and_then(|error| error.error_message()).unwrap_or_default();
                    return Err(refused(step, code, message));
                }
                again.push(step);
            }
            open = again;
            if !open.is_empty() {
                pause(tried).await;
            }
        }
        Ok(())
    }

    fn entry(&self, number: usize, step: &Step) -> Result<BatchPermissionsRequestEntry> {
        let (Step::Grant(key, held) | Step::Revoke(key, held)) = step else {
            return Err(Error::new(ErrorKind::Internal, "this is no grant"));
        };
        let GrantKey { principal: whom, on, condition: text } = key;
        let Held { permissions, option } = held;
        BatchPermissionsRequestEntry::builder()
            .id(number.to_string())
            .principal(principal(whom))
            .resource(resource(on, self.catalog())?)
            .set_permissions(api_permissions(permissions))
            .set_permissions_with_grant_option(api_permissions(option))
            .set_condition(condition(text.as_ref()))
            .build()
            .map_err(incomplete)
    }

    /// Tags of resources. Columns of one table that are to have the same tags go in one call.
    async fn assign(&self, steps: &[Step]) -> Result<()> {
        let mut grouped: Vec<(Vec<&Target>, &BTreeMap<String, String>)> = Vec::new();
        for step in steps {
            let Step::Assign(target, tags) = step else { continue };
            let same = grouped.iter_mut().find(|(targets, own)| match (targets[0], target) {
                (Target::Column(table, _), Target::Column(other, _)) => table == other && *own == tags,
                _ => false,
            });
            match same {
                Some((targets, _)) => targets.push(target),
                None => grouped.push((vec![target], tags)),
            }
        }
        for (targets, tags) in grouped {
            let resource = self.tagged_together(&targets)?;
            let pairs = shapes::pairs(tags, self.catalog())?;
            let step = Step::Assign(targets[0].clone(), tags.clone());
            let send = || {
                let add = self.client.add_lf_tags_to_resource().set_catalog_id(self.catalog().cloned());
                add.resource(resource.clone()).set_lf_tags(Some(pairs.clone())).send()
            };
            let mut tried = 0;
            loop {
                tried += 1;
                let answer = self.changed(&format!("can't {step}"), send).await?;
                match tag_failure(answer.failures()) {
                    None => break,
                    Some((code, _)) if collides(&code) && may_try(tried) => pause(tried).await,
                    Some((code, message)) => return Err(refused(&step, &code, &message)),
                }
            }
        }
        Ok(())
    }

    fn tagged_together(&self, targets: &[&Target]) -> Result<aws_sdk_lakeformation::types::Resource> {
        let Target::Column(table, _) = targets[0] else { return tagged(targets[0], self.catalog()) };
        let names: BTreeSet<String> = targets
            .iter()
            .filter_map(|target| match target {
                Target::Column(_, name) => Some(name.clone()),
                _ => None,
            })
            .collect();
        resource(&crate::governance::GrantOn::Columns(table.clone(), ColumnChoice::Only(names)), self.catalog())
    }

    async fn one(&self, step: &Step) -> Result<()> {
        let doing = format!("can't {step}");
        let doing = doing.as_str();
        let (client, catalog) = (&self.client, self.catalog());
        match step {
            Step::CreateTag(key, values) => {
                let values: Vec<String> = values.iter().cloned().collect();
                let (first, rest) = values.split_at(values.len().min(VALUES));
                let made =
                    || client.create_lf_tag().set_catalog_id(catalog.cloned()).tag_key(key).set_tag_values(Some(first.to_vec())).send();
                self.changed(doing, made).await?;
                self.add_values(doing, key, rest).await
            }
            Step::AddValues(key, values) => self.add_values(doing, key, &values.iter().cloned().collect::<Vec<_>>()).await,
            Step::RemoveValues(key, values) => {
                for values in values.iter().cloned().collect::<Vec<_>>().chunks(VALUES) {
                    let send = || {
                        let update = client.update_lf_tag().set_catalog_id(catalog.cloned()).tag_key(key);
                        update.set_tag_values_to_delete(Some(values.to_vec())).send()
                    };
                    self.changed(doing, send).await?;
                }
                Ok(())
            }
            Step::DeleteTag(key) => {
                self.changed(doing, || client.delete_lf_tag().set_catalog_id(catalog.cloned()).tag_key(key).send()).await.map(drop)
            }
            Step::SaveExpression(name, expression, is_there) => {
                let tags = shapes::lf_tags(expression)?;
                if *is_there {
                    let send = || {
                        client
                            .update_lf_tag_expression()
                            .set_catalog_id(catalog.cloned())
                            .name(name)
                            .set_expression(Some(tags.clone()))
                            .send()
                    };
                    return self.changed(doing, send).await.map(drop);
                }
                let send = || {
                    client.create_lf_tag_expression().set_catalog_id(catalog.cloned()).name(name).set_expression(Some(tags.clone())).send()
                };
                self.changed(doing, send).await.map(drop)
            }
            Step::DeleteExpression(name) => {
                self.changed(doing, || client.delete_lf_tag_expression().set_catalog_id(catalog.cloned()).name(name).send()).await.map(drop)
            }
            Step::Unassign(target, tags) => self.unassign(doing, step, target, tags).await,
            Step::SaveFilter(key, columns, rows, is_there) => self.save_filter(doing, key, columns, rows.as_ref(), *is_there).await,
            Step::DeleteFilter(key) => {
                let send = || {
                    let delete = client.delete_data_cells_filter().table_catalog_id(self.catalog_or_own());
                    delete.database_name(&key.table.database).table_name(&key.table.table).name(&key.name).send()
                };
                self.changed(doing, send).await.map(drop)
            }
            Step::Register(arn, role, hybrid) => {
                let send = || {
                    let register = client.register_resource().resource_arn(arn).set_role_arn(role.clone());
                    let own = role.is_none().then_some(true);
                    register.set_use_service_linked_role(own).set_hybrid_access_enabled(hybrid.then_some(true)).send()
                };
                self.changed(doing, send).await.map(drop)
            }
            Step::SaveRowPolicy(name, rule, is_there) => {
                if *is_there {
                    return self
                        .changed(doing, || client.update_rls_policy().name(name).filter_expression(&rule.rows).send())
                        .await
                        .map(drop);
                }
                let columns = rule.columns.iter().map(|(name, kind)| Column::builder().name(name).r#type(kind).build());
                let columns: Vec<Column> = columns.collect::<std::result::Result<_, _>>().map_err(incomplete)?;
                let send = || {
                    client.create_rls_policy().name(name).filter_expression(&rule.rows).set_attachment_columns(Some(columns.clone())).send()
                };
                self.changed(doing, send).await.map(drop)
            }
            Step::DeleteRowPolicy(name) => self.changed(doing, || client.delete_rls_policy().name(name).send()).await.map(drop),
            Step::Attach(key) => {
                let on = resource(&key.on, catalog)?;
                let is_default = key.principal.is_none() && key.condition.is_none();
                let send = || {
                    let attach = client.attach_rls_policy().name(&key.policy).resource(on.clone());
                    let attach = attach.set_principal(key.principal.as_deref().map(principal));
                    attach.set_condition(condition(key.condition.as_ref())).set_set_default(is_default.then_some(true)).send()
                };
                self.changed(doing, send).await.map(drop)
            }
            Step::Detach(key) => {
                let on = resource(&key.on, catalog)?;
                let is_default = key.principal.is_none() && key.condition.is_none();
                let send = || {
                    let detach = client.detach_rls_policy().name(&key.policy).resource(on.clone());
                    let detach = detach.set_principal(key.principal.as_deref().map(principal));
                    detach.set_condition(condition(key.condition.as_ref())).set_remove_default(is_default.then_some(true)).send()
                };
                self.changed(doing, send).await.map(drop)
            }
            Step::OptIn(whom, target) => {
                let on = tagged(target, catalog)?;
                let send = || client.create_lake_formation_opt_in().principal(principal(whom)).resource(on.clone()).send();
                self.changed(doing, send).await.map(drop)
            }
            Step::OptOut(whom, target) => {
                let on = tagged(target, catalog)?;
                let send = || client.delete_lake_formation_opt_in().principal(principal(whom)).resource(on.clone()).send();
                self.changed(doing, send).await.map(drop)
            }
            Step::AddAdministrators(new) => self.add_administrators(doing, new).await,
            Step::Grant(..) | Step::Revoke(..) | Step::Assign(..) => Ok(()),
        }
    }

    async fn add_values(&self, doing: &str, key: &str, values: &[String]) -> Result<()> {
        for values in values.chunks(VALUES) {
            let send = || {
                let update = self.client.update_lf_tag().set_catalog_id(self.catalog().cloned()).tag_key(key);
                update.set_tag_values_to_add(Some(values.to_vec())).send()
            };
            self.changed(doing, send).await?;
        }
        Ok(())
    }

    async fn unassign(&self, doing: &str, step: &Step, target: &Target, tags: &BTreeMap<String, String>) -> Result<()> {
        let (on, pairs) = (tagged(target, self.catalog())?, shapes::pairs(tags, self.catalog())?);
        let send = || {
            let remove = self.client.remove_lf_tags_from_resource().set_catalog_id(self.catalog().cloned());
            remove.resource(on.clone()).set_lf_tags(Some(pairs.clone())).send()
        };
        let answer = self.changed(doing, send).await?;
        match tag_failure(answer.failures()) {
            None => Ok(()),
            Some((code, message)) => Err(refused(step, &code, &message)),
        }
    }

    async fn save_filter(&self, doing: &str, key: &FilterKey, columns: &ColumnChoice, rows: Option<&String>, is_there: bool) -> Result<()> {
        let rows = match rows {
            Some(text) => RowFilter::builder().filter_expression(text),
            None => RowFilter::builder().all_rows_wildcard(AllRowsWildcard::builder().build()),
        };
        let data = DataCellsFilter::builder().table_catalog_id(self.catalog_or_own()).database_name(&key.table.database);
        let data = data.table_name(&key.table.table).name(&key.name).row_filter(rows.build());
        let wildcard = |but: Option<Vec<String>>| ColumnWildcard::builder().set_excluded_column_names(but).build();
        let data = match columns {
            ColumnChoice::All => data.column_wildcard(wildcard(None)),
            ColumnChoice::Only(names) => data.set_column_names(Some(names.iter().cloned().collect())),
            ColumnChoice::AllBut(names) => data.column_wildcard(wildcard(Some(names.iter().cloned().collect()))),
        };
        let data = data.build().map_err(incomplete)?;
        if is_there {
            return self.changed(doing, || self.client.update_data_cells_filter().table_data(data.clone()).send()).await.map(drop);
        }
        self.changed(doing, || self.client.create_data_cells_filter().table_data(data.clone()).send()).await.map(drop)
    }

    /// The settings are one object: read, added to, and written.
    async fn add_administrators(&self, doing: &str, new: &BTreeSet<String>) -> Result<()> {
        let asked = self.client.get_data_lake_settings().set_catalog_id(self.catalog().cloned()).send().await;
        let told = asked.map_err(|error| self.failed("can't read the settings", &error))?;
        let mut settings =
            told.data_lake_settings().cloned().unwrap_or_else(|| aws_sdk_lakeformation::types::DataLakeSettings::builder().build());
        let mut all: Vec<DataLakePrincipal> = settings.data_lake_admins().to_vec();
        all.extend(new.iter().map(|name| principal(name)));
        settings.data_lake_admins = Some(all);
        let send =
            || self.client.put_data_lake_settings().set_catalog_id(self.catalog().cloned()).data_lake_settings(settings.clone()).send();
        self.changed(doing, send).await.map(drop)
    }

    /// Filters name the account of their table always.
    fn catalog_or_own(&self) -> String {
        let Account { id, .. } = self.account();
        self.catalog().unwrap_or(id).clone()
    }
}

/// Lake Formation answers that all is well, with what is not in a list.
fn tag_failure(failures: &[LfTagError]) -> Option<(String, String)> {
    let error = failures.first()?.error();
    let text = |text: Option<&str>| text.unwrap_or_default().to_string();
    Some((text(error.and_then(|error| error.error_code())), text(error.and_then(|error| error.error_message()))))
}

fn refused(step: &Step, code: &str, message: &str) -> Error {
    let kind = if collides(code) { ErrorKind::Conflict } else { ErrorKind::Output };
    let error = Error::new(kind, format!("can't {step}: Lake Formation: {code}: {message}"));
    match code {
        "AccessDeniedException" => {
            error.with_context("what to do", "ask a data lake administrator to grant these credentials the permission, with grant option")
        }
        "EntityNotFoundException" => error.with_context("what to do", "check that the principal, the table and the tag exist"),
        _ => error.with_context("what to do", "fix it and run it again; completed steps are kept, and only the rest is sent"),
    }
}
