-- shop: orders of each customer
select
	o.customer,
	count(*) as orders,
	count(*) filter (where o.status = 'open') as open,
	cast(coalesce(sum(l.cents), 0) as bigint) as cents,
	min(o.currency) as currency
from customer_orders as o
left join (
	select
		order_id,
		sum(cents) as cents
	from customer_order_lines
	group by order_id
) as l on l.order_id = o.order_id
group by o.customer
order by min(o.placed_at)
limit cast($1 as bigint)
