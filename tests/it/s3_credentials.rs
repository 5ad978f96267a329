//! Keys are found where the AWS tools find them, and nobody ever sees them. The environment is that of a process, so each case
//! runs this program's own test [`child`] in another one.

use crate::etl::Outcome;
use crate::minio::Minio;
use etl::storage::{Storage, StoreSettings};
use std::env;
use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::Instant;
use tempfile::TempDir;

/// Writes and reads an object where its environment says, and says how that ended. Does nothing unless it is told to.
#[test]
fn child() {
    let Ok(location) = env::var("ETL_TEST_CHILD") else { return };
    let settings = StoreSettings { profile: env::var("ETL_TEST_PROFILE").ok(), ..StoreSettings::default() };
    let round_trip = || {
        let storage = Storage::open_with(etl::storage::Location::parse(&location)?, &settings)?;
        for _ in 0..3 {
            storage.put("k", "x")?;
        }
        storage.get("k").map(|object| assert!(object.is_some()))
    };
    let begin = Instant::now();
    let said = match round_trip() {
        Ok(()) => "CHILD DONE".to_string(),
        Err(error) => format!("CHILD FAILED: {error}\n{error:?}"),
    };
    writeln!(std::io::stdout(), "{said} in {} ms", begin.elapsed().as_millis()).unwrap();
}

/// A process that does what [`child`] does, without any of the keys and settings of this one.
struct Case {
    command: Command,
    folder: TempDir,
}

impl Case {
    fn new(minio: &Minio) -> Case {
        let mut command = Command::new(env::current_exe().unwrap());
        command.args(["--exact", "s3_credentials::child", "--nocapture"]).stdin(Stdio::null());
        for (name, _) in env::vars_os().filter(|(name, _)| name.to_string_lossy().starts_with("AWS_")) {
            command.env_remove(name);
        }
        let folder = tempfile::tempdir().unwrap();
        command
            .env("ETL_TEST_CHILD", minio.location("lake").to_string())
            .env("AWS_ENDPOINT_URL_S3", &minio.endpoint)
            .env("AWS_EC2_METADATA_DISABLED", "true")
            .env("HOME", folder.path())
            .env("AWS_CONFIG_FILE", folder.path().join("config"))
            .env("AWS_SHARED_CREDENTIALS_FILE", folder.path().join("credentials"));
        Case { command, folder }
    }

    fn env(mut self, name: &str, value: impl AsRef<str>) -> Case {
        self.command.env(name, value.as_ref());
        self
    }

    fn file(self, name: &str, text: &str) -> Case {
        fs::write(self.folder.path().join(name), text).unwrap();
        self
    }

    fn path(&self) -> &Path {
        self.folder.path()
    }

    /// What the process said; never a key.
    #[track_caller]
    fn said(mut self) -> String {
        let outcome = Outcome::of(self.command.output().unwrap());
        let text = format!("{}{}", String::from_utf8_lossy(&outcome.stdout), outcome.stderr);
        let secrets = [key("AWS_SECRET_ACCESS_KEY"), WRONG_SECRET.to_string(), WRONG_TOKEN.to_string()];
        secrets.iter().for_each(|secret| assert!(!text.contains(secret.as_str()), "a key is in: {text}"));
        text
    }

    #[track_caller]
    fn done(self) {
        let text = self.said();
        assert!(text.contains("CHILD DONE"), "{text}");
    }

    #[track_caller]
    fn fails_with(self, parts: &[&str]) {
        let text = self.said();
        assert!(text.contains("CHILD FAILED"), "{text}");
        parts.iter().for_each(|part| assert!(text.contains(part), "`{part}` is not in: {text}"));
    }
}

const WRONG_SECRET: &str = "wrongSecretKey/0123456789+abcdefghijklmn";
const WRONG_TOKEN: &str = "wrongSessionToken==0123456789";

fn key(name: &str) -> String {
    env::var(name).unwrap()
}

/// The keys of the store, as a file of profiles has them.
fn keys() -> String {
    let (id, secret) = (key("AWS_ACCESS_KEY_ID"), key("AWS_SECRET_ACCESS_KEY"));
    format!("aws_access_key_id = {id}\naws_secret_access_key = {secret}\n")
}

/// Serves one document at any path but for those of IMDS tokens, and counts.
fn serve(document: String) -> (String, Arc<AtomicUsize>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let endpoint = format!("http://{}", listener.local_addr().unwrap());
    let count = Arc::new(AtomicUsize::new(0));
    let counted = count.clone();
    let answer = move |mut stream: TcpStream| -> std::io::Result<()> {
        let mut reader = BufReader::new(stream.try_clone()?);
        loop {
            let mut line = String::new();
            if reader.read_line(&mut line)? == 0 {
                return Ok(());
            }
            let mut header = String::new();
            while reader.read_line(&mut header)? > 2 {
                header.clear();
            }
            let (body, extra) = match line.split(' ').nth(1).unwrap_or_default() {
                "/latest/api/token" => ("token".to_string(), "x-aws-ec2-metadata-token-ttl-seconds: 21600\r\n"),
                path if path.trim_end_matches('/').ends_with("/security-credentials") => ("role".to_string(), ""),
                _ => {
                    counted.fetch_add(1, Ordering::Relaxed);
                    (document.clone(), "")
                }
            };
            write!(stream, "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n{extra}Content-Length: {}\r\n\r\n{body}", body.len())?;
        }
    };
    thread::spawn(move || {
        for stream in listener.incoming() {
            let answer = answer.clone();
            thread::spawn(move || drop(answer(stream.unwrap())));
        }
    });
    (endpoint, count)
}

fn document(minutes: i64) -> String {
    let until = (chrono::Utc::now() + chrono::TimeDelta::minutes(minutes)).format("%Y-%m-%dT%H:%M:%SZ");
    let (id, secret) = (key("AWS_ACCESS_KEY_ID"), key("AWS_SECRET_ACCESS_KEY"));
    format!(r#"{{"Version":1,"Code":"Success","AccessKeyId":"{id}","SecretAccessKey":"{secret}","Token":"","Expiration":"{until}"}}"#)
}

#[test]
fn keys_come_from_environment_profile_or_program() {
    let Some(minio) = Minio::get() else { return };
    let (id, secret) = (key("AWS_ACCESS_KEY_ID"), key("AWS_SECRET_ACCESS_KEY"));
    Case::new(&minio).env("AWS_ACCESS_KEY_ID", &id).env("AWS_SECRET_ACCESS_KEY", &secret).done();
    Case::new(&minio).file("credentials", &format!("[default]\n{}", keys())).done();
    Case::new(&minio).file("credentials", &format!("[lake]\n{}", keys())).env("AWS_PROFILE", "lake").done();
    // A profile that is named comes before keys in the environment.
    let named = Case::new(&minio).file("credentials", &format!("[lake]\n{}", keys())).env("ETL_TEST_PROFILE", "lake");
    named.env("AWS_ACCESS_KEY_ID", "wrong-key").env("AWS_SECRET_ACCESS_KEY", WRONG_SECRET).done();
    let program = Case::new(&minio);
    let answer = program.path().join("answer");
    fs::write(&answer, document(60).replace(r#""Token":"","#, "")).unwrap();
    program.file("config", &format!("[default]\ncredential_process = cat {}\n", answer.display())).done();
}

#[test]
fn keys_of_a_session_have_a_token() {
    let Some(minio) = Minio::get() else { return };
    let answer = minio.ask("sts", "POST", "/", "Action=AssumeRole&Version=2011-06-15&DurationSeconds=3600");
    let element = |name: &str| -> Option<String> {
        let (_, rest) = answer.body.split_once(&format!("<{name}>"))?;
        rest.split_once('<').map(|(text, _)| text.to_string())
    };
    // Only MinIO gives a session to anybody with keys.
    let (Some(id), Some(secret), Some(token)) = (element("AccessKeyId"), element("SecretAccessKey"), element("SessionToken")) else {
        assert!(env::var_os("ETL_TEST_S3_KMS").is_none(), "our own MinIO gives sessions: {} {}", answer.status, answer.body);
        return;
    };
    let session = |token: &str| {
        let case = Case::new(&minio).env("AWS_ACCESS_KEY_ID", &id).env("AWS_SECRET_ACCESS_KEY", &secret);
        case.env("AWS_SESSION_TOKEN", token)
    };
    session(&token).done();
    let text = session(WRONG_TOKEN).said();
    assert!(text.contains("CHILD FAILED") && text.contains("request id") && !text.contains(&secret), "{text}");
}

#[test]
fn keys_come_from_container_and_instance() {
    let Some(minio) = Minio::get() else { return };
    let (endpoint, count) = serve(document(60).replace(r#""Token":"","#, &format!(r#""Token":"{}","#, "")));
    Case::new(&minio).env("AWS_CONTAINER_CREDENTIALS_FULL_URI", format!("{endpoint}/keys")).done();
    assert_eq!(count.load(Ordering::Relaxed), 1, "keys that hold are kept");
    let instance = Case::new(&minio).env("AWS_EC2_METADATA_DISABLED", "false").env("AWS_EC2_METADATA_SERVICE_ENDPOINT", &endpoint);
    instance.done();
    assert!(count.load(Ordering::Relaxed) > 1);
    let (endpoint, count) = serve(document(2));
    Case::new(&minio).env("AWS_CONTAINER_CREDENTIALS_FULL_URI", format!("{endpoint}/keys")).done();
    assert_eq!(count.load(Ordering::Relaxed), 4, "keys that end soon are asked for again");
}

#[test]
fn wrong_and_missing_keys_are_told_and_never_shown() {
    let Some(minio) = Minio::get() else { return };
    let id = key("AWS_ACCESS_KEY_ID");
    let wrong = Case::new(&minio).env("AWS_ACCESS_KEY_ID", &id).env("AWS_SECRET_ACCESS_KEY", WRONG_SECRET);
    wrong.fails_with(&["SignatureDoesNotMatch", "AWS_SECRET_ACCESS_KEY", "request id", &minio.location("lake/k").to_string()]);
    let unknown = Case::new(&minio).env("AWS_ACCESS_KEY_ID", "nobodyKnowsMe").env("AWS_SECRET_ACCESS_KEY", WRONG_SECRET);
    unknown.fails_with(&["InvalidAccessKeyId", "request id"]);
    let token = Case::new(&minio).env("AWS_ACCESS_KEY_ID", &id).env("AWS_SECRET_ACCESS_KEY", key("AWS_SECRET_ACCESS_KEY"));
    token.env("AWS_SESSION_TOKEN", WRONG_TOKEN).fails_with(&["request id"]);
    Case::new(&minio).fails_with(&["no credentials were found", "AWS_ACCESS_KEY_ID", "--profile"]);
    Case::new(&minio).env("ETL_TEST_PROFILE", "nobody").fails_with(&["no credentials", "--profile"]);
    // Nobody answers where an instance would.
    let begin = Instant::now();
    let nowhere = Case::new(&minio).env("AWS_EC2_METADATA_DISABLED", "false");
    nowhere.env("AWS_EC2_METADATA_SERVICE_ENDPOINT", "http://127.0.0.1:1").fails_with(&["no credentials"]);
    assert!(begin.elapsed().as_secs() < 30);
}

#[test]
fn the_region_is_known_or_asked_for() {
    let Some(minio) = Minio::get() else { return };
    let mut aws = Case::new(&minio);
    aws.command.env_remove("AWS_ENDPOINT_URL_S3");
    aws.fails_with(&["the AWS region", "AWS_REGION", "--region"]);
    Case::new(&minio).env("AWS_REGION", "not a region").fails_with(&["`not a region` is not a region"]);
    let other = Case::new(&minio).env("AWS_ENDPOINT_URL_S3", "").env("AWS_ENDPOINT_URL", &minio.endpoint);
    other.file("credentials", &format!("[default]\n{}", keys())).done();
    let tls = Case::new(&minio).env("AWS_ENDPOINT_URL_S3", minio.endpoint.replace("http:", "https:"));
    tls.file("credentials", &format!("[default]\n{}", keys())).fails_with(&["can't be reached", "http:// instead of https://"]);
}
