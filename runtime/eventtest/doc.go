// Package eventtest tests domains, and what is generated for them, without a database.
//
//	shopstoretest.OrderScenario(t).
//		Given(order.Placed{Currency: "EUR"}).
//		When(func(o order.Order) ([]order.Event, error) { return o.Pay("card") }).
//		Then(order.Paid{Method: "card"})
//
// A [Scenario] tests what an aggregate decides; generated code begins one. A [Store] in memory, a [Clock] and [IDs] are for
// tests of code that appends and reads; [Deliver] and [Record] for tests of consumers. The rest is what generated tests are
// written in: that every event survives being stored, and can be read for ever.
package eventtest
