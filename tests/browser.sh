# shellcheck shell=bash
# Sourced: `browser_find` exports ETL_TEST_BROWSER, the path of a Chromium or Chrome that pages are looked at with.
#
# Where there is none and this is root on a Debian, it is installed. Where none can be had, it says so, and tests of pages are skipped; with `browser` in
# ETL_TEST_REQUIRE that is a failure.

browser_on_path() {
    command -v chromium || command -v chromium-browser || command -v google-chrome || command -v google-chrome-stable
}

browser_find() {
    if [ -n "${ETL_TEST_BROWSER:-}" ]; then
        return 0
    fi
    if ! browser_on_path > /dev/null && [ "$(id -u)" = 0 ] && command -v apt-get > /dev/null; then
        echo "tests: installing chromium, once" >&2
        export DEBIAN_FRONTEND=noninteractive
        apt-get install -y --no-install-recommends chromium > /dev/null 2>&1 \
            || { apt-get update > /dev/null 2>&1 && apt-get install -y --no-install-recommends chromium > /dev/null 2>&1; } || true
    fi
    if ETL_TEST_BROWSER=$(browser_on_path); then
        export ETL_TEST_BROWSER
        return 0
    fi
    case ",${ETL_TEST_REQUIRE:-}," in
        *,browser,*)
            echo "tests: no browser. ETL_TEST_REQUIRE asks for it, so this fails." >&2
            exit 1
            ;;
    esac
    unset ETL_TEST_BROWSER
    {
        echo "=================================================================="
        echo "tests: NO BROWSER. TESTS OF PAGES ARE SKIPPED. Install chromium, or"
        echo "tests: name a Chromium or Chrome with ETL_TEST_BROWSER."
        echo "=================================================================="
    } >&2
}
