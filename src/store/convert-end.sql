-- Drops the tables of the old version.

DROP VIEW temp.converted;
DROP TABLE before_attempt;
DROP TABLE before_edit;
DROP TABLE before_outbox;
DROP TABLE before_proposal;
DROP TABLE before_revision;
DROP TABLE before_train_plan;
DROP TABLE before_prompt;
DROP TABLE before_release_terms;
DROP TABLE before_release;
DROP TABLE before_workspace;
DROP TABLE before_journal;
DROP TABLE before_inbox;
DROP TABLE before_meta;
DROP TABLE temp.target_of;
DROP TABLE temp.state_of;
DROP TABLE temp.doubt_of;
DROP TABLE temp.hash_of;
DROP TABLE temp.untold;
DROP TABLE temp.file_of;
DROP TABLE temp.report_of;
DROP TABLE temp.edit_of;
DELETE FROM _sqlx_migrations;
