//! What AWS is like around a lake.

use super::finding::Finding;
use super::patient::Patient;
use crate::aws::AwsSettings;
use crate::catalog::{Catalog, GlueCatalog, GlueSettings, Registration, Snapshot};
use crate::error::Error;
use crate::governance::lake_formation::{Account, Checkup, LakeFormation};
use crate::governance::{GrantOn, Policy};
use crate::query::athena::{Client, Keeping, show_workgroup};
use crate::storage::{Storage, wait};
use std::collections::BTreeSet;

/// So far may a clock be off before requests are refused: five minutes, <https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html>
/// has fifteen for S3.
const FAR: i64 = 300;

pub(super) fn look(
    patient: &Patient,
    lake: Option<&(Storage, Snapshot)>,
    registrations: &[Registration],
    catalogs: &[GlueSettings],
) -> Vec<Finding> {
    let aws = first_region(&patient.aws, catalogs);
    let (account, ahead) = match Account::with_clock(&aws) {
        Ok(told) => told,
        Err(error) => {
            let mut findings = vec![ill("credentials", &error)];
            let rest = ["clock", "Glue", "Lake Formation", "Athena"];
            findings.extend(rest.iter().map(|what| Finding::unknown(what, "not checked, because the owner of the credentials is unknown")));
            return findings;
        }
    };
    let mut findings = vec![Finding::well("credentials", format!("{} of account {}", account.caller, account.id))];
    findings.push(match ahead {
        Some(seconds) if seconds.abs() > FAR => Finding::ill(
            "clock",
            format!("this machine is {} s {} AWS", seconds.abs(), if seconds > 0 { "ahead of" } else { "behind" }),
            Some("set the clock, for example with chronyd or systemd-timesyncd".to_string()),
        ),
        Some(_) => Finding::well("clock", "as AWS's"),
        None => Finding::unknown("clock", "the response had no time"),
    });
    let catalogs = if catalogs.is_empty() { vec![GlueSettings::default()] } else { catalogs.to_vec() };
    for glue in &catalogs {
        glue_findings(glue, &aws, registrations, &mut findings);
        formation_findings(patient, glue, &aws, lake, registrations, &mut findings);
    }
    if let Some(name) = &patient.workgroup {
        findings.push(athena(name, &aws));
    }
    findings
}

/// The region of the first catalog, where none is set.
fn first_region(aws: &AwsSettings, catalogs: &[GlueSettings]) -> AwsSettings {
    let region = aws.region.clone().or_else(|| catalogs.iter().find_map(|glue| glue.region.clone()));
    AwsSettings { region, ..aws.clone() }
}

/// What failed, with what it says to do.
fn ill(what: &str, error: &Error) -> Finding {
    Finding::ill(what, error.to_string(), None)
}

fn glue_findings(glue: &GlueSettings, aws: &AwsSettings, registrations: &[Registration], findings: &mut Vec<Finding>) {
    let what = "Glue";
    let catalog = match GlueCatalog::connect(glue, aws) {
        Ok(catalog) => catalog,
        Err(error) => return findings.push(ill(what, &error)),
    };
    match catalog.databases() {
        Err(error) => return findings.push(ill(what, &error)),
        Ok(databases) => findings.push(Finding::well(what, format!("{} databases can be listed", databases.len()))),
    }
    for one in registrations.iter().filter(|one| one.glue == *glue) {
        match catalog.table(&one.reader_database(), &one.table) {
            Ok(Some(_)) => {}
            Ok(None) => findings.push(Finding::warning(
                what,
                format!("{}.{} was registered, but no longer exists", one.reader_database(), one.table),
                "`etl catalog sync --lake LAKE` creates it again",
            )),
            Err(error) => findings.push(ill(what, &error)),
        }
    }
}

fn formation_findings(
    patient: &Patient,
    glue: &GlueSettings,
    aws: &AwsSettings,
    lake: Option<&(Storage, Snapshot)>,
    registrations: &[Registration],
    findings: &mut Vec<Finding>,
) {
    let what = "Lake Formation";
    let looked = LakeFormation::connect(glue, aws).and_then(|formation| Ok((formation.checkup()?, formation)));
    let (checkup, formation) = match looked {
        Ok(looked) => looked,
        Err(error) => return findings.push(ill(what, &error)),
    };
    let policy = lake.and_then(|(storage, snapshot)| {
        let catalog = crate::catalog::LocalCatalog::new(storage.clone());
        crate::governance::policies(&catalog, snapshot).ok().map(|all| Policy::merged(all.values()))
    });
    let policy = policy.filter(|policy| !policy.is_empty());
    findings.push(match checkup.administrators.contains(&formation.account().caller) {
        true => Finding::well(what, "these credentials are a data lake administrator's"),
        false if policy.is_none() => Finding::well(what, "settings and permissions can be read"),
        false => Finding::warning(
            what,
            "these credentials are not a data lake administrator's: tags and grants for others may be refused",
            "console: Lake Formation, Administrative roles and tasks, Data lake administrators; or grant these credentials the permissions that they grant to others",
        ),
    });
    defaults(&checkup, findings);
    allowed(glue, &checkup, registrations, policy.is_some(), findings);
    if let Some(lake) = patient.lake.as_ref().filter(|lake| lake.starts_with("s3://") && policy.is_some()) {
        location(&formation.account().location(lake), lake, &checkup, findings);
    }
    if let Some(policy) = &policy {
        default_database(formation.account(), policy, &checkup, findings);
    }
    for gone in &checkup.gone {
        findings.push(Finding::warning(
            "stale principals",
            format!("{gone} is the id of a deleted role or user that still has grants"),
            format!("aws lakeformation list-permissions, then revoke-permissions with DataLakePrincipalIdentifier={gone}"),
        ));
    }
}

fn defaults(checkup: &Checkup, findings: &mut Vec<Finding>) {
    if checkup.opens_databases || checkup.opens_tables {
        findings.push(Finding::warning(
            "defaults",
            "new databases or tables are open to all whom IAM allows (IAMAllowedPrincipals has Super), so tags have no effect on them",
            "`revoke_iam_allowed_principals: true` in the policy revokes it on those that the policy names; for all: console, Lake Formation, Data Catalog settings",
        ));
    } else {
        findings.push(Finding::well("defaults", "new databases and tables are inaccessible until they are granted"));
    }
}

/// Databases and tables of the lake that are open to all whom IAM allows.
fn allowed(glue: &GlueSettings, checkup: &Checkup, registrations: &[Registration], is_governed: bool, findings: &mut Vec<Finding>) {
    let own = registrations.iter().filter(|one| one.glue == *glue);
    let mut open: BTreeSet<String> = BTreeSet::new();
    for one in own {
        let table = crate::catalog::TableName { database: one.reader_database(), table: one.table.clone() };
        let on_all = checkup.allowed.contains(&GrantOn::AllTables(table.database.clone()));
        if on_all || checkup.allowed.contains(&GrantOn::Table(table.clone())) {
            open.insert(table.to_string());
        }
        if checkup.allowed.contains(&GrantOn::Database(table.database.clone())) {
            open.insert(table.database);
        }
    }
    let what = "IAMAllowedPrincipals";
    match (open.is_empty(), is_governed) {
        (true, _) => findings.push(Finding::well(what, "nothing on the lake's databases and tables")),
        (false, false) => {}
        (false, true) => findings.push(Finding::warning(
            what,
            format!(
                "Lake Formation doesn't control {}: everybody whom IAM allows sees everything",
                open.into_iter().collect::<Vec<_>>().join(", ")
            ),
            "set `revoke_iam_allowed_principals: true` in the policy, then run it",
        )),
    }
}

fn location(arn: &str, lake: &str, checkup: &Checkup, findings: &mut Vec<Finding>) {
    let what = "location";
    let registered =
        checkup.locations.iter().find(|(known, _)| arn == known.as_str() || arn.starts_with(&format!("{}/", known.trim_end_matches('/'))));
    findings.push(match registered {
        None => Finding::warning(
            what,
            format!("{lake} is not registered: readers need permissions on the bucket, and then see all files"),
            format!("`locations: [{{location: '{lake}'}}]` in the policy, or aws lakeformation register-resource --resource-arn {arn} --use-service-linked-role"),
        ),
        Some((_, Some(wrong))) => Finding::warning(what, format!("{lake} is registered, but {wrong}"), "console: Lake Formation, Data lake locations"),
        Some((_, None)) => Finding::well(what, format!("{lake} is registered")),
    });
}

/// Athena asks for the database `default` whatever a query names.
fn default_database(account: &Account, policy: &Policy, checkup: &Checkup, findings: &mut Vec<Finding>) {
    let everybody = account.principal("IAMPrincipals", policy);
    let open = checkup.sees_default.contains(&everybody) || checkup.sees_default.contains("IAM_ALLOWED_PRINCIPALS");
    let arns: BTreeSet<String> =
        policy.grants.iter().flat_map(|grant| account.recipients(&grant.to, policy)).filter(|arn| arn.starts_with("arn:")).collect();
    let blind: Vec<&String> = arns.iter().filter(|arn| !open && !checkup.sees_default.contains(*arn)).collect();
    match blind.as_slice() {
        [] => findings.push(Finding::well("database default", "everybody with grants may describe it")),
        [first, ..] => findings.push(Finding::warning(
            "database default",
            format!("{} of {} principals may not describe the database `default`, which Athena requires: {first}", blind.len(), arns.len()),
            format!("aws lakeformation grant-permissions --principal DataLakePrincipalIdentifier={first} --permissions DESCRIBE --resource '{{\"Database\":{{\"Name\":\"default\"}}}}'"),
        )),
    }
}

fn athena(name: &str, aws: &AwsSettings) -> Finding {
    let (aws, own) = (aws.clone(), name.to_string());
    let shown = wait(async move {
        let client = Client::open(&aws).await?;
        show_workgroup(&client, &own).await
    });
    match shown {
        Err(error) => ill("Athena", &error),
        Ok(group) if !group.enabled => {
            Finding::ill("Athena", format!("the workgroup {name} is disabled"), Some("console: Athena, Workgroups".to_string()))
        }
        Ok(group) => match group.results {
            Keeping::Managed => Finding::well("Athena", format!("the workgroup {name} stores results where only its users can read them")),
            Keeping::Location(place) => Finding::warning(
                "Athena",
                format!(
                    "the workgroup {name} stores results at {place}, outside the control of Lake Formation: roles that share it can read each other's"
                ),
                format!(
                    "use `etl athena workgroup ensure {name}` with managed results, or a separate workgroup and location for each role"
                ),
            ),
            Keeping::Unsaid => Finding::warning(
                "Athena",
                format!("the workgroup {name} lets each query choose where its result is stored"),
                format!("`etl athena workgroup ensure {name}` with managed results"),
            ),
        },
    }
}
