//! Calls of Athena: what is asked, and what is answered.

use super::failure;
use super::page::Page;
use super::request::Request;
use crate::aws::{self, AwsSettings, Calls, Service};
use crate::diagnostic::nearest;
use crate::error::{Error, ErrorKind, Result};
use crate::storage::spawn;
use aws_config::SdkConfig;
use aws_sdk_athena::config::Builder;
use aws_sdk_athena::types::{
    QueryExecution, QueryExecutionContext, ResultConfiguration, ResultReuseByAgeConfiguration, ResultReuseConfiguration, WorkGroup,
    WorkGroupConfiguration, WorkGroupConfigurationUpdates, WorkGroupSummary,
};
use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use aws_smithy_runtime_api::client::result::SdkError;
use aws_smithy_types::error::metadata::ProvideErrorMetadata;
use std::fmt;
use std::future::Future;
use std::panic::resume_unwind;

/// The most rows that a page of a result has.
const PAGE: i32 = 1_000;
/// The catalog of an account's own tables.
const CATALOG: &str = "AwsDataCatalog";
/// The most tables that are looked through for a name that is near.
const MOST_NAMES: i32 = 50;

/// Talks to Athena. What is throttled, or breaks on the way, is asked again, with growing pauses of random length.
#[derive(Clone)]
pub struct Client {
    athena: aws_sdk_athena::Client,
    config: SdkConfig,
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Client").field("endpoint", &self.config.endpoint_url()).finish_non_exhaustive()
    }
}

impl Client {
    /// A client that is reached as `settings` say. Nothing is asked yet.
    ///
    /// # Errors
    /// [`ErrorKind::Usage`] where the region isn't known, or an address is none.
    pub async fn open(settings: &AwsSettings) -> Result<Client> {
        let settings = settings.clone();
        let config = outlasting(async move { aws::config(Service::Athena, &settings).await }).await?;
        Ok(Client { athena: aws_sdk_athena::Client::from_conf(Builder::from(&config).interceptor(Calls).build()), config })
    }

    /// Starts a query, and gives its id. The same token gives the same query, however often a lost answer made us ask.
    ///
    /// # Errors
    /// [`ErrorKind::Query`] where Athena refuses it.
    pub(super) async fn start(&self, request: &Request, token: String) -> Result<String> {
        let context = QueryExecutionContext::builder().set_database(request.database.clone()).build();
        let location = request.result_location.as_ref();
        let results = location.map(|location| ResultConfiguration::builder().output_location(location).build());
        let reuse = ResultReuseByAgeConfiguration::builder().enabled(false).build();
        let reuse = ResultReuseConfiguration::builder().result_reuse_by_age_configuration(reuse).build();
        let parameters = (!request.parameters.is_empty()).then(|| request.parameters.clone());
        let call = self
            .athena
            .start_query_execution()
            .query_string(&request.sql)
            .set_execution_parameters(parameters)
            .query_execution_context(context)
            .work_group(&request.workgroup)
            .set_result_configuration(results)
            // An answer of before is none for who measures, or has written since.
            .result_reuse_configuration(reuse)
            .client_request_token(token);
        let started = outlasting(call.send()).await.map_err(|error| {
            let code = error.as_service_error().and_then(|refused| match refused {
                aws_sdk_athena::operation::start_query_execution::StartQueryExecutionError::InvalidRequestException(e) => {
                    Some(e.athena_error_code().unwrap_or_default().to_string())
                }
                _ => None,
            });
            let told = error.as_service_error().and_then(ProvideErrorMetadata::message).map(str::to_string);
            failure::not_started(request, code.as_deref(), told.as_deref(), |doing| self.failed(ErrorKind::Query, doing, &error))
        })?;
        started.query_execution_id.ok_or_else(|| silent("the id of a query that it started"))
    }

    /// How a query stands.
    ///
    /// # Errors
    /// [`ErrorKind::Query`] where Athena doesn't tell.
    pub(super) async fn execution(&self, id: &str) -> Result<QueryExecution> {
        let answer = outlasting(self.athena.get_query_execution().query_execution_id(id).send()).await;
        let answer = answer.map_err(|error| self.failed(ErrorKind::Query, &format!("can't see how query {id} stands"), &error))?;
        answer.query_execution.ok_or_else(|| silent("how a query stands"))
    }

    /// Stops a query; one that is over already stays as it is.
    ///
    /// # Errors
    /// [`ErrorKind::Query`] where Athena doesn't take it.
    pub(super) async fn stop(&self, id: &str) -> Result<()> {
        let answer = outlasting(self.athena.stop_query_execution().query_execution_id(id).send()).await;
        answer.map(drop).map_err(|error| self.failed(ErrorKind::Query, &format!("can't stop query {id}"), &error))
    }

    /// A page of a query's result: the first, or the one of `token`.
    ///
    /// # Errors
    /// [`ErrorKind::Query`] where it can't be read.
    pub(super) async fn page(&self, id: &str, token: Option<String>) -> Result<Page> {
        let call = self.athena.get_query_results().query_execution_id(id).set_next_token(token).max_results(PAGE);
        let answer = outlasting(call.send()).await;
        let answer = answer.map_err(|error| self.failed(ErrorKind::Query, &format!("can't read the result of query {id}"), &error))?;
        Ok(Page::of(answer))
    }

    /// A workgroup; nothing where there is none of that name.
    ///
    /// # Errors
    /// [`ErrorKind::Input`] where Athena doesn't tell.
    pub(super) async fn workgroup(&self, name: &str) -> Result<Option<WorkGroup>> {
        match outlasting(self.athena.get_work_group().work_group(name).send()).await {
            Ok(answer) => answer.work_group.map(Some).ok_or_else(|| silent("what a workgroup is like")),
            Err(error) => {
                let told = error.as_service_error().and_then(ProvideErrorMetadata::message);
                match told.is_some_and(failure::names_no_workgroup) {
                    true => Ok(None),
                    false => Err(self.failed(ErrorKind::Input, &format!("can't read workgroup {name}"), &error)),
                }
            }
        }
    }

    /// All workgroups.
    ///
    /// # Errors
    /// [`ErrorKind::Input`] where Athena doesn't tell.
    pub(super) async fn workgroups(&self) -> Result<Vec<WorkGroupSummary>> {
        let mut found = Vec::new();
        let mut token = None;
        loop {
            let answer = outlasting(self.athena.list_work_groups().set_next_token(token).send()).await;
            let answer = answer.map_err(|error| self.failed(ErrorKind::Input, "can't list workgroups", &error))?;
            found.extend(answer.work_groups.unwrap_or_default());
            token = answer.next_token.filter(|token| !token.is_empty());
            if token.is_none() {
                return Ok(found);
            }
        }
    }

    /// Makes a workgroup.
    ///
    /// # Errors
    /// [`ErrorKind::Output`] where Athena doesn't take it.
    pub(super) async fn create_workgroup(&self, name: &str, configuration: WorkGroupConfiguration) -> Result<()> {
        let answer = outlasting(self.athena.create_work_group().name(name).configuration(configuration).send()).await;
        answer.map(drop).map_err(|error| self.failed(ErrorKind::Output, &format!("can't create workgroup {name}"), &error))
    }

    /// Changes a workgroup.
    ///
    /// # Errors
    /// [`ErrorKind::Output`] where Athena doesn't take it.
    pub(super) async fn update_workgroup(&self, name: &str, updates: WorkGroupConfigurationUpdates) -> Result<()> {
        let answer = outlasting(self.athena.update_work_group().work_group(name).configuration_updates(updates).send()).await;
        answer.map(drop).map_err(|error| self.failed(ErrorKind::Output, &format!("can't change workgroup {name}"), &error))
    }

    /// The error of a query, with the nearest name where it asks for a table that Athena doesn't find.
    pub(super) async fn with_nearest_table(&self, error: Error, execution: &QueryExecution) -> Error {
        let Some((database, table)) = failure::unknown_table(execution) else { return error };
        let call = self.athena.list_table_metadata().catalog_name(CATALOG).database_name(&database).max_results(MOST_NAMES);
        // Only a hint: who may not list tables does without.
        let Ok(answer) = outlasting(call.send()).await else { return error };
        let known = answer.table_metadata_list.unwrap_or_default();
        match nearest(&table, known.iter().map(|table| table.name())) {
            Some(near) => error.with_context("did you mean", format!("{database}.{near}")),
            None => error,
        }
    }

    fn failed<E>(&self, kind: ErrorKind, doing: &str, error: &SdkError<E, HttpResponse>) -> Error
    where
        E: ProvideErrorMetadata + std::error::Error + 'static,
    {
        aws::failed(kind, Service::Athena, doing, &self.config, error)
    }
}

/// What a call gives. It runs where connections live on, and to its end, whoever waits for it and however long.
async fn outlasting<T: Send + 'static>(call: impl Future<Output = T> + Send + 'static) -> T {
    match spawn(call).await {
        Ok(answer) => answer,
        Err(error) => match error.try_into_panic() {
            Ok(panic) => resume_unwind(panic),
            Err(_) => unreachable!("nothing cancels the task"),
        },
    }
}

/// The error of an answer without what it is for.
fn silent(what: &str) -> Error {
    Error::new(ErrorKind::Query, format!("Athena's answer doesn't say {what}"))
}
