# shellcheck shell=bash
# Sourced, after minio.sh: what stands in for AWS beside MinIO. moto is Glue and Lake Formation, Trino is the reader, and athena.py in front of it speaks
# Athena's API.
#
# `stack_prepare` fetches what is missing, in the background; `stack_start` starts all of it at free ports, exports ETL_TEST_GLUE_ENDPOINT (Lake Formation
# and STS answer there too), ETL_TEST_TRINO_ENDPOINT and ETL_TEST_ATHENA_ENDPOINT, and stops it when the shell ends. Where something is missing, it says so,
# and tests of AWS are skipped; with `aws` in ETL_TEST_REQUIRE that is a failure.

stack_cache="${XDG_CACHE_HOME:-$HOME/.cache}/etl"
stack_files=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
trino_version=476
trino_java=24

# Prints the home of a JDK that is new enough for Trino.
java_find() {
    local home version
    for home in "${JAVA_HOME:-}" "$(java_home_on_path)" /usr/lib/jvm/* /Library/Java/JavaVirtualMachines/*/Contents/Home \
        "$HOME"/.sdkman/candidates/java/* /opt/homebrew/opt/openjdk*/libexec/openjdk.jdk/Contents/Home /opt/*jdk*; do
        if [ -n "$home" ] && [ -x "$home/bin/java" ]; then
            version=$("$home/bin/java" -version 2>&1 | sed -n 's/.* version "\([0-9]*\).*/\1/p' | head -n 1)
            if [ "${version:-0}" -ge "$trino_java" ]; then
                echo "$home"
                return 0
            fi
        fi
    done
    echo "tests: no JDK of version $trino_java or newer: not in JAVA_HOME, on PATH, nor where JDKs are installed" >&2
    return 1
}

java_home_on_path() {
    if command -v java > /dev/null; then
        java -XshowSettings:properties -version 2>&1 | sed -n 's/^ *java\.home = //p'
    fi
}

# Prints the folder of Trino and its Hive plugin, fetched if need be. What is half done is never taken for done: the folder appears by a rename.
trino_find() {
    local home="$stack_cache/trino-$trino_version" work copy mvn
    copy=org.apache.maven.plugins:maven-dependency-plugin:3.6.0:copy
    if [ ! -d "$home" ]; then
        if ! command -v mvn > /dev/null; then
            echo "tests: maven, which fetches Trino, is not on PATH" >&2
            return 1
        fi
        echo "tests: fetching Trino into $home, once; that is 450 MB" >&2
        mkdir -p "$stack_cache"
        work=$(mktemp -d "$stack_cache/trino.XXXXXX")
        mvn=(mvn -q -B -Dstyle.color=never "-Dmaven.repo.local=$work/maven")
        if ! {
            "${mvn[@]}" "$copy" -Dartifact="io.trino:trino-server-core:$trino_version:tar.gz" -DoutputDirectory="$work" \
                && "${mvn[@]}" "$copy" -Dartifact="io.trino:trino-hive:$trino_version:zip" -DoutputDirectory="$work" \
                && tar -xzf "$work/trino-server-core-$trino_version.tar.gz" -C "$work" \
                && python3 -m zipfile -e "$work/trino-hive-$trino_version.zip" "$work/trino-server-core-$trino_version/plugin" \
                && mv "$work/trino-server-core-$trino_version/plugin/trino-hive-$trino_version" "$work/trino-server-core-$trino_version/plugin/hive"
        } >&2; then
            rm -rf "$work"
            return 1
        fi
        # Somebody else may have been faster.
        [ -d "$home" ] || mv "$work/trino-server-core-$trino_version" "$home"
        rm -rf "$work"
    fi
    echo "$home"
}

# Prints the folder that holds moto for this python3, fetched if need be.
moto_find() {
    local home work version python=python3
    if ! version=$(python3 -c 'import sys; print("%d.%d" % sys.version_info[:2])'); then
        echo "tests: python3 is not on PATH" >&2
        return 1
    fi
    home="$stack_cache/moto-5.2-python$version"
    if [ ! -d "$home" ]; then
        echo "tests: fetching moto into $home, once" >&2
        mkdir -p "$stack_cache"
        work=$(mktemp -d "$stack_cache/moto.XXXXXX")
        if ! {
            { python3 -m pip --version > /dev/null 2>&1 || { python3 -m venv "$work/venv" && python="$work/venv/bin/python"; }; } \
                && PIP_ROOT_USER_ACTION=ignore "$python" -m pip install --quiet --no-warn-conflicts --disable-pip-version-check --target "$work/moto" 'moto[server]>=5.2,<5.3'
        } >&2; then
            rm -rf "$work"
            echo "tests: moto can't be installed; python3 needs pip or venv" >&2
            return 1
        fi
        [ -d "$home" ] || mv "$work/moto" "$home"
        rm -rf "$work"
    fi
    echo "$home"
}

# Fetches what is missing and isn't there under some endpoint already, side by side.
stack_fetch() {
    local one pids=() failed=0
    for one in ${ETL_TEST_S3_ENDPOINT:-minio_find} ${ETL_TEST_GLUE_ENDPOINT:-trino_find moto_find java_find}; do
        case $one in http*) continue ;; esac
        "$one" > /dev/null &
        pids+=($!)
    done
    for one in "${pids[@]}"; do
        wait "$one" || failed=1
    done
    return "$failed"
}

stack_prepare() {
    stack_fetch &
    stack_fetching=$!
}

# Waits for what stack_prepare began.
stack_prepared() {
    if [ -n "${stack_fetching:-}" ]; then
        wait "$stack_fetching" || true
        stack_fetching=
    fi
}

stack_missing() {
    case ",${ETL_TEST_REQUIRE:-}," in
        *,aws,*)
            echo "tests: nothing stands in for AWS: $1. ETL_TEST_REQUIRE asks for it, so this fails." >&2
            exit 1
            ;;
    esac
    {
        echo "=================================================================="
        echo "tests: NOTHING STANDS IN FOR AWS: $1."
        echo "tests: ALL TESTS OF GLUE, ATHENA AND LAKE FORMATION ARE SKIPPED."
        echo "tests: They need go or minio, python3 with pip or venv, maven, and a"
        echo "tests: JDK of version $trino_java or newer."
        echo "=================================================================="
    } >&2
}

# Starts moto at port $1, with its log in $2.
moto_serve() {
    PYTHONPATH="$moto" nohup python3 "$stack_files/glue.py" -H 127.0.0.1 -p "$1" > "$2" 2>&1 < /dev/null &
    moto_pid=$!
}

# Starts Trino at port $1, with what it keeps and its log in the folder $2. It reads the store and the catalog that AWS_ENDPOINT_URL_S3 and _GLUE name.
trino_serve() {
    mkdir -p "$2/scratch"
    JAVA_HOME="$java" PATH="$java/bin:$PATH" TRINO_PORT="$1" TRINO_SCRATCH="$2" \
        nohup "$trino/bin/launcher" run --etc-dir "$stack_files/trino" --data-dir "$2" > "$2/log" 2>&1 < /dev/null &
    trino_pid=$!
}

# Starts the endpoint at port $1 in front of the Trino at $2, with its log in $3.
athena_serve() {
    PYTHONDONTWRITEBYTECODE=1 nohup python3 "$stack_files/athena.py" --port "$1" --trino "$2" > "$3" 2>&1 < /dev/null &
    athena_pid=$!
}

# Whether process $1, at port $2, answers a GET of $3 with text like $4 within $5 seconds. Needs nothing but the shell.
stack_ready() {
    local _ answer
    for _ in $(seq $(($5 * 5))); do
        kill -0 "$1" 2> /dev/null || return 1
        if { exec 3<> "/dev/tcp/127.0.0.1/$2"; } 2> /dev/null; then
            printf 'GET %s HTTP/1.0\r\nHost: 127.0.0.1\r\n\r\n' "$3" >&3
            answer=$(cat <&3 2> /dev/null | tr -d '\0')
            exec 3>&-
            case $answer in *$4*) return 0 ;; esac
        fi
        sleep 0.2
    done
    return 1
}

# Says so if somebody listens at one of these ports: it would be taken for what is started there.
port_taken() {
    local port
    for port; do
        if { : <> "/dev/tcp/127.0.0.1/$port"; } 2> /dev/null; then
            echo "tests: port $port is taken" >&2
            return 0
        fi
    done
    return 1
}

# Ends the processes given, and waits until they are gone.
stack_end() {
    local pid _
    for pid; do
        kill "$pid" 2> /dev/null || true
    done
    for pid; do
        for _ in $(seq 100); do
            kill -0 "$pid" 2> /dev/null || break
            sleep 0.1
        done
        kill -9 "$pid" 2> /dev/null || true
        wait "$pid" 2> /dev/null || true
    done
}

# Starts moto, Trino and the endpoint at the ports $1, $2 and $3, with their logs and data in the folder $4, beside the store of AWS_ENDPOINT_URL_S3.
# Sets moto_pid, trino_pid and athena_pid, and writes them, with minio_pid, to the file `pids` there; when it fails none of the three is left.
stack_serve() {
    if port_taken "$1" "$2" "$3"; then
        return 1
    fi
    export AWS_ENDPOINT_URL_GLUE="http://127.0.0.1:$1"
    moto_serve "$1" "$4/moto.log"
    trino_serve "$2" "$4/trino"
    athena_serve "$3" "http://127.0.0.1:$2" "$4/athena.log"
    echo "$athena_pid $trino_pid $moto_pid ${minio_pid:-}" > "$4/pids"
    if stack_ready "$moto_pid" "$1" /moto-api/data.json ' 200 ' 60 \
        && stack_ready "$athena_pid" "$3" /health ' 200 ' 20 \
        && stack_ready "$trino_pid" "$2" /v1/info '"starting":false' 180; then
        return 0
    fi
    stack_end "$athena_pid" "$trino_pid" "$moto_pid"
    return 1
}

stack_stop() {
    if [ -n "${stack_data:-}" ]; then
        stack_end ${athena_pid:+"$athena_pid"} ${trino_pid:+"$trino_pid"} ${moto_pid:+"$moto_pid"}
        rm -rf "$stack_data"
    fi
    minio_stop
}

# Sets moto, trino and java to where these are; says what is missing.
stack_find() {
    stack_prepared
    if ! java=$(java_find); then
        stack_missing "there is no JDK that is new enough"
    elif ! moto=$(moto_find); then
        stack_missing "moto isn't there, and couldn't be fetched"
    elif ! trino=$(trino_find); then
        stack_missing "Trino isn't there, and couldn't be fetched"
    else
        return 0
    fi
    return 1
}

# To be called after minio_start.
stack_start() {
    local port try
    if [ -n "${ETL_TEST_GLUE_ENDPOINT:-}" ]; then
        return 0
    fi
    if [ -z "${ETL_TEST_S3_ENDPOINT:-}" ]; then
        stack_missing "there is no S3 store"
        return 0
    fi
    stack_find || return 0
    stack_data=$(mktemp -d)
    trap stack_stop EXIT
    for try in 1 2 3; do
        port=$((20000 + RANDOM % 20000))
        if AWS_ENDPOINT_URL_S3="$ETL_TEST_S3_ENDPOINT" stack_serve "$port" $((port + 1)) $((port + 2)) "$stack_data"; then
            # The programs under test are told by their own settings, not by those of the stand-ins.
            unset AWS_ENDPOINT_URL_GLUE
            export ETL_TEST_GLUE_ENDPOINT="http://127.0.0.1:$port"
            export ETL_TEST_TRINO_ENDPOINT="http://127.0.0.1:$((port + 1))"
            export ETL_TEST_ATHENA_ENDPOINT="http://127.0.0.1:$((port + 2))"
            return 0
        fi
    done
    tail -n 40 "$stack_data/moto.log" "$stack_data/trino/log" "$stack_data/athena.log" >&2 || true
    moto_pid='' trino_pid='' athena_pid=''
    stack_missing "it doesn't start, even at try $try"
}
