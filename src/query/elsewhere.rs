//! Functions as queries have them here, and as they are called elsewhere.

/// Functions that most queries have.
pub(super) const COMMON: [&str; 24] = [
    "count",
    "sum",
    "avg",
    "min",
    "max",
    "median",
    "round",
    "coalesce",
    "length",
    "lower",
    "upper",
    "substr",
    "replace",
    "concat",
    "trim",
    "date_trunc",
    "date_part",
    "to_char",
    "to_timestamp",
    "now",
    "abs",
    "regexp_like",
    "split_part",
    "approx_distinct",
];

/// What a function of DuckDB, Trino or PostgreSQL that there is not is called here.
pub(super) fn elsewhere(name: &str) -> Option<&'static str> {
    Some(match name.to_ascii_lowercase().as_str() {
        "strftime" | "date_format" | "format_datetime" => "here it is to_char(time, '%Y-%m-%d %H:%M')",
        "strptime" | "date_parse" | "parse_datetime" | "str_to_date" => "here it is to_timestamp(text, '%Y-%m-%d %H:%M:%S')",
        "from_unixtime" | "epoch_ms" | "make_timestamp" => "here it is to_timestamp_seconds(n), or to_timestamp_millis(n)",
        "to_unixtime" | "unix_timestamp" | "epoch" => "here it is date_part('epoch', time)",
        "arg_max" | "max_by" | "argmax" => "here it is last_value(x ORDER BY y)",
        "arg_min" | "min_by" | "argmin" => "here it is first_value(x ORDER BY y)",
        "any_value" | "arbitrary" | "first" => "here it is first_value(x)",
        "last" => "here it is last_value(x)",
        "quantile_cont" | "quantile" | "percentile_cont" | "approx_quantile" | "approx_percentile" => {
            "here it is approx_percentile_cont(share) WITHIN GROUP (ORDER BY x)"
        }
        "approx_count_distinct" | "uniq" => "here it is approx_distinct(x)",
        "list" | "collect_list" | "list_agg" | "group_array" => "here it is array_agg(x)",
        "group_concat" | "listagg" => "here it is string_agg(x, ', ')",
        "count_if" | "countif" => "here it is count(*) FILTER (WHERE condition)",
        "if" | "iff" | "ifnull" => "here it is CASE WHEN condition THEN x ELSE y END, or coalesce(x, y)",
        "isnull" | "zeroifnull" => "here it is coalesce(x, 0), or x IS NULL",
        "regexp_matches" | "regexp_full_match" | "regexp_contains" => "here it is regexp_like(text, pattern)",
        "regexp_extract" | "regexp_substr" => "here it is (regexp_match(text, pattern))[1], of the first group in brackets",
        "regexp_extract_all" | "regexp_split_to_array" => "here it is regexp_match(text, pattern), which gives a list of the groups",
        "str_split" | "string_split" | "split" => "here it is string_to_array(text, ','), or split_part(text, ',', 1)",
        "len" => "here it is length(text)",
        "datediff" | "date_diff" | "timestampdiff" => "here times are subtracted: date_part('epoch', b - a)",
        "dateadd" | "date_add" | "timestampadd" => "here it is time + INTERVAL '1 day'",
        "year" | "month" | "day" | "hour" | "minute" | "second" | "dayofweek" | "day_of_week" | "week" | "weekday" | "quarter" => {
            "here it is date_part('hour', time), with the part's name"
        }
        "dayname" => "here it is to_char(time, '%A')",
        "monthname" => "here it is to_char(time, '%B')",
        "json_extract" | "json_extract_string" | "json_extract_scalar" | "get_json_object" => {
            "there are none of JSON: give the keys of JSON columns of their own when they are converted"
        }
        "url_extract_host" | "parse_url" => "here it is (regexp_match(url, '^[a-z]+://([^/:]+)'))[1]",
        "to_timestamp_ntz" | "timestamp" => "here it is CAST(x AS timestamp)",
        "truncate" => "here it is trunc(x)",
        "safe_cast" => "here it is TRY_CAST(x AS type)",
        "format" | "printf" => "here texts are put together: a || ' ' || b, and times by to_char(time, '%H:%M')",
        "explode" => "here it is unnest(list)",
        _ => return None,
    })
}
