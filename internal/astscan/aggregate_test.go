package astscan

import "testing"

func TestHolder_leavesOutVersionsAndEvents(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		below, folder string
		moved         bool
	}{
		{"domain/user/events/v1", "domain/user", true},
		{"domain/user/v1/events", "domain/user", true},
		{"domain/purchase_order/v2", "domain/purchase_order", true},
		{"domain/user/events", "domain/user", true},
		{"events/v1", "", true},
		{"domain/user", "domain/user", false},
		{"events/user", "events/user", false},
		{"", "", false},
	} {
		if folder, moved := holder(test.below); folder != test.folder || moved != test.moved {
			t.Errorf("holder(%q) = %q, %v, want %q, %v", test.below, folder, moved, test.folder, test.moved)
		}
	}
}

func TestUpperCamel(t *testing.T) {
	t.Parallel()
	for words, want := range map[string]string{
		"user": "User", "purchase_order": "PurchaseOrder", "purchase-order": "PurchaseOrder", "purchaseOrder": "PurchaseOrder",
		"a.b": "AB", "_x_": "X", "über": "Über", "order2go": "Order2go", "HTTP": "HTTP", "": "",
	} {
		if got := upperCamel(words); got != want {
			t.Errorf("upperCamel(%q) = %q, want %q", words, got, want)
		}
	}
}

func TestModuleName_leavesOutTheMajorVersion(t *testing.T) {
	t.Parallel()
	for path, want := range map[string]string{
		"example.com/shop": "shop", "example.com/shop/v2": "shop", "shop": "shop", "v2": "v2", "gopkg.in/shop.v3": "shop.v3",
	} {
		if got := moduleName(path); got != want {
			t.Errorf("moduleName(%q) = %q, want %q", path, got, want)
		}
	}
}
