//! Objects in a real S3 store: what holds for a folder holds for a bucket.

use crate::minio::Minio;
use chrono::TimeDelta;
use etl::ErrorKind;
use etl::storage::{Location, Sse, StaleUpload, Storage, StoreFailure, StoreSettings, wait};
use object_store::{ObjectStoreExt, PutPayload};
use std::error::Error;
use std::sync::Barrier;
use std::thread;

/// What every storage does.
fn behaves(storage: &Storage) {
    assert!(storage.get("a/head.json").unwrap().is_none());
    assert!(storage.put_new("a/head.json", "1").unwrap());
    assert!(!storage.put_new("a/head.json", "1").unwrap(), "the same bytes are another writer's all the same");
    let first = storage.get("a/head.json").unwrap().unwrap();
    assert!(storage.replace("a/head.json", "3", &first.version).unwrap());
    assert!(!storage.replace("a/head.json", "4", &first.version).unwrap());
    assert_eq!(storage.get("a/head.json").unwrap().unwrap().bytes, "3");
    storage.delete(&["a/head.json".to_string()]).unwrap();
    assert!(!storage.replace("a/head.json", "4", &first.version).unwrap());
    storage.put("a/head.json", "5").unwrap();

    let odd = ["a/dt=2020-02-29/x%2Fy z.json", "a/dt=2020-02-29/ä+~&='.json", "a/dt=2020-02-29/empty"];
    odd.iter().for_each(|key| storage.put(key, if key.ends_with("empty") { "" } else { *key }).unwrap());
    for key in &odd[..2] {
        assert_eq!(storage.get(key).unwrap().unwrap().bytes, *key);
    }
    assert_eq!(storage.get(odd[2]).unwrap().unwrap().bytes, "");
    storage.put("b/other", "x").unwrap();
    let keys = |folder: &str| -> Vec<String> { storage.list(folder).unwrap().into_iter().map(|entry| entry.key).collect() };
    let mut expected: Vec<String> = odd.iter().map(|key| key.to_string()).chain(["a/head.json".to_string()]).collect();
    expected.sort();
    assert_eq!(keys("a"), expected);
    assert_eq!(storage.folders("a").unwrap(), ["dt=2020-02-29"]);
    assert_eq!(storage.folders("").unwrap(), ["a", "b"]);
    let all = keys("");
    assert_eq!(all.len(), 5);
    storage.delete(&all).unwrap();
    storage.delete(&all).unwrap();
    assert_eq!(keys(""), [""; 0]);
}

#[test]
fn a_bucket_behaves_like_a_folder() {
    let folder = tempfile::tempdir().unwrap();
    behaves(&Storage::create(Location::Folder(folder.path().join("lake"))).unwrap());
    let Some(minio) = Minio::get() else { return };
    behaves(&minio.storage("some/prefix"));
    behaves(&minio.storage(""));
    let weaker = StoreSettings { conditional_writes: Some(false), ..minio.settings() };
    behaves(&Storage::create_with(minio.location("weaker"), &weaker).unwrap());
}

#[test]
fn of_many_writers_one_wins() {
    let Some(minio) = Minio::get() else { return };
    let storage = minio.storage("lake");
    storage.put("counter", "0").unwrap();
    let (writers, rounds) = (8, 5);
    let start = Barrier::new(writers);
    let won: usize = thread::scope(|scope| {
        let write = |id: usize| {
            let (storage, start) = (&storage, &start);
            move || {
                start.wait();
                for _ in 0..rounds {
                    loop {
                        let found = storage.get("counter").unwrap().unwrap();
                        let count: usize = std::str::from_utf8(&found.bytes).unwrap().parse().unwrap();
                        if storage.replace("counter", (count + 1).to_string(), &found.version).unwrap() {
                            break;
                        }
                    }
                }
                usize::from(storage.put_new("first", format!("writer {id}")).unwrap())
            }
        };
        let threads: Vec<_> = (0..writers).map(|id| scope.spawn(write(id))).collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).sum()
    });
    assert_eq!(won, 1);
    assert_eq!(storage.get("counter").unwrap().unwrap().bytes, (writers * rounds).to_string());
}

#[test]
fn objects_carry_type_tags_and_encryption() {
    let Some(minio) = Minio::get() else { return };
    let tags = [("team", "web / co"), ("cost", "a/b")].map(|(key, value)| (key.to_string(), value.to_string())).into();
    let storage = Storage::open_with(minio.location("lake"), &StoreSettings { tags, ..minio.settings() }).unwrap();
    storage.put("part.csv.gz", "x").unwrap();
    let (status, found) = minio.signed("GET", "lake/part.csv.gz?tagging=", "");
    assert_eq!(status, 200, "{found}");
    assert!(found.contains("<Key>team</Key><Value>web / co</Value>") && found.contains("<Value>a/b</Value>"), "{found}");
    let (store, path) = storage.object("part.csv.gz").unwrap();
    let attributes = wait(async move { store.get_opts(&path, Default::default()).await }).unwrap().attributes;
    assert_eq!(attributes.get(&object_store::Attribute::ContentType).unwrap().as_ref(), "application/gzip");
    assert!(attributes.get(&object_store::Attribute::ContentEncoding).is_none());
}

#[test]
fn objects_are_encrypted_as_asked() {
    let Some(minio) = Minio::get() else { return };
    // The store needs a key for that; the one that tests/run.sh starts has one.
    let Ok(kms_key) = std::env::var("ETL_TEST_S3_KMS") else { return };
    for (sse, kms_key_id, name) in [(Sse::S3, None, "AES256"), (Sse::Kms, None, "aws:kms"), (Sse::Kms, Some(kms_key), "aws:kms")] {
        let settings = StoreSettings { sse: Some(sse), kms_key_id, ..minio.settings() };
        let storage = Storage::open_with(minio.location("lake"), &settings).unwrap();
        behaves(&storage);
        storage.put("single", "x").unwrap();
        let (store, path) = storage.object("parts").unwrap();
        wait(async move {
            let mut upload = store.put_multipart(&path).await?;
            upload.put_part(PutPayload::from(vec![1; 5 << 20])).await?;
            upload.put_part(PutPayload::from(vec![2; 5])).await?;
            upload.complete().await
        })
        .unwrap();
        for key in ["single", "parts"] {
            let answer = minio.ask("s3", "HEAD", &format!("/{}/lake/{key}", minio.bucket), "");
            assert_eq!(answer.headers.get("x-amz-server-side-encryption").unwrap(), name);
        }
        assert_eq!(storage.get("parts").unwrap().unwrap().bytes.len(), (5 << 20) + 5);
        storage.delete(&["single".to_string(), "parts".to_string()]).unwrap();
    }
}

#[test]
fn many_objects_are_listed_and_removed() {
    let Some(minio) = Minio::get() else { return };
    let storage = minio.storage("lake");
    thread::scope(|scope| {
        for worker in 0..16 {
            let storage = &storage;
            scope.spawn(move || (0..150).for_each(|i| storage.put(&format!("many/{worker:02}-{i:04}"), "x").unwrap()));
        }
    });
    let keys: Vec<String> = storage.list("many").unwrap().into_iter().map(|entry| entry.key).collect();
    assert_eq!(keys.len(), 2400);
    assert!(keys.is_sorted());
    storage.delete(&keys).unwrap();
    assert_eq!(storage.list("").unwrap(), []);
}

#[test]
fn failures_say_what_to_do() {
    let Some(minio) = Minio::get() else { return };
    let missing = Storage::open_with(Location::parse("s3://etl-test-no-such-bucket/x").unwrap(), &minio.settings()).unwrap();
    for error in [missing.get("k").unwrap_err(), missing.list("").unwrap_err()] {
        let text = error.to_string();
        assert_eq!(error.kind(), ErrorKind::Input);
        assert!(text.contains("s3://etl-test-no-such-bucket/x") && text.contains("NoSuchBucket") && text.contains("request id"), "{text}");
        assert!(text.contains("make the bucket"), "{text}");
        let failure = error.source().and_then(|source| source.downcast_ref::<StoreFailure>()).unwrap();
        assert_eq!(failure.status, Some(404));
        assert!(failure.request_id.is_some());
    }
    let error = missing.put("k", "x").unwrap_err();
    assert!(error.kind() == ErrorKind::Output && error.to_string().contains("NoSuchBucket"), "{error}");
}

#[test]
fn what_cannot_be_reached_is_told_in_time() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let endpoint = format!("http://{}", listener.local_addr().unwrap());
    drop(listener);
    if std::env::var_os("AWS_ACCESS_KEY_ID").is_none() {
        // Without keys nothing is sent anywhere.
        return;
    }
    let settings = StoreSettings { endpoint_url: Some(endpoint), ..StoreSettings::default() };
    let storage = Storage::open_with(Location::parse("s3://bucket/x").unwrap(), &settings).unwrap();
    let begin = std::time::Instant::now();
    let text = storage.get("k").unwrap_err().to_string();
    assert!(text.contains("can't be reached") && text.contains("--endpoint-url"), "{text}");
    assert!(begin.elapsed().as_secs() < 60);
}

#[test]
fn uploads_nobody_finished_are_found_and_aborted() {
    let Some(minio) = Minio::get() else { return };
    let storage = minio.storage("lake");
    let begin = |key: &str| {
        let (store, path) = storage.object(key).unwrap();
        wait(async move {
            let mut upload = store.put_multipart(&path).await.unwrap();
            upload.put_part(PutPayload::from(vec![1; 5 << 20])).await.unwrap();
            upload
        })
    };
    let (mut finished, mut aborted) = (begin("t/finished"), begin("t/aborted"));
    drop((begin("t/left &+% ü.parquet"), begin("t/left 2"), begin("other/left")));
    let other = minio.storage("lake-of-others");
    let (store, path) = other.object("t/left").unwrap();
    drop(wait(async move { store.put_multipart(&path).await.unwrap() }));
    wait(async move {
        finished.complete().await.unwrap();
        aborted.abort().await.unwrap();
        aborted.abort().await.unwrap();
    });
    let keys = |uploads: &[StaleUpload]| -> Vec<String> { uploads.iter().map(|upload| upload.key.clone()).collect() };
    assert_eq!(storage.stale_uploads("t", TimeDelta::hours(1)).unwrap(), []);
    let stale = storage.stale_uploads("t", TimeDelta::seconds(-60)).unwrap();
    assert_eq!(keys(&stale), ["t/left &+% ü.parquet", "t/left 2"]);
    assert_eq!(storage.stale_uploads("", TimeDelta::seconds(-60)).unwrap().len(), 3);
    storage.abort_uploads(&stale).unwrap();
    storage.abort_uploads(&stale).unwrap();
    assert_eq!(keys(&storage.stale_uploads("", TimeDelta::seconds(-60)).unwrap()), ["other/left"]);
    assert_eq!(keys(&other.stale_uploads("", TimeDelta::seconds(-60)).unwrap()), ["t/left"]);
    let listed: Vec<String> = storage.list("").unwrap().into_iter().map(|entry| entry.key).collect();
    assert_eq!(listed, ["t/finished"]);
    // A bucket with uploads can't be removed.
    storage.abort_uploads(&storage.stale_uploads("", TimeDelta::seconds(-60)).unwrap()).unwrap();
    other.abort_uploads(&other.stale_uploads("", TimeDelta::seconds(-60)).unwrap()).unwrap();
}
