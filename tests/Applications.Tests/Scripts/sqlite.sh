# SQLite with transactions, two processes, a journal in both modes, and its own check.
cd /tmp; sqlite3 d 'create table t(id integer primary key, v text, n int); create index i on t(n);'
{ echo 'begin;'; for i in $(seq 2000); do echo "insert into t(v, n) values('value $i', $(( i * 37 % 101 )));"; done; echo 'commit;'; } | sqlite3 d
sqlite3 d 'select count(*), sum(n), max(v) from t; begin; delete from t; rollback; select count(*) from t; pragma integrity_check; pragma journal_mode=wal; insert into t values(9999, "w", 1); select count(*) from t;'
for i in 1 2 3; do (for j in 1 2 3 4 5; do sqlite3 -cmd '.timeout 20000' d "insert into t(v, n) values('p$i', $j);" || echo failed; done) & done; wait; sqlite3 d "select count(*) from t; select count(*) from t where v like 'p%'; vacuum; pragma integrity_check; pragma wal_checkpoint(truncate);"
sqlite3 d 'select v, n from t order by v, n' | sha256sum; sqlite3 d .dump | sqlite3 e && sqlite3 e 'select count(*), sum(n) from t'; cat > s.sql <<< '.mode csv
.output /tmp/out.csv
select * from t limit 3;'
sqlite3 d < s.sql && cat out.csv; ls /tmp
