#!/usr/bin/env bash
# Everything that has to pass before a change lands: layout, lints, tests, and the examples in the documentation.
# Tests of S3 run against a real MinIO: the store that ETL_TEST_S3_ENDPOINT names (with AWS keys in the environment), else
# the `minio` on PATH, else one that is built once by `go install` and kept.
# Tests of AWS run against moto, Trino and an endpoint for Athena: those of ETL_TEST_GLUE_ENDPOINT, ETL_TEST_TRINO_ENDPOINT and ETL_TEST_ATHENA_ENDPOINT, else
# ones that are fetched once and kept, while the code compiles.
# Pages are looked at with the browser that ETL_TEST_BROWSER names, else Chromium or Chrome on PATH, else one that is installed.
set -euo pipefail
cd "$(dirname "$0")/.."
# shellcheck source=tests/minio.sh
. tests/minio.sh
# shellcheck source=tests/stack/parts.sh
. tests/stack/parts.sh
# shellcheck source=tests/browser.sh
. tests/browser.sh
stack_prepare

cargo fmt --check
cargo clippy --all-targets -- -D warnings
cargo test --all-targets --no-run

# No settings of whoever runs this: only what is said here.
unset AWS_PROFILE AWS_SESSION_TOKEN AWS_ENDPOINT_URL AWS_ENDPOINT_URL_S3 AWS_ENDPOINT_URL_GLUE AWS_ENDPOINT_URL_ATHENA AWS_ENDPOINT_URL_LAKEFORMATION \
    AWS_ENDPOINT_URL_STS
export AWS_CONFIG_FILE=/dev/null AWS_SHARED_CREDENTIALS_FILE=/dev/null AWS_EC2_METADATA_DISABLED=true
browser_find
stack_prepared
minio_start
stack_start

cargo test --all-targets
cargo test --doc
