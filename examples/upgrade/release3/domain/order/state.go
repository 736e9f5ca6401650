package order

// Order is what the events of an order come to, whichever release they are of.
//
//eventmap:aggregate
type Order struct {
	CustomerID   string
	Street, City string
	Pieces       int
	Cents        int64 // what it costs
	Paid         int64 // in cents
}

// OnPlaced begins the order.
func (o *Order) OnPlaced(e Placed) { o.CustomerID = e.CustomerID }

// OnPlacedWithAddress begins the order as releases 1 and 2 did.
func (o *Order) OnPlacedWithAddress(e PlacedWithAddress) {
	o.OnPlaced(Placed{CustomerID: e.CustomerID})
	o.OnDeliveryChosen(DeliveryChosen{Street: e.Street, City: e.City})
}

// OnDeliveryChosen says where it goes.
func (o *Order) OnDeliveryChosen(e DeliveryChosen) { o.Street, o.City = e.Street, e.City }

// OnItemAdded adds to what it costs.
func (o *Order) OnItemAdded(e ItemAdded) {
	quantity := max(e.Quantity, 1)
	o.Pieces += quantity
	o.Cents += e.Cents * int64(quantity)
}

// OnDiscounted takes off what was promised then.
func (o *Order) OnDiscounted(e Discounted) { o.Cents -= o.Cents * int64(e.Percent) / 100 }

// OnPaymentReceived adds to what is paid.
func (o *Order) OnPaymentReceived(e PaymentReceived) { o.Paid += e.Cents }
