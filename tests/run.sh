#!/usr/bin/env bash
# Everything that has to pass before a change lands: layout, lints, tests, and the examples in the documentation.
set -euo pipefail
cd "$(dirname "$0")/.."

cargo fmt --check
cargo clippy --all-targets -- -D warnings
cargo test --all-targets
cargo test --doc
