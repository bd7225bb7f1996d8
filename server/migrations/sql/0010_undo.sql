alter table assignment_decision no force row level security;
delete from assignment_decision where decided_by is null;
update assignment_decision set candidates = candidates || excluded;
alter table assignment_decision force row level security;
