// Package customer is about people whom their streams name.
package customer

// ID identifies a customer.
type ID string

// An Event is something that happened to a customer.
//
//eventmap:events Customer
type Event interface{ customerEvent() }

// Registered begins a customer.
type Registered struct {
	Email string `json:"email"` //eventmap:personal
	Plan  string `json:"plan"`
}

// Renamed was stored before its field had the mark, too.
type Renamed struct {
	Name string `json:"name"` //eventmap:personal
}

// Left says that the customer is to be forgotten.
//
//eventmap:forget
type Left struct {
	Reason string `json:"reason"`
}

// Reported says that somebody else is to be forgotten.
//
//eventmap:forget other
type Reported struct {
	Other int64 `json:"other"` //eventmap:subject other
}

func (Registered) customerEvent() {}
func (Renamed) customerEvent()    {}
func (Left) customerEvent()       {}
func (Reported) customerEvent()   {}

// A Customer is what the events come to.
//
//eventmap:aggregate id=ID subject
type Customer struct {
	Email, Name string
	HasLeft     bool
}

// OnRegistered begins the customer.
func (c *Customer) OnRegistered(e Registered) { c.Email = e.Email }

// OnRenamed changes the name.
func (c *Customer) OnRenamed(e Renamed) { c.Name = e.Name }

// OnLeft ends it.
func (c *Customer) OnLeft(Left) { c.HasLeft = true }

// OnReported changes nothing.
func (c *Customer) OnReported(Reported) {}
