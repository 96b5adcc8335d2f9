package rounds

import "testing"

func TestRatioIsOfTheSameRound(t *testing.T) {
	r := Results{}
	for _, v := range [][2]float64{{10, 5}, {100, 50}, {30, 10}} { // the second round was disturbed
		r.Add("ours", "x", v[0])
		r.Add("udp", "x", v[1])
	}
	if v, ok := r.Ratio("ours", "udp", "x"); !ok || v != 2 {
		t.Errorf("ratio %v, %v; want 2", v, ok)
	}
	if v, ok := r.Median("ours", "x"); !ok || v != 30 {
		t.Errorf("median %v, %v; want 30", v, ok)
	}
	if _, ok := r.Ratio("ours", "pion", "x"); ok {
		t.Error("a ratio to what was not measured")
	}
	if v, _ := median([]float64{4, 1, 3, 2}); v != 2.5 {
		t.Errorf("median of four %v", v)
	}
}

func TestCell(t *testing.T) {
	for _, c := range []struct {
		v      float64
		ok     bool
		digits int
		want   string
	}{{0, false, 1, "-"}, {1234567.4, true, 0, "1,234,567"}, {999, true, 0, "999"}, {2.345, true, 1, "2.3"}} {
		if got := Cell(c.v, c.ok, c.digits); got != c.want {
			t.Errorf("Cell(%v, %v, %d) = %q, want %q", c.v, c.ok, c.digits, got, c.want)
		}
	}
}
