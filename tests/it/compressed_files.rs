//! What stands behind a compressed stream, and in it: zeros are nothing, all else is told.

use super::etl::{Etl, Outcome, bzip2, generated, gzip, zstd};
use super::rows::rows;

/// Each way in which a file is read: with a conversion, of one pass and of two, with a query and an inspection.
#[track_caller]
fn read(etl: &Etl, file: &str, says: &[&str]) {
    for arguments in [format!("{file} -o lake/out"), format!("{file} -o lake/out --splits 4 --log-format combined")] {
        told(etl.convert(&arguments), says);
    }
    told(etl.run(["query", &format!("SELECT count(*) FROM '{file}'")]), says);
    told(etl.run(["inspect", file]), says);
    told(
        etl.pipe("- -o lake/out", &etl.read(file)),
        &says.iter().map(|words| if *words == file { "-" } else { words }).collect::<Vec<_>>(),
    );
    assert!(!etl.path("lake").exists());
}

#[track_caller]
fn told(outcome: Outcome, says: &[&str]) {
    says.iter().fold(outcome.fails(3), |outcome, words| outcome.says(words));
}

#[test]
fn zeros_between_and_behind_streams_are_nothing() {
    let etl = Etl::new();
    let log = generated(3_000);
    let (first, second) = log.split_at(log.iter().position(|byte| *byte == b'\n').unwrap() + 1);
    etl.write("plain.log", &log).convert("plain.log -o plain --to csv").ok();
    let expected = rows(&etl.path("plain"));
    for (name, compress) in [("a.gz", gzip as fn(&[u8]) -> Vec<u8>), ("a.zst", zstd), ("a.bz2", bzip2)] {
        for zeros in [1, 10_240, 3 << 20] {
            let zeros = vec![0; zeros];
            let stored = [compress(first), compress(b""), zeros.clone(), compress(second), zeros.clone()].concat();
            etl.write(name, &stored);
            for how in ["", "--splits 3"] {
                etl.convert(&format!("{name} -o out --to csv --overwrite {how}")).ok();
                assert!(rows(&etl.path("out")) == expected, "{name}, {} zeros {how}", zeros.len());
            }
            let outcome = etl.run(["query", &format!("SELECT count(*) FROM '{name}'"), "--format", "csv"]).ok();
            assert!(String::from_utf8_lossy(&outcome.stdout).ends_with("\n3000\n"), "{name}, {} zeros", zeros.len());
            assert!(String::from_utf8_lossy(&etl.run(["inspect", name]).ok().stdout).contains("3,000 rows"));
            etl.pipe("- -o piped --overwrite", &stored).ok().says("3,000 lines = 3,000 rows");
        }
    }
}

#[test]
fn other_bytes_behind_a_stream_are_told_with_their_place() {
    let etl = Etl::new();
    let log = generated(3_000);
    for (name, kind, whole) in [("a.gz", "gzip", gzip(&log)), ("a.zst", "zstd", zstd(&log)), ("a.bz2", "bzip2", bzip2(&log))] {
        for (behind, zeros, shown) in [
            (&b"1.2.3.4 - - [x]\n"[..], 0, "`1.2.3.4 - - [x]\\n`"),
            (b"\0\0\0late", 3, "`late`"),
            (&[0xfd, b'7', b'z', b'X', b'Z'], 0, "`\\xfd7zXZ`"),
        ] {
            etl.write(name, [whole.as_slice(), behind].concat());
            let at = whole.len() + zeros;
            let (place, before, rest) = (format!("from byte {at} on"), format!("head -c {at} "), format!("tail -c +{} ", at + 1));
            let stream = format!("after the {kind} stream of");
            read(&etl, name, &[&stream, name, &place, shown, "after decompressed byte", &before, &rest]);
        }
        // A stream that is cut off behind another is no other bytes.
        etl.write(name, [whole.as_slice(), &whole[..20]].concat());
        read(&etl, name, &[&format!("the {kind} stream of"), name, "ends too early"]);
    }
}

#[test]
fn what_is_compressed_twice_or_an_archive_is_named() {
    let etl = Etl::new();
    let log = generated(3_000);
    for (name, inner, command) in [
        ("gz.gz", gzip(&gzip(&log)), "gzip -dc gz.gz | gzip -dc | etl"),
        ("bz2.gz", gzip(&bzip2(&log)), "gzip -dc bz2.gz | bzip2 -dc | etl"),
        ("zst.bz2", bzip2(&zstd(&log)), "bzip2 -dc zst.bz2 | zstd -dc | etl"),
        ("xz.zst", zstd(b"\xfd7zXZ\0\0\0\0\0"), "zstd -dc xz.zst | xz -dc | etl"),
    ] {
        etl.write(name, inner);
        // Of a stream there is no name.
        let outcome = etl.pipe("- -o out", &etl.read(name)).fails(3).says("- is compressed twice");
        outcome.says(&command.replace(name, "-"));
        let says = [name, "is compressed twice", command];
        told(etl.convert(&format!("{name} -o out")), &says);
        told(etl.convert(&format!("{name} -o out --splits 2 --log-format combined")), &says);
        told(etl.run(["query", &format!("SELECT * FROM '{name}'")]), &says);
        told(etl.run(["inspect", name]), &says);
    }
    // A tar archive: a header of 512 bytes, then the file.
    let mut header = vec![0; 512];
    header[..10].copy_from_slice(b"access.log");
    header[257..263].copy_from_slice(b"ustar\0");
    let archive = [header, log].concat();
    etl.write("a.tar", &archive).write("a.tar.gz", gzip(&archive));
    told(etl.convert("a.tar -o out"), &["a.tar is a tar archive", "tar -xO < a.tar | etl"]);
    told(etl.convert("a.tar.gz -o out --log-format combined"), &["a.tar.gz is a tar archive", "gzip -dc a.tar.gz | tar -xO | etl"]);
    assert!(!etl.path("out").exists());
}
