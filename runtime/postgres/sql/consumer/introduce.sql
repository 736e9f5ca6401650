-- eventmap: create the checkpoint that stands for a consumer itself
insert into {{.Checkpoints}} (consumer, log)
values ($1::text, '')
on conflict (consumer, log) do nothing
returning 1
