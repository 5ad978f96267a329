#!/usr/bin/env bash
# A lake's surroundings on this machine, without Docker: MinIO is S3, moto is Glue and Lake Formation, Trino reads as Athena does, and an endpoint in front
# of it speaks Athena's API. All on loopback.
#
#   bash tests/stack.sh up             starts them, makes the bucket s3://lake, and prints the settings
#   eval "$(bash tests/stack.sh env)"  the settings of what is up, for this shell
#   bash tests/stack.sh run CMD…       runs a command with them; with a stack of its own, at free ports, where none is up
#   bash tests/stack.sh down           stops them; nothing of what was stored is kept
#
# Needs python3 with pip or venv, maven, a JDK of version 24 or newer, and minio or go; what it fetches is kept in ~/.cache/etl. Ports: ETL_STACK_MINIO_PORT
# (9000), ETL_STACK_MOTO_PORT (5000), ETL_STACK_TRINO_PORT (8080), ETL_STACK_ATHENA_PORT (8081). Its folder: ETL_STACK_STATE (~/.cache/etl/stack).
set -euo pipefail
files=$(cd "$(dirname "$0")" && pwd)
# shellcheck source=tests/minio.sh
. "$files/minio.sh"
# shellcheck source=tests/stack/parts.sh
. "$files/stack/parts.sh"

state="${ETL_STACK_STATE:-$stack_cache/stack}"

# What is missing is a failure here: whoever calls this asks for all of it.
export ETL_TEST_REQUIRE=s3,aws

# Starts all at the ports $1 to $4 (MinIO, moto, Trino, Athena), in the folder $5; leaves their process ids and settings there.
start() {
    local minio
    minio=$(minio_find)
    stack_find
    if port_taken "$1" "$2" "$3" "$4"; then
        echo "tests/stack.sh: name other ports: ETL_STACK_MINIO_PORT, ETL_STACK_MOTO_PORT, ETL_STACK_TRINO_PORT, ETL_STACK_ATHENA_PORT" >&2
        return 1
    fi
    mkdir -p "$5"
    # With this file the folder is a stack's, from the first moment on.
    : > "$5/pids"
    mkdir -p "$5/store/lake"
    export AWS_ACCESS_KEY_ID=etl AWS_SECRET_ACCESS_KEY=etl-secret AWS_REGION=us-east-1
    MINIO_KMS_SECRET_KEY="tests:$(head -c 32 /dev/urandom | base64 | tr -d '\n')"
    export MINIO_KMS_SECRET_KEY
    minio_serve "$minio" "$1" "$5/store" "$5/minio.log"
    echo "$minio_pid" > "$5/pids"
    if ! minio_healthy "$1"; then
        tail -n 20 "$5/minio.log" >&2
        echo "tests/stack.sh: MinIO doesn't start at port $1: the end of its log is above" >&2
        stop "$5"
        return 1
    fi
    export AWS_ENDPOINT_URL_S3="http://127.0.0.1:$1"
    if ! stack_serve "$2" "$3" "$4" "$5"; then
        tail -n 20 "$5/moto.log" "$5/trino/log" "$5/athena.log" >&2 || true
        stop "$5"
        echo "tests/stack.sh: something doesn't start: the ends of the logs are above" >&2
        return 1
    fi
    settings "$@" > "$5/env"
}

settings() {
    cat << END
export AWS_ACCESS_KEY_ID=etl AWS_SECRET_ACCESS_KEY=etl-secret AWS_REGION=us-east-1 AWS_DEFAULT_REGION=us-east-1
export AWS_ENDPOINT_URL_S3=http://127.0.0.1:$1
export AWS_ENDPOINT_URL_GLUE=http://127.0.0.1:$2 AWS_ENDPOINT_URL_LAKEFORMATION=http://127.0.0.1:$2 AWS_ENDPOINT_URL_STS=http://127.0.0.1:$2
export AWS_ENDPOINT_URL_ATHENA=http://127.0.0.1:$4
export ETL_TEST_S3_ENDPOINT=http://127.0.0.1:$1 ETL_TEST_S3_KMS=tests ETL_TEST_GLUE_ENDPOINT=http://127.0.0.1:$2
export ETL_TEST_TRINO_ENDPOINT=http://127.0.0.1:$3 ETL_TEST_ATHENA_ENDPOINT=http://127.0.0.1:$4
END
}

# Whether a stack is up.
up() {
    local pids pid
    [ -f "$state/env" ] || return 1
    read -r -a pids < "$state/pids"
    for pid in "${pids[@]}"; do
        kill -0 "$pid" 2> /dev/null || return 1
    done
}

# Stops what runs in the folder $1, and removes what was made there, and nothing else.
stop() {
    local pids
    if [ -f "$1/pids" ]; then
        read -r -a pids < "$1/pids" || true
        stack_end ${pids[@]+"${pids[@]}"}
    fi
    rm -rf "$1/store" "$1/trino" "$1/minio.log" "$1/moto.log" "$1/athena.log" "$1/env" "$1/pids"
    rmdir "$1" 2> /dev/null || true
}

case "${1:-}" in
    up)
        if ! up; then
            # What is left of one that died.
            if [ -f "$state/pids" ]; then
                stop "$state"
            fi
            if [ -e "$state/store" ]; then
                echo "tests/stack.sh: $state/store is there, and no stack made it; name another folder with ETL_STACK_STATE" >&2
                exit 1
            fi
            stack_fetch || true
            trap 'stop "$state"; exit 130' INT TERM
            start "${ETL_STACK_MINIO_PORT:-9000}" "${ETL_STACK_MOTO_PORT:-5000}" "${ETL_STACK_TRINO_PORT:-8080}" "${ETL_STACK_ATHENA_PORT:-8081}" "$state"
        fi
        cat "$state/env"
        ;;
    down)
        if [ -f "$state/pids" ]; then
            stop "$state"
        fi
        ;;
    env)
        if ! up; then
            echo "tests/stack.sh: nothing is up; start it by: bash tests/stack.sh up" >&2
            exit 1
        fi
        cat "$state/env"
        ;;
    run)
        shift
        if ! up; then
            stack_fetch || true
            state=$(mktemp -d)
            trap 'stop "$state"' EXIT
            port=$((20000 + RANDOM % 20000))
            start "$port" $((port + 1)) $((port + 2)) $((port + 3)) "$state"
        fi
        # shellcheck source=/dev/null
        . "$state/env"
        "$@"
        ;;
    *)
        sed -n '2,/^set /s/^# \{0,1\}//p' "$0" >&2
        exit 2
        ;;
esac
