-- eventmap: create a log
insert into {{.Logs}} as l (log)
values ($1::text)
on conflict (log) do update
set dropped_at = null
where l.dropped_at is not null
