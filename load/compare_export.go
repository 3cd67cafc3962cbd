package load

import (
	"encoding/json"
	"io"
)

// comparedJSON is the form of a comparison in a file.
type comparedJSON struct {
	Schema      string           `json:"schema"`
	A           string           `json:"a"`
	B           string           `json:"b"`
	Rate        float64          `json:"rate"`
	Arrivals    string           `json:"arrivals"`
	Rounds      int              `json:"rounds"`
	Asked       int              `json:"rounds_asked"`
	Discarded   int              `json:"rounds_discarded"`
	Seconds     float64          `json:"seconds_per_half"`
	Differences []differenceJSON `json:"differences"`
	Verdict     string           `json:"verdict"`
}

type differenceJSON struct {
	Metric     string  `json:"metric"`
	Unit       string  `json:"unit"`
	A          float64 `json:"a"`
	B          float64 `json:"b"`
	Added      float64 `json:"added"`
	Low        float64 `json:"low"`
	High       float64 `json:"high"`
	Detectable float64 `json:"detectable"`
	Found      bool    `json:"found"`
}

// WriteComparedJSON writes a comparison as JSON ("schema": "gatecert.compare/1"). Times are in seconds.
func WriteComparedJSON(w io.Writer, c Compared) error {
	out := comparedJSON{
		Schema: "gatecert.compare/1", A: c.A, B: c.B, Rate: c.Rate, Arrivals: c.Arrivals.String(), Rounds: c.Rounds, Asked: c.Asked,
		Discarded: c.Discarded, Seconds: c.Duration.Seconds(), Differences: []differenceJSON{}, Verdict: string(c.Verdict()),
	}
	for _, d := range c.Differences {
		unit := "s"
		if d.IsShare() {
			unit = "share"
		}
		out.Differences = append(out.Differences, differenceJSON{
			d.Metric, unit, d.A, d.B, d.Added.Value, d.Added.Low, d.Added.High, d.Detectable, d.Found(),
		})
	}
	encoder := json.NewEncoder(w)
	encoder.SetIndent("", "  ")
	return encoder.Encode(out)
}
