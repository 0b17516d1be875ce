//! SQL: what it answers, and what it refuses.

use crate::columns::{fill, open, options};
use crate::support::{DAY_US, T0, directory};
use serde_json::{Value, json};
use std::time::{Duration, Instant};
use tegata_record::{AccessLog, SqlAnswer, SqlError, SqlLimits};
use tempfile::TempDir;

/// 200 records, some of them in the journal.
fn log() -> (TempDir, AccessLog) {
    let directory = directory();
    let log = open(directory.path(), options());
    fill(&log, 0, 200);
    log.settle(T0 + 10 * DAY_US).unwrap();
    fill(&log, 200, 220);
    (directory, log)
}

fn ask(log: &AccessLog, statement: &str) -> Result<SqlAnswer, SqlError> {
    log.sql("org_a", statement, &SqlLimits { time: Duration::from_secs(5), ..SqlLimits::default() })
}

fn rows(log: &AccessLog, statement: &str) -> Vec<Vec<Value>> {
    ask(log, statement).unwrap_or_else(|error| panic!("{statement}: {error}")).rows
}

#[test]
fn it_answers_over_journal_and_columns() {
    let (_directory, log) = log();
    let cases = [
        ("SELECT count(*) FROM records", json!([[55]])),
        ("SELECT count(*) AS n, organization FROM records GROUP BY organization", json!([[55, "org_a"]])),
        ("SELECT decision, count(*) FROM records GROUP BY 1 ORDER BY 1", json!([["allow", 36], ["deny", 19]])),
        (
            "SELECT sequence, path FROM records WHERE credential = 'tok_1' ORDER BY sequence LIMIT 1",
            json!([[9, "/repos/Octo/8"]]),
        ),
        ("SELECT max(sequence) FROM records WHERE time < '2023-11-15T22:13:20Z'", json!([[49]])),
        ("SELECT alternative FROM records ORDER BY sequence LIMIT 2", json!([[2], [null]])),
        ("SELECT min(time) FROM records", json!([["2023-11-14T22:13:20.000000Z"]])),
        (
            "SELECT date_trunc('day', time) AS day, count(*) FROM records GROUP BY day ORDER BY day LIMIT 1",
            json!([["2023-11-14T00:00:00.000000Z", 1]]),
        ),
        (
            "WITH denied AS (SELECT * FROM records WHERE decision = 'deny') SELECT count(DISTINCT credential) FROM denied",
            json!([[7]]),
        ),
        ("SELECT 1.5 + 1, true, upper('x') || 'y'", json!([[2.5, true, "Xy"]])),
        ("SELECT count(*) FROM records a JOIN records b ON a.sequence = b.sequence", json!([[55]])),
        ("SELECT row_number() OVER (ORDER BY sequence DESC) FROM records LIMIT 1", json!([[1]])),
    ];
    for (statement, expected) in cases {
        assert_eq!(json!(rows(&log, statement)), expected, "{statement}");
    }
    let answer = ask(&log, "SELECT time, sequence, credential, decision = 'allow' AS yes FROM records").unwrap();
    let kinds: Vec<&str> = answer.columns.iter().map(|column| column.kind).collect();
    assert_eq!(kinds, ["time", "integer", "text", "boolean"]);
    assert!(!answer.truncated && answer.rows.len() == 55);
}

#[test]
fn an_organization_never_sees_another() {
    let (_directory, log) = log();
    for statement in [
        "SELECT count(*) FROM records WHERE organization <> 'org_a' OR organization IS NULL",
        "SELECT count(*) FROM records WHERE organization = 'org_b'",
        "SELECT count(*) FROM records WHERE organization = 'org_b' OR true = false",
        "SELECT count(*) FROM (SELECT * FROM records UNION ALL SELECT * FROM records) WHERE organization = 'org_b'",
        "SELECT count(*) FROM records WHERE credential = 'x' AND organization = 'org_b'",
    ] {
        assert_eq!(json!(rows(&log, statement)), json!([[0]]), "{statement}");
    }
    let limits = SqlLimits::default();
    for organization in ["", "org_", "org_a' OR '1'='1", "_none", "%"] {
        let answer = log.sql(organization, "SELECT count(*) FROM records", &limits).unwrap();
        assert_eq!(json!(answer.rows), json!([[0]]), "{organization}");
    }
}

#[test]
fn only_reading_one_table_is_allowed() {
    let (directory, log) = log();
    let path = directory.path().display();
    for statement in [
        "",
        ";",
        "SELECT",
        "SELECT 1; SELECT 2",
        "DROP TABLE records",
        "CREATE TABLE x AS SELECT * FROM records",
        "CREATE VIEW x AS SELECT * FROM records",
        &format!("CREATE EXTERNAL TABLE x STORED AS PARQUET LOCATION '{path}/columns'"),
        &format!("COPY records TO '{path}/out.parquet'"),
        &format!("COPY (SELECT 1) TO '{path}/out.csv' STORED AS CSV"),
        "INSERT INTO records SELECT * FROM records",
        "WITH x AS (SELECT 1) INSERT INTO records SELECT * FROM records",
        "DELETE FROM records",
        "UPDATE records SET reason = ''",
        "TRUNCATE records",
        "SELECT * INTO x FROM records",
        "SET datafusion.execution.batch_size = 1",
        "SET datafusion.catalog.information_schema = true",
        "RESET datafusion.execution.batch_size",
        "SHOW TABLES",
        "SHOW ALL",
        "DESCRIBE records",
        "EXPLAIN SELECT * FROM records",
        "EXPLAIN ANALYZE SELECT * FROM records",
        "BEGIN",
        "PREPARE x AS SELECT 1",
        "EXECUTE x",
        "DEALLOCATE x",
        "SELECT * FROM information_schema.tables",
        "SELECT * FROM information_schema.df_settings",
        "SELECT * FROM other",
        "SELECT * FROM public.other",
        "SELECT * FROM datafusion.public.other",
        &format!("SELECT * FROM '{path}/columns/manifest.json'"),
        &format!("SELECT * FROM \"{path}/columns/manifest.json\""),
        "SELECT * FROM '/etc/passwd'",
        "SELECT * FROM read_csv('/etc/passwd')",
        "SELECT * FROM read_parquet('x')",
        "SELECT * FROM parquet_metadata('x')",
        "SELECT * FROM generate_series(1, 1000000000000)",
        "SELECT * FROM range(1, 1000000000000)",
        "SELECT repeat('x', 2000000000)",
        "SELECT lpad('x', 2000000000)",
        "SELECT replace(path, 'a', path) FROM records",
        "SELECT array_agg(path) FROM records",
        "SELECT string_agg(path, ',') FROM records",
        "SELECT random()",
        "SELECT uuid()",
        "SELECT version()",
        "SELECT arrow_cast('1', 'Int64')",
        "SELECT get_field(records, 'x') FROM records",
        "WITH RECURSIVE x AS (SELECT 1 AS n UNION ALL SELECT n + 1 FROM x) SELECT * FROM x",
        "SELECT count(*) FROM records GROUP BY CUBE (time, sequence, path)",
        "SELECT count(*) FROM records GROUP BY GROUPING SETS ((time), (path))",
        "SELECT count(*) FROM records GROUP BY ROLLUP (time, path)",
        "SELECT path || path || path || path || path || path || path || path FROM records",
        "SELECT no_such_column FROM records",
        "SELECT $1",
        "\0",
        "SELECT '\u{0}",
        "SELECT 'unfinished",
        "/* unfinished",
    ] {
        let refused = ask(&log, statement);
        assert!(matches!(refused, Err(SqlError::Refused(_) | SqlError::Failed(_))), "{statement}: {refused:?}");
    }
    assert!(!directory.path().join("out.parquet").exists() && !directory.path().join("out.csv").exists());
    assert_eq!(rows(&log, "SELECT count(*) FROM records").len(), 1, "it still answers");
}

#[test]
fn nothing_costs_more_than_it_may() {
    let (_directory, log) = log();
    let limits = SqlLimits { rows: 10, bytes: 1 << 20, memory_bytes: 4 << 20, time: Duration::from_millis(500) };
    let ask = |statement: &str| log.sql("org_a", statement, &limits);
    let answer = ask("SELECT sequence FROM records ORDER BY sequence").unwrap();
    assert!(answer.truncated && answer.rows.len() == 10);
    let answer = log.sql("org_a", "SELECT * FROM records", &SqlLimits { bytes: 1_000, ..limits }).unwrap();
    assert!(answer.truncated && answer.rows.len() < 10);

    let many = "records a, records b, records c, records d, records e";
    let began = Instant::now();
    let slow = ask(&format!("SELECT count(*) FROM {many} WHERE a.path || b.path = c.path || d.path || e.path"));
    assert!(matches!(slow, Err(SqlError::TookTooLong(_) | SqlError::NeedsTooMuch)), "{slow:?}");
    assert!(began.elapsed() < Duration::from_secs(5), "{:?}", began.elapsed());
    let large = ask(&format!("SELECT a.path, b.path, c.sequence FROM {many} ORDER BY 1, 2, 3"));
    assert!(matches!(large, Err(SqlError::TookTooLong(_) | SqlError::NeedsTooMuch)), "{large:?}");

    let endless = format!("SELECT '{}'", "x".repeat(20_000));
    assert!(matches!(ask(&endless), Err(SqlError::Refused(_))));
    for deep in [
        format!("SELECT {}1{}", "(".repeat(4_000), ")".repeat(4_000)),
        format!("SELECT {}", vec!["1"; 4_000].join("+")),
        format!("SELECT {}", "NOT ".repeat(2_000) + "true"),
        format!("SELECT {}1", "- ".repeat(4_000)),
        format!("SELECT * FROM {}records{}", "(SELECT * FROM ".repeat(500), ")".repeat(500)),
        format!("SELECT 1 {}", "UNION ALL SELECT 1 ".repeat(500)),
        format!("SELECT CASE {} END", "WHEN true THEN 1 ".repeat(500)),
        format!("SELECT * FROM records WHERE sequence IN ({})", vec!["1"; 4_000].join(",")),
    ] {
        // Whatever the answer: it comes, and the process is still there.
        let _ = ask(&deep);
    }
    assert_eq!(ask("SELECT count(*) FROM records").unwrap().rows, [[json!(55)]]);
}
