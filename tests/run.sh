#!/usr/bin/env bash
# Everything that has to pass before a change lands: layout, lints, tests, and the examples in the documentation.
# Tests of S3 run against a real MinIO: the store that ETL_TEST_S3_ENDPOINT names (with AWS keys in the environment), else
# the `minio` on PATH, else one that is built once by `go install` and kept.
set -euo pipefail
cd "$(dirname "$0")/.."

cargo fmt --check
cargo clippy --all-targets -- -D warnings

# No settings of whoever runs this: only what is said here.
unset AWS_PROFILE AWS_SESSION_TOKEN AWS_ENDPOINT_URL AWS_ENDPOINT_URL_S3
export AWS_CONFIG_FILE=/dev/null AWS_SHARED_CREDENTIALS_FILE=/dev/null AWS_EC2_METADATA_DISABLED=true
# shellcheck source=tests/minio.sh
. tests/minio.sh
minio_start

cargo test --all-targets
cargo test --doc
