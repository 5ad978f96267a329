//! A Lake Formation for tests, as AWS's is where moto is not: tags merge, inherited ones are told where they are not excluded, answers come in pages,
//! what fails in a batch stands in a list, SELECT of a table comes back as one of its columns, and there are filters, expressions, row policies and
//! opt-ins. It tells whose keys these are, too, as STS does.

use super::fault_proxy::{header, read_body, read_head};
use serde_json::{Value, json};
use std::collections::{BTreeMap, VecDeque};
use std::io::{BufReader, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;

/// The stub, until it is dropped.
pub(crate) struct LakeFormationStub {
    pub(crate) endpoint: String,
    address: SocketAddr,
    state: Arc<State>,
}

struct State {
    held: Mutex<Held>,
    calls: Mutex<Vec<(String, Value)>>,
    /// What is answered instead, by operation, one after the other.
    script: Mutex<BTreeMap<String, VecDeque<(u16, Value)>>>,
    stopped: AtomicBool,
}

#[derive(Default)]
struct Held {
    tags: BTreeMap<String, Vec<String>>,
    /// By the resource as JSON.
    assigned: BTreeMap<String, BTreeMap<String, String>>,
    grants: Vec<Value>,
    expressions: BTreeMap<String, Value>,
    filters: BTreeMap<String, Value>,
    row_policies: BTreeMap<String, Value>,
    attachments: Vec<Value>,
    locations: Vec<Value>,
    opt_ins: Vec<Value>,
    settings: Value,
}

/// So many come in one answer.
const PAGE: usize = 2;
pub(crate) const ACCOUNT: &str = "123456789012";

impl LakeFormationStub {
    pub(crate) fn start() -> LakeFormationStub {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let held = Held { settings: json!({"DataLakeAdmins": [], "Parameters": {"kept": "yes"}}), ..Held::default() };
        let state =
            Arc::new(State { held: Mutex::new(held), calls: Mutex::default(), script: Mutex::default(), stopped: AtomicBool::new(false) });
        let serving = state.clone();
        thread::spawn(move || {
            for client in listener.incoming() {
                if serving.stopped.load(Ordering::Relaxed) {
                    return;
                }
                let (Ok(client), state) = (client, serving.clone()) else { continue };
                thread::spawn(move || drop(serve(client, &state)));
            }
        });
        LakeFormationStub { endpoint: format!("http://{address}"), address, state }
    }

    /// The next calls of `operation` are answered like this.
    pub(crate) fn next(&self, operation: &str, answers: impl IntoIterator<Item = (u16, Value)>) {
        self.state.script.lock().unwrap().entry(operation.to_string()).or_default().extend(answers);
    }

    /// What was asked since this was called last.
    pub(crate) fn calls(&self) -> Vec<(String, Value)> {
        std::mem::take(&mut *self.state.calls.lock().unwrap())
    }

    /// The operations among them that change something.
    pub(crate) fn writes(&self) -> Vec<String> {
        let reads = |name: &String| name.starts_with("List") || name.starts_with("Get");
        self.calls().into_iter().map(|(name, _)| name).filter(|name| !reads(name)).collect()
    }

    /// Adds a grant, as if somebody else had made it.
    pub(crate) fn grant(&self, principal: &str, resource: Value, permissions: &[&str]) {
        let entry = json!({"Principal": {"DataLakePrincipalIdentifier": principal}, "Resource": resource, "Permissions": permissions});
        grant(&mut self.state.held.lock().unwrap().grants, &entry);
    }

    /// The grants, one a line: who, on what, and what is allowed.
    pub(crate) fn grants(&self) -> Vec<String> {
        let held = self.state.held.lock().unwrap();
        let mut grants: Vec<String> = held
            .grants
            .iter()
            .map(|one| {
                let who = one["Principal"]["DataLakePrincipalIdentifier"].as_str().unwrap().rsplit('/').next().unwrap();
                format!("{who} {} {}", one["Resource"], one["Permissions"])
            })
            .collect();
        grants.sort();
        grants
    }

    /// The tags of all resources that have some: the resource as JSON.
    pub(crate) fn assigned(&self) -> BTreeMap<String, BTreeMap<String, String>> {
        let mut assigned = self.state.held.lock().unwrap().assigned.clone();
        assigned.retain(|_, tags| !tags.is_empty());
        assigned
    }

    pub(crate) fn tags(&self) -> BTreeMap<String, Vec<String>> {
        self.state.held.lock().unwrap().tags.clone()
    }

    pub(crate) fn settings(&self) -> Value {
        self.state.held.lock().unwrap().settings.clone()
    }

    /// How many filters, expressions, row policies, attachments, locations and opt-ins there are.
    pub(crate) fn counts(&self) -> [usize; 6] {
        let held = self.state.held.lock().unwrap();
        [
            held.filters.len(),
            held.expressions.len(),
            held.row_policies.len(),
            held.attachments.len(),
            held.locations.len(),
            held.opt_ins.len(),
        ]
    }
}

impl Drop for LakeFormationStub {
    fn drop(&mut self) {
        self.state.stopped.store(true, Ordering::Relaxed);
        drop(TcpStream::connect(self.address));
    }
}

fn serve(mut client: TcpStream, state: &State) -> std::io::Result<()> {
    client.set_nodelay(true)?;
    let mut reader = BufReader::new(client.try_clone()?);
    while let Some(mut asked) = read_head(&mut reader)? {
        read_body(&mut reader, &mut asked, false)?;
        let head = String::from_utf8_lossy(&asked.head).into_owned();
        let path = head.split(' ').nth(1).unwrap_or_default().trim_start_matches('/').to_string();
        // Glue's way of naming what is asked.
        let path = header(&head, "x-amz-target").and_then(|target| target.rsplit('.').next()).map_or(path, str::to_string);
        if header(&head, "content-type").is_some_and(|kind| kind.contains("urlencoded")) {
            let arn = format!("arn:aws:sts::{ACCOUNT}:assumed-role/etl/test");
            let body = format!(
                "<GetCallerIdentityResponse xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\"><GetCallerIdentityResult><Arn>{arn}</Arn><UserId>u</UserId><Account>{ACCOUNT}</Account></GetCallerIdentityResult></GetCallerIdentityResponse>"
            );
            let date = chrono::Utc::now().to_rfc2822();
            write!(client, "HTTP/1.1 200 OK\r\nDate: {date}\r\nContent-Type: text/xml\r\nContent-Length: {}\r\n\r\n{body}", body.len())?;
            continue;
        }
        let body: Value = serde_json::from_slice(&asked.body).unwrap_or(Value::Null);
        state.calls.lock().unwrap().push((path.clone(), body.clone()));
        let scripted = state.script.lock().unwrap().get_mut(&path).and_then(VecDeque::pop_front);
        let (status, answer) = scripted.unwrap_or_else(|| match answer(&mut state.held.lock().unwrap(), &path, &body) {
            Ok(answer) => (200, answer),
            Err((code, message)) => (400, json!({"__type": code, "Message": message})),
        });
        let kind = answer["__type"].as_str().map(|kind| format!("x-amzn-errortype: {kind}\r\n")).unwrap_or_default();
        let answer = answer.to_string();
        write!(
            client,
            "HTTP/1.1 {status} Answer\r\nContent-Type: application/json\r\nx-amzn-RequestId: request-1\r\n{kind}Content-Length: {}\r\n\r\n{answer}",
            answer.len()
        )?;
    }
    Ok(())
}

type Fault = (&'static str, String);

fn answer(held: &mut Held, operation: &str, body: &Value) -> Result<Value, Fault> {
    let key = || body["TagKey"].as_str().unwrap_or_default().to_string();
    let name = || body["Name"].as_str().unwrap_or_default().to_string();
    let values = |field: &str| -> Vec<String> {
        body[field].as_array().into_iter().flatten().map(|value| value.as_str().unwrap().to_string()).collect()
    };
    let too_many = |count: usize| if count > 50 { Err(("InvalidInputException", "too many values".to_string())) } else { Ok(()) };
    match operation {
        "CreateLFTag" => {
            too_many(values("TagValues").len())?;
            if held.tags.insert(key(), values("TagValues")).is_some() {
                return Err(("InvalidInputException", "Tag key already exists".to_string()));
            }
        }
        "UpdateLFTag" => {
            too_many(values("TagValuesToAdd").len() + values("TagValuesToDelete").len())?;
            let gone = values("TagValuesToDelete");
            let used = held.assigned.values().any(|tags| tags.get(&key()).is_some_and(|value| gone.contains(value)));
            if used {
                return Err(("InvalidInputException", "Tag value is assigned to a resource".to_string()));
            }
            let own = held.tags.get_mut(&key()).ok_or(("EntityNotFoundException", "no such tag".to_string()))?;
            own.retain(|value| !gone.contains(value));
            own.extend(values("TagValuesToAdd"));
        }
        "DeleteLFTag" => drop(held.tags.remove(&key())),
        "ListLFTags" => return Ok(page(body, "LFTags", held.tags.iter().map(|(key, values)| json!({"CatalogId": ACCOUNT, "TagKey": key, "TagValues": values})).collect())),
        "AddLFTagsToResource" | "RemoveLFTagsFromResource" => return Ok(tag(held, body, operation.starts_with("Add"))),
        "GetResourceLFTags" => return Ok(tags_of(held, body)),
        "BatchGrantPermissions" | "BatchRevokePermissions" => {
            let entries = body["Entries"].as_array().unwrap();
            if entries.len() > 20 {
                return Err(("InvalidInputException", "too many entries".to_string()));
            }
            for entry in entries {
                match operation.starts_with("BatchGrant") {
                    true => grant(&mut held.grants, entry),
                    false => revoke(&mut held.grants, entry),
                }
            }
            return Ok(json!({"Failures": []}));
        }
        "ListPermissions" => {
            assert!(body["Resource"].is_null(), "with a resource the effective permissions are told");
            return Ok(page(body, "PrincipalResourcePermissions", held.grants.iter().flat_map(shown).collect()));
        }
        "CreateLFTagExpression" | "UpdateLFTagExpression" => drop(held.expressions.insert(name(), body["Expression"].clone())),
        "DeleteLFTagExpression" => drop(held.expressions.remove(&name())),
        "ListLFTagExpressions" => {
            let all = held.expressions.iter().map(|(name, expression)| json!({"Name": name, "Expression": expression}));
            return Ok(page(body, "LFTagExpressions", all.collect()));
        }
        "CreateDataCellsFilter" | "UpdateDataCellsFilter" => {
            let data = &body["TableData"];
            held.filters.insert(format!("{}.{}.{}", data["DatabaseName"], data["TableName"], data["Name"]), data.clone());
        }
        "DeleteDataCellsFilter" => drop(held.filters.remove(&format!("{}.{}.{}", body["DatabaseName"], body["TableName"], body["Name"]))),
        "ListDataCellsFilter" => {
            let own = held.filters.values().filter(|one| one["TableName"] == body["Table"]["Name"] && one["DatabaseName"] == body["Table"]["DatabaseName"]);
            return Ok(page(body, "DataCellsFilters", own.cloned().collect()));
        }
        "CreateRLSPolicy" | "UpdateRLSPolicy" => {
            let mut policy = held.row_policies.get(&name()).cloned().unwrap_or_else(|| body.clone());
            policy["FilterExpression"] = body["FilterExpression"].clone();
            held.row_policies.insert(name(), policy);
        }
        "DeleteRLSPolicy" => drop(held.row_policies.remove(&name())),
        "ListRLSPolicies" => return Ok(page(body, "RLSPolicies", held.row_policies.values().cloned().collect())),
        "AttachRLSPolicy" => {
            let mut attached = body.clone();
            attached["PolicyName"] = body["Name"].clone();
            held.attachments.push(attached);
        }
        "DetachRLSPolicy" => held.attachments.retain(|one| !(one["PolicyName"] == body["Name"] && one["Resource"] == body["Resource"] && one["Principal"] == body["Principal"])),
        "ListRLSPolicyAttachments" => {
            let own = held.attachments.iter().filter(|one| one["PolicyName"] == body["PolicyName"]);
            return Ok(page(body, "RLSPolicyAttachments", own.cloned().collect()));
        }
        "RegisterResource" => held.locations.push(json!({"ResourceArn": body["ResourceArn"], "RoleArn": body["RoleArn"], "HybridAccessEnabled": body["HybridAccessEnabled"] == true})),
        "ListResources" => return Ok(page(body, "ResourceInfoList", held.locations.clone())),
        "CreateLakeFormationOptIn" => held.opt_ins.push(body.clone()),
        "DeleteLakeFormationOptIn" => held.opt_ins.retain(|one| one["Principal"] != body["Principal"] || one["Resource"] != body["Resource"]),
        "ListLakeFormationOptIns" => return Ok(page(body, "LakeFormationOptInsInfoList", held.opt_ins.clone())),
        "GetDataLakeSettings" => return Ok(json!({"DataLakeSettings": held.settings})),
        "PutDataLakeSettings" => held.settings = body["DataLakeSettings"].clone(),
        other => return Err(("UnknownOperationException", format!("{other} is not known here"))),
    }
    Ok(json!({}))
}

fn page(body: &Value, field: &str, all: Vec<Value>) -> Value {
    let from: usize = body["NextToken"].as_str().map_or(0, |token| token.parse().unwrap());
    let mut answer = json!({field: all.iter().skip(from).take(PAGE).collect::<Vec<_>>()});
    if from + PAGE < all.len() {
        answer["NextToken"] = json!((from + PAGE).to_string());
    }
    answer
}

/// Resources that have tags, as keys: a column is one each.
fn resources(resource: &Value) -> Vec<String> {
    if let Some(table) = resource.get("TableWithColumns") {
        let names = table["ColumnNames"].as_array().cloned().unwrap_or_default();
        return names.iter().map(|name| format!("{}.{}.{}", text(&table["DatabaseName"]), text(&table["Name"]), text(name))).collect();
    }
    match resource.get("Table") {
        Some(table) => vec![format!("{}.{}", text(&table["DatabaseName"]), text(&table["Name"]))],
        None => vec![text(&resource["Database"]["Name"])],
    }
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_string()
}

fn tag(held: &mut Held, body: &Value, adds: bool) -> Value {
    let mut failures = Vec::new();
    for pair in body["LFTags"].as_array().unwrap() {
        let (key, value) = (text(&pair["TagKey"]), text(&pair["TagValues"][0]));
        if !held.tags.get(&key).is_some_and(|values| values.contains(&value)) {
            failures.push(json!({"LFTag": pair, "Error": {"ErrorCode": "EntityNotFoundException", "ErrorMessage": format!("Tag {key} has no value {value}")}}));
            continue;
        }
        for resource in resources(&body["Resource"]) {
            let own = held.assigned.entry(resource).or_default();
            match adds {
                true => drop(own.insert(key.clone(), value.clone())),
                false => drop(own.remove(&key)),
            }
        }
    }
    json!({"Failures": failures})
}

/// With what is inherited, where that is not excluded.
fn tags_of(held: &Held, body: &Value) -> Value {
    let only_own = body["ShowAssignedLFTags"] == true;
    let name = resources(&body["Resource"]).remove(0);
    let of = |name: &str| held.assigned.get(name).cloned().unwrap_or_default();
    let pairs = |tags: &BTreeMap<String, String>| -> Value {
        tags.iter().map(|(key, value)| json!({"TagKey": key, "TagValues": [value]})).collect()
    };
    let mut answer = json!({});
    let database = name.split('.').next().unwrap();
    if !only_own || name == database {
        answer["LFTagOnDatabase"] = pairs(&of(database));
    }
    if name != database {
        let mut own = if only_own { BTreeMap::new() } else { of(database) };
        own.extend(of(&name));
        answer["LFTagsOnTable"] = pairs(&own);
        let columns = held.assigned.iter().filter_map(|(key, tags)| Some((key.strip_prefix(&format!("{name}."))?, tags)));
        answer["LFTagsOnColumns"] = columns.map(|(column, tags)| json!({"Name": column, "LFTags": pairs(tags)})).collect();
    }
    answer
}

fn grant(grants: &mut Vec<Value>, entry: &Value) {
    let mut one = json!({"Principal": entry["Principal"], "Resource": entry["Resource"], "Condition": entry["Condition"]});
    let known = grants.iter().position(|known| ["Principal", "Resource", "Condition"].iter().all(|field| known[*field] == one[*field]));
    for field in ["Permissions", "PermissionsWithGrantOption"] {
        let mut all: Vec<String> =
            known.map(|at| grants[at][field].as_array().cloned().unwrap_or_default()).unwrap_or_default().iter().map(text).collect();
        all.extend(entry[field].as_array().into_iter().flatten().map(text));
        all.sort();
        all.dedup();
        one[field] = json!(all);
    }
    match known {
        Some(at) => grants[at] = one,
        None => grants.push(one),
    }
}

fn revoke(grants: &mut Vec<Value>, entry: &Value) {
    for one in grants.iter_mut() {
        let same = ["Principal", "Resource", "Condition"].iter().all(|field| one[*field] == entry[*field]);
        if same {
            for field in ["Permissions", "PermissionsWithGrantOption"] {
                let gone: Vec<String> = entry[field].as_array().into_iter().flatten().map(text).collect();
                let left: Vec<String> = one[field].as_array().into_iter().flatten().map(text).filter(|held| !gone.contains(held)).collect();
                one[field] = json!(left);
            }
        }
    }
    grants.retain(|one| one["Permissions"].as_array().is_some_and(|all| !all.is_empty()));
}

/// A grant as it is listed: SELECT of a table is one of its columns.
fn shown(one: &Value) -> Vec<Value> {
    let Some(table) = one["Resource"].get("Table") else { return vec![one.clone()] };
    let mut rest = one.clone();
    let all = one["Permissions"].as_array().cloned().unwrap_or_default();
    let (select, others): (Vec<Value>, Vec<Value>) = all.into_iter().partition(|permission| permission == "SELECT");
    rest["Permissions"] = json!(others);
    let mut listed = Vec::new();
    if !others.is_empty() {
        listed.push(rest);
    }
    if !select.is_empty() {
        let mut columns = one.clone();
        let name = if table.get("TableWildcard").is_some_and(|wildcard| !wildcard.is_null()) {
            json!("ALL_TABLES")
        } else {
            table["Name"].clone()
        };
        columns["Resource"] = json!({"TableWithColumns": {"DatabaseName": table["DatabaseName"], "Name": name, "ColumnWildcard": {}}});
        columns["Permissions"] = json!(["SELECT"]);
        listed.push(columns);
    }
    listed
}
