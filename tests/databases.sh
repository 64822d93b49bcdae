#!/bin/bash
# What databases make of the results: SQLite files (-f sqlite), and CSV read into a typed table (--schema), by sqlite3 and DuckDB.
# shellcheck source=tests/lib.sh disable=SC2317 # functions are called through check
. "$(dirname "$0")/lib.sh"

fixture=fixtures/mixed-credit.xt.zst
dir=$scratch/dir
mkdir "$dir"
sql() { sqlite3 -batch -init /dev/null -list -separator , -nullvalue '' "$@" 2>/dev/null; }
# Every cell is NULL or of the type of its column: the columns for which it is not.
mistyped() { # FILE TABLE
    local list
    list=$(sql "$1" "SELECT group_concat('SELECT ''' || name || ''' FROM $2 WHERE typeof(\"' || name || '\") NOT IN (''null'', ''' || lower(type) || ''')', ' UNION ')
        FROM pragma_table_info('$2')")
    sql "$1" "$list"
}
# Sums of all columns of numbers, a line "NAME SUM" each, of a table and of CSV.
sums_of_table() { # FILE TABLE
    local list
    list=$(sql "$1" "SELECT group_concat('SELECT ''' || name || ''' || '' '' || printf(''%.0f'', total(\"' || name || '\")) FROM $2', ' UNION ALL ')
        FROM pragma_table_info('$2') WHERE type = 'INTEGER'")
    sql "$1" "$list" | sort
}
sums_of_csv() { # FILE NAMES
    awk -F, -v names="$2" 'BEGIN { split(names, list, " "); for (i in list) wanted[list[i]] }
        NR == 1 { for (i = 1; i <= NF; i++) name[i] = $i; next }
        { for (i = 1; i <= NF; i++) sum[i] += $i }
        END { for (i in name) if (name[i] in wanted) printf "%s %.0f\n", name[i], sum[i] }' "$1" | sort
}
integers() { sql "$1" "SELECT group_concat(name, ' ') FROM pragma_table_info('$2') WHERE type = 'INTEGER'"; }

compare() { # TITLE TABLE COMMAND ARGUMENT...: the table has what CSV has
    local title=$1 table=$2
    shift 2
    rm -f "$dir"/*
    run "$@" -q -o "$dir/x.sqlite"
    check "$title: made" test "$status" -le 1 # a guard that blocks has a finding
    "$XENMETER" "$@" -q -f csv >"$scratch/csv"
    check "$title: as many rows as csv has lines" equal "$(($(wc -l <"$scratch/csv") - 1))" "$(sql "$dir/x.sqlite" "SELECT count(*) FROM $table")"
    check "$title: the columns of csv" equal "$(head -n 1 "$scratch/csv")" "$(sql "$dir/x.sqlite" "SELECT group_concat(name, ',') FROM pragma_table_info('$table')")"
    check "$title: values have the types of their columns" equal '' "$(mistyped "$dir/x.sqlite" "$table")"
    check "$title: the same numbers" equal "$(sums_of_csv "$scratch/csv" "$(integers "$dir/x.sqlite" "$table")")" "$(sums_of_table "$dir/x.sqlite" "$table")"
    check "$title: each column is described" equal 0 "$(sql "$dir/x.sqlite" "SELECT count(*) FROM pragma_table_info('$table') AS t
        LEFT JOIN columns AS c ON c.table_name = '$table' AND c.name = t.name WHERE c.meaning IS NULL")"
    check "$title: whole" equal ok "$(sql "$dir/x.sqlite" 'PRAGMA integrity_check')"
}

if [ "$("$XENMETER" report -q -o "$dir/probe.sqlite" "$fixture" 2>&1 | grep -c 'built without SQLite')" -gt 0 ]; then
    group 'without SQLite'
    run report -f sqlite -o "$dir/x.sqlite" "$fixture"
    check 'the package is named' says "$err" 'libsqlite3-dev'
    check 'nothing is made' equal 2 "$status"
else
    group 'a table for each relation'
    for name in fixtures/*.xt.zst; do
        compare "report of $(basename "$name")" rows report -g total,1s "$name"
        [ -z "$QUICK" ] || break
    done
    for by in vcpu pcpu domain-pcpu; do
        compare "report by $by" rows report -b "$by" -g 1s -c all "$fixture"
    done
    compare 'several subjects' rows report -b domain,vcpu "$fixture"
    compare 'executions' executions report -g execution "$fixture"
    compare 'some columns' rows report -c running_pct,domain,name -s running_ns -n 2 "$fixture"
    compare 'charges' charges charge -g 1s "$fixture"
    compare 'delays' delays blame "$fixture"
    compare 'debts' debts debt --reserve 2=30% "$fixture"
    compare 'decisions' decisions guard --limit 1=5% "$fixture"
    compare 'fitted weights' weights charge --fit -g 500ms --io-counts fixtures/disk-net.truth/counts.csv fixtures/disk-net.xt.zst

    group 'what is known of the trace'
    rm -f "$dir"/*
    run report -q -g total,execution -o "$dir/x.sqlite3" "$fixture"
    "$XENMETER" report -q -f json "$fixture" >"$scratch/json"
    check 'rows and executions' equal 'columns executions quality rows trace' \
        "$(sql "$dir/x.sqlite3" 'SELECT name FROM sqlite_master ORDER BY name' | paste -sd' ')"
    for member in records duration_ns cpu_hz cpu_hz_error_ppm tsc_first compression; do
        check "trace: $member" equal "$(jq -r ".trace.$member" "$scratch/json")" "$(sql "$dir/x.sqlite3" "SELECT $member FROM trace")"
    done
    check 'the verdict' equal "$(jq -r .quality.verdict "$scratch/json")" "$(sql "$dir/x.sqlite3" 'SELECT verdict FROM quality')"
    check 'executions add up to the time that the rows say' equal 0 \
        "$(sql "$dir/x.sqlite3" 'SELECT count(*) FROM rows AS r WHERE running_ns <> (SELECT sum(ran_ns) FROM executions AS e WHERE e.domain = r.domain)')"

    group 'names and files'
    printf '1 %b\n2 %b\n' "o'; DROP TABLE rows; --" '\xff\x01\t"x' >"$scratch/names"
    run report -q --names "$scratch/names" -o "$dir/names.sqlite" "$fixture"
    check 'names are text, whatever is in them' equal "o'; DROP TABLE rows; --" "$(sql "$dir/names.sqlite" 'SELECT name FROM rows WHERE domain = 1')"
    check 'and UTF-8' equal 'EFBFBD' "$(sql "$dir/names.sqlite" 'SELECT substr(hex(name), 1, 6) FROM rows WHERE domain = 2')"
    cp "$dir/names.sqlite" "$scratch/before"
    run report -q -o "$dir/names.sqlite" "$fixture"
    check 'an old file is replaced' equal '' "$(sql "$dir/names.sqlite" 'SELECT name FROM rows WHERE domain = 1')"
    cp "$dir/names.sqlite" "$scratch/before"
    head -c 100000 <(zstd -qdc "$fixture") | head -c 50 >"$scratch/cut.xt"
    run report -q -o "$dir/names.sqlite" "$scratch/cut.xt"
    check 'a run that fails leaves it' same "$scratch/before" "$dir/names.sqlite"
    check 'and nothing beside it' equal '' "$(find "$dir" -name '.xenmeter*')"
    for arguments in '-f sqlite' "-f sqlite -o -" "-f sqlite -o /dev/null" "-f sqlite -o $dir/x.sqlite.zst"; do
        # shellcheck disable=SC2086 # a list of words
        run report $arguments "$fixture"
        check "$arguments: wants a file" refused_once
        check "$arguments: reports it" says "$err" 'give its name, --output FILE.sqlite'
    done
fi

# ---- CSV into a typed table ----

group 'a schema for csv'
for arguments in 'report' 'report -b vcpu -g 1s -c all' 'report -g total,execution' 'charge -g 1s' 'blame' 'debt --reserve 2=30%' 'guard --limit 1=5%'; do
    # shellcheck disable=SC2086 # a list of words
    "$XENMETER" $arguments --schema >"$scratch/schema.sql"
    # shellcheck disable=SC2086
    "$XENMETER" $arguments -q -f csv "$fixture" >"$scratch/x.csv"
    table=${arguments%% *}
    rm -f "$dir/csv.db"
    sql "$dir/csv.db" ".read $scratch/schema.sql" ".import --csv --skip 1 $scratch/x.csv $table"
    check "$arguments: sqlite3 reads all" equal "$(($(wc -l <"$scratch/x.csv") - 1))" "$(sql "$dir/csv.db" "SELECT count(*) FROM $table")"
    check "$arguments: the columns of csv" equal "$(head -n 1 "$scratch/x.csv")" "$(sql "$dir/csv.db" "SELECT group_concat(name, ',') FROM pragma_table_info('$table')")"
    check "$arguments: an empty column keeps its type" equal '' "$(sql "$dir/csv.db" "SELECT name FROM pragma_table_info('$table') WHERE type = ''")"
done
run report --schema -c domain,name,running_pct
check 'only the columns that are chosen' equal 'CREATE TABLE report ( "domain" BIGINT, "name" VARCHAR, "running_pct" DOUBLE );' "$(tr -s ' \n' ' ' <"$out" | sed 's/ $//')"
run report --schema -c domain,nonsense
check 'an unknown column is refused' refused_once

group 'DuckDB'
duck=$BUILD/duckdb
if command -v npm >/dev/null && { [ -d "$duck/node_modules" ] ||
    timeout 120 npm install --silent --no-audit --no-fund --prefix "$duck" '@duckdb/node-api@1.5.6-r.1' >/dev/null 2>&1; }; then
    cat >"$duck/ask.mjs" <<'END'
import { DuckDBInstance } from '@duckdb/node-api';
const connection = await (await DuckDBInstance.create(':memory:')).connect();
let rows = [];
for (const statement of process.argv.slice(2))
    rows = (await connection.runAndReadAll(statement)).getRowsJson();
for (const row of rows)
    console.log(row.join(','));
END
    ask() { node "$duck/ask.mjs" "$@"; }
    for arguments in 'report -b vcpu -g 1s -c all' 'report -g total,execution' 'charge -g 1s'; do
        # shellcheck disable=SC2086 # a list of words
        "$XENMETER" $arguments --schema >"$scratch/schema.sql"
        # shellcheck disable=SC2086
        "$XENMETER" $arguments -q -f csv "$fixture" >"$scratch/x.csv"
        table=${arguments%% *}
        copy="COPY $table FROM '$scratch/x.csv' (HEADER)"
        check "$arguments: reads all" equal "$(($(wc -l <"$scratch/x.csv") - 1))" "$(ask "$(cat "$scratch/schema.sql")" "$copy" "SELECT count(*) FROM $table")"
        check "$arguments: an empty column keeps its type" equal "$(grep -o 'BIGINT\|DOUBLE\|VARCHAR' "$scratch/schema.sql" | paste -sd' ')" \
            "$(ask "$(cat "$scratch/schema.sql")" "$copy" "SELECT data_type FROM information_schema.columns WHERE table_name = '$table' ORDER BY ordinal_position" | paste -sd' ')"
    done
    "$XENMETER" report -q -g 1s -f jsonl "$fixture" >"$scratch/x.jsonl"
    check 'jsonl: the same sum' equal "$("$XENMETER" report -q -g 1s -f jsonl "$fixture" | jq -s 'map(.running_ns) | add')" \
        "$(ask "SELECT sum(running_ns)::BIGINT FROM read_json('$scratch/x.jsonl')")"
else
    skip 'DuckDB' 'npm, or its registry, is not there'
fi
finish
