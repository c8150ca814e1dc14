pragma foreign_keys = off;
begin;
CREATE TABLE recordings (
    name text primary key, kind text not null, place text not null, cwd text not null,
    run_id text, lease_token text, ended integer not null default 0, refused text, memo text not null default '{}',
    holder text, held_until integer not null default 0, created_at integer not null
  , process text, trouble text, appended integer, session text, agent_process text, agent text, last_heard integer, activity text, beat_due integer, beaten integer not null default 0, agent_proven integer not null default 0, last_cwd text) strict;
CREATE TABLE calls (
    id integer primary key autoincrement,
    name text not null references recordings (name),
    operation text not null, input text not null, key text not null
  ) strict;
CREATE TABLE notes (
    id integer primary key autoincrement,
    name text not null references recordings (name) on delete cascade,
    at integer not null, key text not null, due integer not null, settled integer not null default 0, seen text not null, git text,
    unique (name, key)
  ) strict;
CREATE TABLE acts (
    id integer primary key autoincrement,
    name text not null references recordings (name) on delete cascade,
    root text, path text, target text, began integer not null, ended integer, git text
  ) strict;
CREATE TABLE session_processes (
    name text not null references recordings (name) on delete cascade,
    process text not null,
    primary key (name, process)
  ) strict;
insert into recordings (name, kind, place, cwd, run_id, lease_token, ended, refused, memo, holder, held_until, created_at, process, trouble, appended, session, agent_process, agent, last_heard, activity, beat_due, beaten, agent_proven, last_cwd) values ('exec-unsent', 'exec', '{"kind":"local","databaseUrl":"sqlite:{folder}/conduct.db","project":"shop"}', '{folder}', NULL, NULL, 1, NULL, '{}', NULL, 0, 1795572000000, '{"machine":"vm pid:[4026531836]","pid":2296,"started":"49917"}', NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, 0, 0, NULL);
insert into recordings (name, kind, place, cwd, run_id, lease_token, ended, refused, memo, holder, held_until, created_at, process, trouble, appended, session, agent_process, agent, last_heard, activity, beat_due, beaten, agent_proven, last_cwd) values ('exec-begun', 'exec', '{"kind":"local","databaseUrl":"sqlite:{folder}/conduct.db","project":"shop"}', '{folder}', 'RUN-BEGUN', 'token-of-the-run-that-has-begun-already', 0, NULL, '{}', NULL, 0, 1795572000001, '{"machine":"vm pid:[4026531836]","pid":2296,"started":"49917"}', NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, 0, 0, NULL);
insert into recordings (name, kind, place, cwd, run_id, lease_token, ended, refused, memo, holder, held_until, created_at, process, trouble, appended, session, agent_process, agent, last_heard, activity, beat_due, beaten, agent_proven, last_cwd) values ('exec-refused', 'exec', '{"kind":"local","databaseUrl":"sqlite:{folder}/conduct.db","project":"shop"}', '{folder}', NULL, NULL, 1, 'There is no run ''RUN-BEGUN'' in project ''shop''.', '{}', NULL, 0, 1795572000002, '{"machine":"vm pid:[4026531836]","pid":2296,"started":"49917"}', NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, 0, 0, NULL);
insert into recordings (name, kind, place, cwd, run_id, lease_token, ended, refused, memo, holder, held_until, created_at, process, trouble, appended, session, agent_process, agent, last_heard, activity, beat_due, beaten, agent_proven, last_cwd) values ('mcp-open', 'mcp', '{"kind":"local","databaseUrl":"sqlite:{folder}/conduct.db","project":"shop"}', '{folder}', 'RUN-MCP', 'token-of-mcp', 0, NULL, '{}', NULL, 0, 1795572000003, '{"machine":"vm pid:[4026531836]","pid":2296,"started":"49917"}', NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, 0, 0, NULL);
insert into recordings (name, kind, place, cwd, run_id, lease_token, ended, refused, memo, holder, held_until, created_at, process, trouble, appended, session, agent_process, agent, last_heard, activity, beat_due, beaten, agent_proven, last_cwd) values ('claude-new', 'hook', '{"kind":"local","databaseUrl":"sqlite:{folder}/conduct.db","project":"shop"}', '{folder}', NULL, NULL, 0, NULL, '{}', NULL, 0, 1795572000004, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, 0, 0, NULL);
insert into recordings (name, kind, place, cwd, run_id, lease_token, ended, refused, memo, holder, held_until, created_at, process, trouble, appended, session, agent_process, agent, last_heard, activity, beat_due, beaten, agent_proven, last_cwd) values ('claude-begun', 'hook', '{"kind":"local","databaseUrl":"sqlite:{folder}/conduct.db","project":"shop"}', '{folder}', NULL, NULL, 0, NULL, '{"begun":true,"turn":{"prompts":["Write the docs"],"tools":{},"files":[],"commands":[]}}', NULL, 0, 1795572000012, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, 0, 0, NULL);
insert into calls (id, name, operation, input, key) values (1, 'exec-unsent', 'createRun', '{"title":"npm test","leaseSeconds":60}', 'key-1');
insert into calls (id, name, operation, input, key) values (2, 'exec-unsent', 'appendToRun', '{"text":"one\n"}', 'key-2');
insert into calls (id, name, operation, input, key) values (3, 'exec-unsent', 'appendToRun', '{"text":"two ✓\n"}', 'key-3');
insert into calls (id, name, operation, input, key) values (4, 'exec-unsent', 'updateRun', '{"status":"completed","labels":{"exit-code":"0"}}', 'key-4');
insert into calls (id, name, operation, input, key) values (5, 'exec-begun', 'appendToRun', '{"text":"three\n"}', 'key-5');
insert into calls (id, name, operation, input, key) values (6, 'exec-refused', 'createCheck', '{"runId":"RUN-BEGUN","name":"tests","result":"pass"}', 'key-6');
insert into calls (id, name, operation, input, key) values (7, 'claude-begun', 'createRun', '{"title":"Write the docs","leaseSeconds":7200}', 'claude-begun');
insert into notes (id, name, at, key, due, settled, seen, git) values (1, 'claude-new', 1795572000005, 'n1', 1, 0, '{"agent":"claude-code","session":"new","cwd":"{folder}","step":{"kind":"prompt","text":"Fix the login"}}', NULL);
insert into notes (id, name, at, key, due, settled, seen, git) values (2, 'claude-new', 1795572000007, 'n2', 0, 0, '{"agent":"claude-code","session":"new","cwd":"{folder}","step":{"kind":"tool","tool":"Bash","command":"npm test","exitCode":1}}', NULL);
insert into notes (id, name, at, key, due, settled, seen, git) values (3, 'claude-new', 1795572000009, 'n3', 1, 0, '{"agent":"claude-code","session":"new","cwd":"{folder}","step":{"kind":"turn"}}', NULL);
insert into notes (id, name, at, key, due, settled, seen, git) values (4, 'claude-new', 1795572000011, 'n4', 1, 0, '{"agent":"claude-code","session":"new","cwd":"{folder}","step":{"kind":"end"}}', NULL);
insert into notes (id, name, at, key, due, settled, seen, git) values (5, 'claude-begun', 1795572000013, 'b1', 1, 1, '', NULL);
insert into notes (id, name, at, key, due, settled, seen, git) values (6, 'claude-begun', 1795572000015, 'b2', 1, 0, '{"agent":"claude-code","session":"begun","cwd":"{folder}","step":{"kind":"turn"}}', NULL);
delete from sqlite_sequence;
insert into sqlite_sequence (name, seq) values ('calls', 7);
insert into sqlite_sequence (name, seq) values ('notes', 6);
CREATE INDEX calls_by_name on calls (name, id);
CREATE INDEX notes_by_name on notes (name, id) where settled = 0;
CREATE INDEX recordings_by_cwd on recordings (cwd, created_at) where ended = 0;
CREATE INDEX recordings_by_run on recordings (run_id) where ended = 0;
CREATE INDEX acts_by_name on acts (name, target) where ended is null;
CREATE INDEX acts_by_time on acts (began);
CREATE INDEX session_processes_by_process on session_processes (process);
CREATE INDEX acts_by_target on acts (name, target) where git is not null;
commit;
pragma user_version = 8;
