-- shop: what was ordered, paid and shipped
with seen as (
    select
        aggregate_id,
        aggregate_version,
        format('order_item_added_v1: %s x %s', line ->> 'quantity', line ->> 'sku') as line
    from order_item_added_v1
    union all
    select
        aggregate_id,
        aggregate_version,
        format('order_paid_v1: %s cents by %s', amount ->> 'cents', method)
    from order_paid_v1
    union all
    select
        aggregate_id,
        aggregate_version,
        format('order_shipped_v1: with %s', carrier)
    from order_shipped_v1
)
select line
from seen
where aggregate_id = cast($1 as text)
order by aggregate_version
