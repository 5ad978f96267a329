//! Plans and runs queries.

use super::columns;
use super::derived;
use super::environment;
use super::estimate::{self, Estimate};
use super::failure::{Failures, fault};
use super::functions;
use super::glue::{GlueDatabases, GlueSource, GlueTables};
use super::growth;
use super::lake::{LakeSchema, LakeTables};
use super::limits;
use super::options::QueryOptions;
use super::partitions::Partitions;
use super::plan_tree::tree;
use super::rejects::RejectLog;
use super::scan::Rows;
use super::short_times::ShortTimes;
use super::table::FileTable;
use super::tables::Tables;
use super::utc_times::UtcTimes;
use crate::catalog::TableName;
use crate::error::{Error, ErrorKind, Result};
use crate::input::{Querying, Table, caught_in_tasks};
use arrow::datatypes::SchemaRef;
use arrow::record_batch::{RecordBatch, RecordBatchOptions};
use datafusion::catalog::{DynamicFileCatalog, MemorySchemaProvider, TableProvider};
use datafusion::common::format::ExplainFormat;
use datafusion::common::tree_node::TreeNodeRecursion;
use datafusion::common::{DataFusionError, TableReference};
use datafusion::config::ConfigNonZeroUsize;
use datafusion::datasource::empty::EmptyTable;
use datafusion::execution::FunctionRegistry;
use datafusion::execution::context::{SQLOptions, SessionState};
use datafusion::execution::{SessionStateBuilder, TaskContext};
use datafusion::logical_expr::LogicalPlan;
use datafusion::physical_plan::joins::SortMergeJoinExec;
use datafusion::physical_plan::{ExecutionPlan, SendableRecordBatchStream, displayable, execute_stream};
use datafusion::prelude::SessionContext;
use futures::StreamExt;
use std::fmt;
use std::future::{Future, poll_fn};
use std::pin::pin;
use std::sync::Arc;
use std::task::Poll;

/// Runs SQL over files and registered tables. Queries only read.
#[derive(Clone)]
pub struct QueryEngine {
    pub(super) context: SessionContext,
    pub(super) tables: Arc<Tables>,
}

impl fmt::Debug for QueryEngine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("QueryEngine").field("tables", &self.tables).finish_non_exhaustive()
    }
}

impl QueryEngine {
    /// An engine that works in this process; [`super::Runtime`] has threads on which all can be run that it takes.
    ///
    /// # Errors
    /// [`ErrorKind::Usage`] for less memory than is needed at all, [`ErrorKind::Output`] where there is no folder for what goes to disk.
    pub fn new(options: QueryOptions) -> Result<Self> {
        let environment = environment::environment(&options)?;
        let mut config = environment::configuration(&options);
        let settings = config.options_mut();
        // How rows are read tells of what is hidden: sizes of files, and of how many rows they are.
        settings.explain.logical_plan_only = options.restricted;
        // Places for the carets of error messages.
        settings.sql_parser.collect_spans = true;
        if let Ok(calls) = ConfigNonZeroUsize::try_new(limits::PARSER_CALLS) {
            settings.sql_parser.recursion_limit = calls;
        }
        settings.execution.parquet.pushdown_filters = true;
        settings.execution.parquet.reorder_filters = true;
        let mut plain = SessionContext::new_with_config_rt(config, environment);
        // Sorts and joins may hold on to as many of them as they have memory for, and others are made meanwhile.
        let bounded = functions::bound(&mut plain, options.memory.0.saturating_mul(2));
        let bounded = bounded.and_then(|()| plain.register_function_rewrite(Arc::new(UtcTimes)));
        bounded.map_err(|e| Error::new(ErrorKind::Internal, "functions can't be bounded").with_source(e))?;
        let tables = Arc::new(Tables::new(options));
        let catalogs = Arc::new(DynamicFileCatalog::new(plain.state().catalog_list().clone(), tables.clone()));
        plain.add_analyzer_rule(Arc::new(ShortTimes));
        let state = SessionStateBuilder::new_from_existing(plain.state()).with_catalog_list(catalogs).build();
        Ok(QueryEngine { context: SessionContext::new_with_state(state), tables })
    }

    /// Gives the files that `path` names (a file, a folder, a glob or `-`) the table name `name`.
    ///
    /// # Errors
    /// [`ErrorKind::Input`] where nothing is there, and what [`crate::input::Table::open`] gives.
    pub fn register_path(&self, name: &str, path: &str) -> Result<()> {
        let table = self.tables.open(path)?;
        self.register(name, table)
    }

    /// Gives `table` a name; a table of a lake's catalog, for example. SQL writes names that have capitals in double quotes.
    ///
    /// # Errors
    /// [`ErrorKind::Query`] where the name is taken.
    pub fn register(&self, name: &str, table: Arc<dyn TableProvider>) -> Result<()> {
        match self.context.register_table(TableReference::bare(name), table) {
            Ok(None) => {
                self.tables.remember(name);
                Ok(())
            }
            Ok(Some(_)) => Err(Error::new(ErrorKind::Query, format!("two tables are named `{name}`; give them different names"))),
            Err(e) => Err(Error::new(ErrorKind::Query, format!("no table can be named `{name}`")).with_source(e)),
        }
    }

    /// Gives the files of `table` a name. Their folders are columns, such as `dt=2020-02-29`, where `folders` says so.
    ///
    /// # Errors
    /// [`ErrorKind::Query`] where the name is taken.
    pub fn register_files(&self, name: &str, table: Table, folders: bool) -> Result<()> {
        let (threads, rejects) = (self.tables.threads(), self.tables.rejects_shared());
        let table = match folders {
            true => FileTable::new(table, threads, rejects),
            false => FileTable::with_partitions(table, Partitions::default(), threads, rejects),
        };
        self.register(name, Arc::new(table))
    }

    /// Gives a table without rows a name, so that queries of it can be planned.
    ///
    /// # Errors
    /// [`ErrorKind::Query`] where the name is taken.
    pub fn register_columns(&self, name: &str, schema: SchemaRef) -> Result<()> {
        self.register(name, Arc::new(EmptyTable::new(schema)))
    }

    /// The columns that a query gives, without running it.
    ///
    /// # Errors
    /// As [`QueryEngine::query`].
    pub async fn columns(&self, sql: &str) -> Result<SchemaRef> {
        let (plan, qualifiers) = self.physical(sql, Joins::Hashed).await?;
        Ok(columns::readable(&plan.schema(), &qualifiers))
    }

    /// Makes the tables of a lake known, as `database.table`.
    ///
    /// # Errors
    /// [`ErrorKind::Query`] where a database's name can't be one.
    pub fn register_lake(&self, lake: LakeTables) -> Result<()> {
        let lake = Arc::new(lake);
        let names = lake.names();
        names.iter().for_each(|(database, table)| self.tables.remember(&format!("{database}.{table}")));
        let catalog = self.context.catalog("datafusion");
        let catalog = catalog.ok_or_else(|| Error::new(ErrorKind::Internal, "the engine has no catalog"))?;
        for database in lake.databases() {
            let schema = LakeSchema::new(lake.clone(), database.clone(), self.tables.threads(), self.tables.rejects_shared());
            let registered = catalog.register_schema(&database, Arc::new(schema));
            registered.map_err(|e| Error::new(ErrorKind::Query, format!("no database can be named `{database}`")).with_source(e))?;
        }
        Ok(())
    }

    /// Makes tables known as `database.table` that have these columns and no rows, so that queries of them can be planned.
    ///
    /// # Errors
    /// [`ErrorKind::Query`] where a name can't be one.
    pub fn register_planned<'a>(&self, tables: impl Iterator<Item = (&'a TableName, SchemaRef)>) -> Result<()> {
        for (name, schema) in tables {
            let failed = |e| Error::new(ErrorKind::Query, format!("no table can be named `{name}`")).with_source(e);
            let catalog = self.context.catalog("datafusion");
            let catalog = catalog.ok_or_else(|| Error::new(ErrorKind::Internal, "the engine has no catalog"))?;
            if catalog.schema(&name.database).is_none() {
                catalog.register_schema(&name.database, Arc::new(MemorySchemaProvider::new())).map_err(failed)?;
            }
            let reference = TableReference::partial(name.database.as_str(), name.table.as_str());
            self.context.register_table(reference, Arc::new(EmptyTable::new(schema))).map_err(failed)?;
            self.tables.remember(&name.to_string());
        }
        Ok(())
    }

    /// Makes the tables of a Glue catalog known, as `database.table` and `awsdatacatalog.database.table`. They are looked up when a query
    /// names them.
    pub fn register_glue(&self, tables: GlueTables) {
        let state = self.context.state_weak_ref();
        // A view is planned in the session; that the session has it must not keep the session.
        let session = Box::new(move || state.upgrade().map(|state| state.read().clone()));
        let source = Arc::new(GlueSource::new(tables, self.tables.threads(), self.tables.rejects_shared(), session));
        let own = self.context.catalog("datafusion");
        self.context.register_catalog("datafusion", Arc::new(GlueDatabases::new(source.clone(), own)));
        self.context.register_catalog("awsdatacatalog", Arc::new(GlueDatabases::new(source, None)));
    }

    /// Starts the query; the result comes batch by batch, in the order of the input where the query doesn't make another.
    ///
    /// # Errors
    /// [`ErrorKind::Query`] where `sql` is wrong, naming what is near; [`ErrorKind::Input`] for files that can't be read.
    pub async fn query(&self, sql: &str) -> Result<QueryResult> {
        let querying = Querying::begin();
        let (plan, qualifiers) = self.physical(sql, Joins::Hashed).await?;
        let failures = self.failures(sql);
        let schema = columns::readable(&plan.schema(), &qualifiers);
        let stream = execute_stream(plan.clone(), self.task(&plan)).map_err(|e| failures.explain(e))?;
        let again = Some((self.clone(), sql.to_string()));
        Ok(QueryResult { schema, stream, failures, again, _querying: querying })
    }

    /// How the query would be run, as a tree of steps, the last first.
    ///
    /// # Errors
    /// As [`QueryEngine::query`].
    pub async fn explain(&self, sql: &str) -> Result<String> {
        if self.tables.is_restricted() {
            return Ok(tree(&self.guarded(sql, self.optimized(sql)).await?.display_indent().to_string()));
        }
        let (plan, _) = self.physical(sql, Joins::Hashed).await?;
        Ok(tree(&displayable(plan.as_ref()).indent(false).to_string()))
    }

    /// What the user should know of the tables opened so far: formats found, and the lines that are not rows.
    pub fn notes(&self) -> Vec<String> {
        self.tables.notes()
    }

    /// The lines that are not rows.
    pub fn rejects(&self) -> &RejectLog {
        self.tables.rejects()
    }

    /// Takes `database` for that of tables that are named without one.
    pub fn name_database(&self, database: &str) {
        self.context.state_ref().write().config_mut().options_mut().catalog.default_schema = database.to_lowercase();
    }

    /// What Athena would scan for the query, of the tables of Glue. Of a query that can't be planned here it is told what its tables have in
    /// all, and that it is so. It is not run, and no row is read: files are listed, and of Parquet the footers read.
    ///
    /// # Errors
    /// [`ErrorKind::Query`] where `sql` is none, or a table that it names is not there or can't be read; [`ErrorKind::Input`] where files
    /// can't be listed.
    pub async fn estimate(&self, sql: &str) -> Result<Estimate> {
        let state = self.context.state();
        let unplanned = match self.guarded(sql, self.optimized(sql)).await {
            Ok(plan) => return estimate::of_plan(&state, &plan),
            Err(error) => error,
        };
        let parsed = state.sql_to_statement(sql, &state.config().options().sql_parser.dialect);
        let named = parsed.and_then(|statement| state.resolve_table_references(&statement));
        let Ok(named) = named else { return Err(unplanned) };
        let mut tables = Vec::with_capacity(named.len());
        for name in named {
            match self.context.table_provider(name).await {
                Ok(table) => tables.push(table),
                Err(_) => return Err(unplanned),
            }
        }
        let why = format!("it can't be planned here, so all columns and partitions of its tables are counted: {unplanned}");
        estimate::of_tables(&state, tables, why)
    }

    /// The plan, and the names by which it calls its tables.
    async fn physical(&self, sql: &str, joins: Joins) -> Result<(Arc<dyn ExecutionPlan>, Vec<String>)> {
        self.guarded(sql, self.planned(sql, joins)).await
    }

    /// What `planning` gives of `sql`, step by step, so that no query takes more stack or memory than there is.
    pub(super) async fn guarded<T>(&self, sql: &str, planning: impl Future<Output = datafusion::common::Result<T>>) -> Result<T> {
        limits::check(sql).map_err(|excess| self.failures(sql).excess(excess))?;
        let _querying = Querying::begin();
        let mut planning = pin!(planning);
        let mut constants = growth::BATCH;
        let planned = poll_fn(|context| {
            let (step, left) = growth::planning(constants, || caught_in_tasks(|| planning.as_mut().poll(context)));
            constants = left;
            unfaulted(step)
        });
        planned.await?.map_err(|e| self.failures(sql).explain(e))
    }

    async fn optimized(&self, sql: &str) -> datafusion::common::Result<LogicalPlan> {
        let state = self.context.state();
        let logical = derived::plan(&state, &self.tables, sql).await?;
        growth::optimizing(|| state.optimize(&logical))
    }

    async fn planned(&self, sql: &str, joins: Joins) -> datafusion::common::Result<(Arc<dyn ExecutionPlan>, Vec<String>)> {
        let state = joins.applied(self.context.state());
        let logical = derived::plan(&state, &self.tables, sql).await?;
        SQLOptions::new().with_allow_ddl(false).with_allow_dml(false).with_allow_statements(false).verify_plan(&logical)?;
        if self.tables.is_restricted() {
            refuse_measures(&logical)?;
        }
        let optimized = growth::optimizing(|| state.optimize(&logical))?;
        let state = if keeps_order(&optimized) { one_partition(state) } else { state };
        let plan = state.query_planner().create_physical_plan(&optimized, &state).await?;
        Ok((plan, columns::qualifiers(&logical)))
    }

    /// What the steps of `plan` share. Those that hold rows are charged for all that the rows hold on to.
    fn task(&self, plan: &Arc<dyn ExecutionPlan>) -> Arc<TaskContext> {
        let state = self.context.state();
        let config = state.config().clone();
        let rows = Rows { kept: keeps_rows(plan), most: config.batch_size() };
        let config = config.with_extension(Arc::new(rows));
        Arc::new(TaskContext::from(&state).with_session_config(config))
    }

    /// Whether the query that failed with `error` may be run once more: memory was what failed, and its tables can be read again.
    fn can_run_again(&self, error: &DataFusionError) -> bool {
        matches!(error.find_root(), DataFusionError::ResourcesExhausted(_)) && !self.tables.read_stdin()
    }

    fn failures(&self, sql: &str) -> Failures {
        Failures::new(sql, self.tables.names(), self.tables.paths(), self.tables.memory()).of_restricted(self.tables.is_restricted())
    }
}

/// Refuses what measures how rows are read, some of which are hidden.
fn refuse_measures(plan: &LogicalPlan) -> datafusion::common::Result<()> {
    let measures = match plan {
        LogicalPlan::Analyze(_) => true,
        LogicalPlan::Explain(explain) => explain.verbose || explain.explain_format != ExplainFormat::Indent,
        _ => false,
    };
    if !measures {
        return Ok(());
    }
    let error = Error::new(ErrorKind::Query, "with --as only plain EXPLAIN is allowed: other forms would reveal hidden rows");
    Err(DataFusionError::External(Box::new(error)))
}

/// Whether the rows of the result are those of one table, in its order.
fn keeps_order(plan: &LogicalPlan) -> bool {
    let mut scans = 0;
    let mut plain = true;
    let walked = plan.apply_with_subqueries(|node| {
        match node {
            LogicalPlan::TableScan(_) => scans += 1,
            LogicalPlan::Projection(_) | LogicalPlan::Filter(_) | LogicalPlan::SubqueryAlias(_) | LogicalPlan::Limit(_) => {}
            _ => plain = false,
        }
        Ok(if plain { TreeNodeRecursion::Continue } else { TreeNodeRecursion::Stop })
    });
    walked.is_ok() && plain && scans == 1
}

/// With one partition no step mixes rows; a raw table still decodes on all threads, ahead of the one that filters.
fn one_partition(state: SessionState) -> SessionState {
    let config = state.config().clone().with_target_partitions(1);
    SessionStateBuilder::new_from_existing(state).with_config(config).build()
}

/// Whether a step of `plan` holds rows as it is given them.
fn keeps_rows(plan: &Arc<dyn ExecutionPlan>) -> bool {
    let keeps = ["Sort", "Join", "Window", "Spill"].iter().any(|step| plan.name().contains(step));
    keeps || plan.children().into_iter().any(keeps_rows)
}

/// Whether tables are joined by sorting them.
fn has_sorted_joins(plan: &Arc<dyn ExecutionPlan>) -> bool {
    plan.is::<SortMergeJoinExec>() || plan.children().into_iter().any(has_sorted_joins)
}

/// How tables are joined by equality.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Joins {
    /// One table is held in memory.
    Hashed,
    /// Both are sorted, on disk where there is no memory.
    Sorted,
}

impl Joins {
    fn applied(self, state: SessionState) -> SessionState {
        if self == Joins::Hashed {
            return state;
        }
        let partitions = state.config().target_partitions().max(2);
        let mut config = state.config().clone().with_target_partitions(partitions);
        config.options_mut().optimizer.prefer_hash_join = false;
        SessionStateBuilder::new_from_existing(state).with_config(config).build()
    }
}

/// The rows that a query gives.
pub struct QueryResult {
    schema: SchemaRef,
    stream: SendableRecordBatchStream,
    failures: Failures,
    /// The engine and the query, as long as no row was given: until then it can be run another way.
    again: Option<(QueryEngine, String)>,
    /// Behind the stream: its tasks end first.
    _querying: Querying,
}

impl fmt::Debug for QueryResult {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("QueryResult").field("schema", &self.schema).finish_non_exhaustive()
    }
}

impl QueryResult {
    /// The columns of the batches.
    pub fn schema(&self) -> SchemaRef {
        self.schema.clone()
    }

    /// The next rows, or nothing at the end.
    ///
    /// # Errors
    /// [`ErrorKind::Query`] for what fails on a value, [`ErrorKind::Input`] for an input that can't be read on.
    pub async fn next(&mut self) -> Result<Option<RecordBatch>> {
        let batch = match (self.read().await?, self.again.take()) {
            (None, _) => return Ok(None),
            // What joins held in memory may fit on disk.
            (Some(Err(error)), Some((engine, sql))) if engine.can_run_again(&error) => {
                let (plan, _) = engine.physical(&sql, Joins::Sorted).await?;
                if !has_sorted_joins(&plan) {
                    return Err(self.failures.explain(error));
                }
                self.stream = execute_stream(plan.clone(), engine.task(&plan)).map_err(|e| self.failures.explain(e))?;
                match self.read().await? {
                    None => return Ok(None),
                    Some(batch) => batch.map_err(|e| self.failures.explain(e))?,
                }
            }
            (Some(batch), _) => batch.map_err(|e| self.failures.explain(e))?,
        };
        let options = RecordBatchOptions::new().with_row_count(Some(batch.num_rows()));
        Ok(Some(RecordBatch::try_new_with_options(self.schema.clone(), batch.columns().to_vec(), &options)?))
    }

    /// What the plan gives next. Where a library panics, of a damaged file or a value that no column holds, that is an error.
    async fn read(&mut self) -> Result<Option<datafusion::common::Result<RecordBatch>>> {
        poll_fn(|context| unfaulted(caught_in_tasks(|| self.stream.poll_next_unpin(context)))).await
    }
}

/// What a step of work gave, or the error of the fault that ended it.
fn unfaulted<T>(step: std::result::Result<Poll<T>, (String, Vec<Arc<str>>)>) -> Poll<Result<T>> {
    match step {
        Ok(poll) => poll.map(Ok),
        Err((what, files)) => Poll::Ready(Err(fault(&what, &files))),
    }
}
