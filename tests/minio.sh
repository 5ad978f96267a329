# shellcheck shell=bash
# Sourced: `minio_start` gives the tests an S3 store, and stops it when the shell ends.
#
# It exports ETL_TEST_S3_ENDPOINT, AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, and ETL_TEST_S3_KMS, the name of a key. Where no store can be had, it says so, and
# tests of S3 are skipped; with `s3` in ETL_TEST_REQUIRE that is a failure.

minio_stop() {
    if [ -n "${minio_pid:-}" ]; then
        kill "$minio_pid" 2> /dev/null || true
        wait "$minio_pid" 2> /dev/null || true
    fi
    if [ -n "${minio_data:-}" ]; then
        rm -rf "$minio_data"
    fi
}

# Prints the path of a minio, built if need be.
minio_find() {
    local bin="${XDG_CACHE_HOME:-$HOME/.cache}/etl/bin"
    if command -v minio; then
        return 0
    fi
    if [ ! -x "$bin/minio" ]; then
        if ! command -v go > /dev/null; then
            echo "tests: neither minio nor go is on PATH" >&2
            return 1
        fi
        echo "tests: building minio into $bin, once; that takes some minutes" >&2
        mkdir -p "$bin"
        GOBIN="$bin" go install github.com/minio/minio@latest >&2 || return 1
    fi
    echo "$bin/minio"
}

minio_missing() {
    case ",${ETL_TEST_REQUIRE:-}," in
        *,s3,*)
            echo "tests: no S3 store: $1. ETL_TEST_REQUIRE asks for it, so this fails." >&2
            exit 1
            ;;
    esac
    {
        echo "=================================================================="
        echo "tests: NO S3 STORE: $1."
        echo "tests: ALL TESTS OF S3 ARE SKIPPED. Install minio or go, or name a"
        echo "tests: store with ETL_TEST_S3_ENDPOINT and AWS keys."
        echo "=================================================================="
    } >&2
}

minio_start() {
    if [ -n "${ETL_TEST_S3_ENDPOINT:-}" ]; then
        return 0
    fi
    local minio port try
    if ! minio=$(minio_find); then
        minio_missing "minio isn't there, and couldn't be built"
        return 0
    fi
    minio_data=$(mktemp -d)
    trap minio_stop EXIT
    AWS_ACCESS_KEY_ID="etl$(head -c 8 /dev/urandom | od -An -tx1 | tr -d ' \n')"
    AWS_SECRET_ACCESS_KEY=$(head -c 20 /dev/urandom | od -An -tx1 | tr -d ' \n')
    export AWS_ACCESS_KEY_ID AWS_SECRET_ACCESS_KEY
    ETL_TEST_S3_KMS=tests
    MINIO_KMS_SECRET_KEY="$ETL_TEST_S3_KMS:$(head -c 32 /dev/urandom | base64 | tr -d '\n')"
    export ETL_TEST_S3_KMS MINIO_KMS_SECRET_KEY
    # A port that is free now may be taken a moment later: then another one is tried.
    for try in 1 2 3 4 5; do
        port=$((20000 + RANDOM % 20000))
        minio_serve "$minio" "$port" "$minio_data/store" "$minio_data/log"
        if minio_healthy "$port"; then
            export ETL_TEST_S3_ENDPOINT="http://127.0.0.1:$port"
            return 0
        fi
        kill "$minio_pid" 2> /dev/null || true
        wait "$minio_pid" 2> /dev/null || true
        minio_pid=
    done
    cat "$minio_data/log" >&2
    minio_missing "minio doesn't start, even at try $try"
}

# Starts the minio $1 at port $2, with what is stored in $3 and its log in $4.
minio_serve() {
    MINIO_ROOT_USER="$AWS_ACCESS_KEY_ID" MINIO_ROOT_PASSWORD="$AWS_SECRET_ACCESS_KEY" MINIO_BROWSER=off MINIO_UPDATE=off \
        nohup "$1" server --quiet --address "127.0.0.1:$2" "$3" > "$4" 2>&1 < /dev/null &
    minio_pid=$!
}

# Whether the minio at port $1 is healthy within 30 seconds. Needs nothing but the shell.
minio_healthy() {
    local line _
    for _ in $(seq 300); do
        kill -0 "$minio_pid" 2> /dev/null || return 1
        if { exec 3<> "/dev/tcp/127.0.0.1/$1"; } 2> /dev/null; then
            printf 'GET /minio/health/live HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n' >&3
            read -r line <&3 || line=
            exec 3>&-
            case $line in *" 200 "*) return 0 ;; esac
        fi
        sleep 0.1
    done
    return 1
}
