package gocode

import "testing"

func TestIdentifiers(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ name, exported, snake string }{
		{"Order", "Order", "order"},
		{"purchase-order", "PurchaseOrder", "purchase_order"},
		{"order.placed", "OrderPlaced", "order_placed"},
		{"HTTPServer", "HTTPServer", "http_server"},
		{"ID", "ID", "id"},
		{"OrderV2", "OrderV2", "order_v2"},
		{"snake_case_2x", "SnakeCase2x", "snake_case2x"},
		{"größe", "Größe", "größe"},
		{"type", "Type", "type"},
	} {
		if got := exported(tt.name); got != tt.exported {
			t.Errorf("exported(%q) = %q, want %q", tt.name, got, tt.exported)
		}
		if got := snake(tt.exported); got != tt.snake {
			t.Errorf("snake(%q) = %q, want %q", tt.exported, got, tt.snake)
		}
	}
	for name, want := range map[string]bool{"Order": true, "": false, "2x": false, "注文": false, "Été": true} {
		if got := isExported(exported(name)); got != want {
			t.Errorf("isExported(exported(%q)) = %t, want %t", name, got, want)
		}
	}
}

func TestQualified_doesNotSayTheAggregateTwice(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ aggregate, event, want string }{
		{"Order", "Placed", "OrderPlaced"},
		{"User", "UserRegistered", "UserRegistered"},
		{"Use", "UserRegistered", "UseUserRegistered"},
		{"Order", "Order", "Order"},
		{"User", "User2", "User2"},
	} {
		if got := qualified(tt.aggregate, tt.event); got != tt.want {
			t.Errorf("qualified(%q, %q) = %q, want %q", tt.aggregate, tt.event, got, tt.want)
		}
	}
}
