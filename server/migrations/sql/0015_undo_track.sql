alter table position_track no force row level security;
alter table position_track rename to position_track_days;
alter index position_track_pkey rename to position_track_days_pkey;

create table position_track (
    org_id uuid not null,
    device_id uuid not null,
    seq bigint not null,
    person_id uuid not null,
    place geography(point, 4326) not null,
    accuracy_m integer not null,
    fixed_at timestamptz not null,
    primary key (org_id, device_id, seq),
    constraint position_track_org_id_device_id_fkey foreign key (org_id, device_id) references device (org_id, id),
    constraint position_track_org_id_fkey foreign key (org_id) references organisation (id) on delete cascade
);
create index position_track_org_id_person_id_fixed_at_idx on position_track (org_id, person_id, fixed_at);
insert into position_track (org_id, device_id, seq, person_id, place, accuracy_m, fixed_at)
select org_id, device_id, seq, person_id, place, accuracy_m, fixed_at from position_track_days
on conflict do nothing;
drop table position_track_days;

drop policy door on position_policy;
drop function make_track_days, drop_track_days, position_seen;
