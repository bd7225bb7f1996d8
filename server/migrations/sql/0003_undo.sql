drop table app_window;
drop table rate_limit;
drop trigger review_open on conflict;
drop trigger review_open on mutation_log;
drop function review_open_conflict, review_open_quarantined, wo_in;
