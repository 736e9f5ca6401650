-- catalog: what a database holds beside the system's own, one line for each thing, in an order that does not depend on
-- when it was made.
with namespace as (
    select oid, nspname
    from pg_namespace
    where nspname !~ '^pg_' and nspname <> 'information_schema'
),
relation as (
    select c.*, format('%I.%I', n.nspname, c.relname) as name
    from pg_class c
    join namespace n on n.oid = c.relnamespace
),
line (owner, place, text) as (
    select '', nspname::text, 'schema ' || quote_ident(nspname)
    from namespace
    where nspname <> 'public'
  union all
    select '', n.nspname || 'right' || a.grantee || a.privilege_type,
        concat_ws(' ', '  right to', lower(a.privilege_type), 'for', a.grantee::regrole)
    from pg_namespace n
    cross join aclexplode(n.nspacl) a
    where n.oid in (select oid from namespace where nspname <> 'public') and a.grantee <> n.nspowner
  union all
    select name, '0', concat_ws(' ', 'table', name, 'partition by ' || pg_get_partkeydef(oid),
        'with ' || array_to_string(reloptions, ', '), '-- ' || obj_description(oid, 'pg_class'))
    from relation
    where relkind in ('r', 'p') and not relispartition
  union all -- of a partition, what its table does not say already
    select r.name, '8' || c.name, concat_ws(' ', '  partition', c.name, pg_get_expr(c.relpartbound, c.oid),
        'with ' || array_to_string(c.reloptions, ', '))
    from relation r
    join pg_inherits i on i.inhparent = r.oid
    join relation c on c.oid = i.inhrelid
    where c.relkind = 'r'
  union all
    select r.name, '1' || to_char(a.attnum, '000'), concat_ws(' ', '  column', quote_ident(a.attname),
        format_type(a.atttypid, a.atttypmod),
        'collate ' || (select quote_ident(collname) from pg_collation where oid = a.attcollation and collname <> 'default'),
        case when a.attnotnull then 'not null' end,
        case a.attidentity when 'a' then 'identity always' when 'd' then 'identity by default' end,
        'default ' || pg_get_expr(d.adbin, d.adrelid),
        '-- ' || col_description(r.oid, a.attnum))
    from relation r
    join pg_attribute a on a.attrelid = r.oid and a.attnum > 0 and not a.attisdropped
    left join pg_attrdef d on d.adrelid = r.oid and d.adnum = a.attnum
    where r.relkind in ('r', 'p') and not r.relispartition
  union all
    select r.name, '2' || c.conname, format('  constraint %I %s', c.conname, pg_get_constraintdef(c.oid))
    from relation r
    join pg_constraint c on c.conrelid = r.oid
    where c.coninhcount = 0 and c.contype <> 'n' -- PostgreSQL 18 lists not null here too; the columns say it already
  union all
    select r.name, '3' || i.name, '  index ' || pg_get_indexdef(i.oid) || case when not x.indisvalid then ' invalid' else '' end
    from relation r
    join pg_index x on x.indrelid = r.oid
    join relation i on i.oid = x.indexrelid
    where not i.relispartition
  union all
    select coalesce(r.name, s.name), '4' || s.name, format('  sequence %s of %s as %s start %s increment %s cache %s%s',
        s.name, coalesce(quote_ident(a.attname), 'nothing'), format_type(q.seqtypid, null), q.seqstart, q.seqincrement, q.seqcache,
        case when q.seqcycle then ' cycle' end)
    from relation s
    join pg_sequence q on q.seqrelid = s.oid
    left join pg_depend d on d.classid = 'pg_class'::regclass and d.objid = s.oid and d.deptype in ('a', 'i')
        and d.refclassid = 'pg_class'::regclass
    left join relation r on r.oid = d.refobjid
    left join pg_attribute a on a.attrelid = r.oid and a.attnum = d.refobjsubid
  union all
    select r.name, '5' || t.tgname, '  trigger ' || pg_get_triggerdef(t.oid)
    from relation r
    join pg_trigger t on t.tgrelid = r.oid and not t.tgisinternal and t.tgparentid = 0
  union all
    select name, '6', concat_ws(' ', format('relation of kind %s %s', relkind, name), regexp_replace(pg_get_viewdef(oid), '\s+', ' ', 'g'),
        '-- ' || obj_description(oid, 'pg_class'), (
            select string_agg(attname || ' ' || format_type(atttypid, null) || coalesce(' -- ' || col_description(attrelid, attnum), ''), ', ' order by attnum)
            from pg_attribute
            where attrelid = relation.oid
        ))
    from relation
    where relkind not in ('r', 'p', 'i', 'I', 'S', 't')
  union all
    select coalesce(r.name, s.name), '7' || s.name || g.who || a.privilege_type, concat_ws(' ', '  right to', lower(a.privilege_type),
        case when s.relkind = 'S' then 'of ' || s.name end, 'for', g.who)
    from relation s
    cross join aclexplode(s.relacl) a
    cross join lateral (select case a.grantee when 0 then 'public' else a.grantee::regrole::text end as who) g
    left join pg_depend d on d.classid = 'pg_class'::regclass and d.objid = s.oid and d.deptype in ('a', 'i')
        and d.refclassid = 'pg_class'::regclass and s.relkind = 'S'
    left join relation r on r.oid = d.refobjid
    where a.grantee <> s.relowner
  union all
    select 'function', p.oid::regprocedure::text, concat_ws(' ', 'function', p.oid::regprocedure, md5(p.prosrc),
        '-- ' || obj_description(p.oid, 'pg_proc'))
    from pg_proc p
    join namespace n on n.oid = p.pronamespace
    where not exists (select from pg_depend d where d.objid = p.oid and d.deptype = 'e') -- an extension's
  union all
    select 'type', t.oid::text, 'type ' || t.oid::regtype
    from pg_type t
    join namespace n on n.oid = t.typnamespace
    where t.typrelid = 0 and t.typelem = 0
)
select text from line order by owner collate "C", place collate "C";
