-- What the shop knows of its customers' orders: a read model, made of the events of orders and of nothing else.

create table customer_orders (
	order_id  text not null primary key,
	customer  text not null,
	currency  text not null,
	placed_at timestamptz not null,
	status    text not null default 'open'
);

create index customer_orders_customer_idx on customer_orders (customer);

create table customer_order_lines (
	order_id text not null references customer_orders,
	sku      text not null,
	cents    bigint not null,
	primary key (order_id, sku)
);
