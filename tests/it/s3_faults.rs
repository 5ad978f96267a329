//! Storage on a bad day: whatever breaks on the way, what was asked is done once, and what is told is true.

use crate::fault_proxy::{FAULTS, Fault, FaultProxy};
use crate::minio::Minio;
use etl::storage::{Storage, StoreSettings, wait};
use object_store::{ObjectStoreExt, PutPayload};
use std::collections::BTreeSet;
use std::thread;
use std::time::Duration;

/// The storage at `prefix`, seen through the proxy.
fn through(proxy: &FaultProxy, minio: &Minio, prefix: &str) -> Storage {
    let settings = StoreSettings { endpoint_url: Some(proxy.endpoint.clone()), ..StoreSettings::default() };
    Storage::open_with(minio.location(prefix), &settings).unwrap()
}

/// Bytes that differ everywhere, and from object to object.
fn bytes(length: usize, seed: u64) -> Vec<u8> {
    (0..length as u64).map(|i| (i.wrapping_mul(0x9E37_79B9).wrapping_add(seed * 31) >> 7) as u8).collect()
}

fn upload(storage: &Storage, key: &str, parts: Vec<Vec<u8>>) -> object_store::Result<()> {
    let (store, path) = storage.object(key).unwrap();
    wait(async move {
        let mut upload = store.put_multipart(&path).await?;
        let parts: Vec<_> = parts.into_iter().map(|part| upload.put_part(PutPayload::from(part))).collect();
        futures::future::try_join_all(parts).await?;
        upload.complete().await.map(drop)
    })
}

#[test]
fn each_fault_is_survived_by_each_request() {
    let Some(minio) = Minio::get() else { return };
    let proxy = FaultProxy::start(&minio.endpoint, 0, 1);
    for fault in FAULTS {
        let prefix = format!("{fault:?}");
        let storage = through(&proxy, &minio, &prefix);
        let break_next = |what: &str| proxy.next(what, fault);
        let happened = || assert_eq!(proxy.pending(), 0, "{fault:?} happened");

        break_next("PUT ");
        storage.put("put", "1").unwrap();
        happened();
        break_next("PUT ");
        assert!(storage.put_new("new", "unique 1").unwrap(), "{fault:?}");
        happened();
        break_next("PUT ");
        assert!(!storage.put_new("new", "unique 2").unwrap(), "{fault:?}");
        break_next("GET ");
        let found = storage.get("new").unwrap().unwrap();
        assert_eq!(found.bytes, "unique 1");
        happened();
        break_next("GET ");
        assert!(storage.get("missing").unwrap().is_none());
        break_next("PUT ");
        assert!(storage.replace("new", "unique 3", &found.version).unwrap(), "{fault:?}");
        happened();
        break_next("PUT ");
        assert!(!storage.replace("new", "unique 4", &found.version).unwrap(), "{fault:?}");
        happened();
        break_next("list-type=2");
        assert_eq!(storage.list("").unwrap().len(), 2);
        break_next("list-type=2");
        assert_eq!(storage.folders("").unwrap(), [""; 0]);
        happened();

        let parts = || vec![bytes(5 << 20, 1), bytes(100, 2)];
        for step in ["?uploads", "partNumber=2", "POST "] {
            break_next(step);
            upload(&storage, &format!("multi{}", step.len()), parts()).unwrap_or_else(|e| panic!("{fault:?} {step}: {e}"));
            happened();
            let stored = minio.storage(&prefix).get(&format!("multi{}", step.len())).unwrap().unwrap();
            assert!(stored.bytes == parts().concat(), "{fault:?} {step}");
        }
        // Large enough to be handed on while it comes.
        let large = bytes(9 << 20, 3);
        storage.put("large", large.clone()).unwrap();
        break_next("GET ");
        assert!(storage.get("large").unwrap().unwrap().bytes == large, "{fault:?}");
        happened();

        break_next("POST ");
        let keys: Vec<String> = storage.list("").unwrap().into_iter().map(|entry| entry.key).collect();
        storage.delete(&keys).unwrap();
        happened();
        assert_eq!(minio.storage(&prefix).list("").unwrap(), []);
        break_next("uploads=");
        storage.stale_uploads("", chrono::TimeDelta::zero()).unwrap();
        happened();
    }
    abort_all(&minio);
}

/// A try of which nobody heard may have left an upload behind.
fn abort_all(minio: &Minio) {
    let storage = minio.storage("");
    storage.abort_uploads(&storage.stale_uploads("", chrono::TimeDelta::seconds(-60)).unwrap()).unwrap();
}

#[test]
fn at_one_fault_in_ten_requests_all_ends_right() {
    let Some(minio) = Minio::get() else { return };
    let proxy = FaultProxy::start(&minio.endpoint, 100, 20200229);
    let (workers, rounds) = (6, 30);
    through(&proxy, &minio, "lake").put("log", "").unwrap();
    let won: Vec<usize> = thread::scope(|scope| {
        let work = |worker: usize| {
            let (proxy, minio) = (&proxy, &minio);
            move || {
                let storage = through(proxy, minio, "lake");
                let mut won = 0;
                for round in 0..rounds {
                    let content = bytes(20_000 + round, (worker * 1000 + round) as u64);
                    let key = format!("data/{worker}/{round:03}");
                    storage.put(&key, content.clone()).unwrap();
                    assert!(storage.get(&key).unwrap().unwrap().bytes == content);
                    if round % 3 == 0 {
                        storage.delete(&[key]).unwrap();
                    }
                    won += usize::from(storage.put_new(&format!("turn/{round:03}"), format!("{worker}")).unwrap());
                    append(&storage, &format!("{worker}-{round}"));
                    assert!(storage.list(&format!("data/{worker}")).unwrap().len() <= round + 1);
                }
                upload(&storage, &format!("multi/{worker}"), vec![bytes(5 << 20, worker as u64); 2]).unwrap();
                won
            }
        };
        let threads: Vec<_> = (0..workers).map(|worker| scope.spawn(work(worker))).collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).collect()
    });
    let storage = minio.storage("lake");
    assert_eq!(won.iter().sum::<usize>(), rounds, "each turn has one winner: {won:?}");
    let expected: BTreeSet<String> =
        (0..workers).flat_map(|worker| (0..rounds).map(move |round| (worker, round))).map(|(w, r)| format!("{w}-{r}")).collect();
    let log = storage.get("log").unwrap().unwrap().bytes;
    let lines: Vec<&str> = std::str::from_utf8(&log).unwrap().lines().collect();
    assert_eq!(lines.len(), expected.len(), "no line is lost or doubled");
    assert_eq!(lines.into_iter().map(str::to_string).collect::<BTreeSet<_>>(), expected);
    for worker in 0..workers {
        for round in 0..rounds {
            let found = storage.get(&format!("data/{worker}/{round:03}")).unwrap();
            let right = bytes(20_000 + round, (worker * 1000 + round) as u64);
            assert_eq!(found.is_none(), round % 3 == 0);
            assert!(found.is_none_or(|object| object.bytes == right));
        }
        assert!(storage.get(&format!("multi/{worker}")).unwrap().unwrap().bytes == vec![bytes(5 << 20, worker as u64); 2].concat());
    }
    for (fault, count) in proxy.injected() {
        assert!(count > 0, "{fault:?} never happened in {} requests", proxy.requests());
    }
    abort_all(&minio);
}

/// Appends a line to the log that all write, as a commit appends to a history: whoever isn't told whether he was first looks
/// for his own line before he tries again.
fn append(storage: &Storage, line: &str) {
    loop {
        let found = storage.get("log").unwrap().unwrap();
        let log = String::from_utf8(found.bytes.to_vec()).unwrap();
        if log.lines().any(|one| one == line) {
            return;
        }
        if storage.replace("log", format!("{log}{line}\n"), &found.version).unwrap() {
            return;
        }
        thread::sleep(Duration::from_millis(1));
    }
}

#[test]
fn what_cannot_get_better_fails_at_once() {
    let Some(minio) = Minio::get() else { return };
    let proxy = FaultProxy::start(&minio.endpoint, 0, 1);
    let settings = StoreSettings { endpoint_url: Some(proxy.endpoint.clone()), ..StoreSettings::default() };
    let storage = Storage::open_with(etl::storage::Location::parse("s3://etl-test-missing-bucket/x").unwrap(), &settings).unwrap();
    storage.put("k", "x").unwrap_err();
    storage.get("k").unwrap_err();
    storage.list("").unwrap_err();
    assert_eq!(proxy.requests(), 3);
}

#[test]
fn a_store_that_stays_down_is_given_up_in_time() {
    let Some(minio) = Minio::get() else { return };
    let proxy = FaultProxy::start(&minio.endpoint, 0, 1);
    (0..100).for_each(|_| proxy.next("PUT ", Fault::SlowDown));
    let begin = std::time::Instant::now();
    let text = through(&proxy, &minio, "lake").put("k", "x").unwrap_err().to_string();
    assert!(text.contains("503 SlowDown") && text.contains("try again later"), "{text}");
    assert!(begin.elapsed() < Duration::from_secs(90), "{:?}", begin.elapsed());
    assert!((5..=21).contains(&proxy.requests()), "{}", proxy.requests());
}
