package reports

import (
	"encoding/json"
	"fmt"
	"slices"

	"github.com/gatecert/gatecert/contract"
	"github.com/gatecert/gatecert/dialect"
)

// evidenceLimit bounds the evidence in a page, in bytes of JSON. What a page adds around it stays below 300 KiB.
const evidenceLimit = 2000 << 10

type pageData struct {
	Cases []json.RawMessage `json:"cases"`
	// Left is the number of cases for which the page has no room.
	Left int `json:"left,omitempty"`
	// Texts are what cases have in common, each once.
	Texts []string `json:"texts"`
	// Rules explain the rows of the contract by their ids.
	Rules map[contract.RowID]pageRule `json:"rules"`
}

type pageRule struct {
	Title         string             `json:"title"`
	Facts         [][2]string        `json:"facts"`
	Circumstances []pageCircumstance `json:"circumstances"`
}

type pageCircumstance struct {
	ID       string      `json:"id"`
	Sentence string      `json:"sentence"`
	Needs    string      `json:"needs"`
	Variants [][2]string `json:"variants"` // name, sentence
}

// newPageData encodes the cases with as much evidence as fits the page: all of it, else shorter bodies, else evidence for the
// worst cases only. When the names alone do not fit, the best cases are left out.
func newPageData(entries []pageEntry, m Matrix) ([]byte, error) {
	data := pageData{Rules: pageRules(m), Cases: []json.RawMessage{}}
	entries = slices.Clone(entries)
	compare := inOrder(contract.Verdicts())
	slices.SortStableFunc(entries, func(a, b pageEntry) int { return compare(b.Verdict, a.Verdict) })
	room, texts := evidenceLimit, &pageTexts{list: []string{}}
	for i, e := range entries {
		bare, err := json.Marshal(newPageCase(e, texts, 0))
		if err != nil {
			return nil, fmt.Errorf("page data: %w", err)
		}
		if room -= len(bare); room < 0 {
			data.Left = len(entries) - i
			break
		}
		data.Cases = append(data.Cases, bare)
	}
	for _, limit := range []int{8 << 10, 2 << 10, 512} {
		cases, fits, err := withEvidence(entries, data.Cases, texts, room, limit)
		if err != nil {
			return nil, err
		}
		if fits || limit == 512 {
			data.Cases = cases
			break
		}
	}
	data.Texts = texts.list
	encoded, err := json.Marshal(data)
	if err != nil {
		return nil, fmt.Errorf("page data: %w", err)
	}
	return encoded, nil
}

// withEvidence returns the bare cases with their evidence, as long as there is room in bytes. fits reports whether there
// was room for all.
func withEvidence(entries []pageEntry, bare []json.RawMessage, texts *pageTexts, room, limit int) (cases []json.RawMessage, fits bool, err error) {
	cases = slices.Clone(bare)
	for i := range cases {
		whole, err := json.Marshal(newPageCase(entries[i], texts, limit))
		if err != nil {
			return nil, false, fmt.Errorf("page data: %w", err)
		}
		if room -= len(whole) - len(bare[i]); room < texts.size {
			return cases, false, nil
		}
		cases[i] = whole
	}
	return cases, true, nil
}

// pageRules explains the rows of the matrix that are in the contract.
func pageRules(m Matrix) map[contract.RowID]pageRule {
	rules := make(map[contract.RowID]pageRule)
	for _, r := range m.Rows {
		if row, known := contract.RowByID(r.ID); known {
			rules[r.ID] = newPageRule(row)
		}
	}
	return rules
}

func newPageRule(row contract.Row) pageRule {
	rule := pageRule{Title: row.Key + ": " + row.Meaning}
	for _, f := range RowFacts(row) {
		rule.Facts = append(rule.Facts, [2]string{f.Label, f.Text})
	}
	for _, c := range contract.Circumstances() {
		if c.Row != row.ID {
			continue
		}
		circumstance := pageCircumstance{ID: c.ID, Sentence: c.Sentence, Needs: string(c.Needs), Variants: [][2]string{}}
		for _, v := range c.Variants {
			circumstance.Variants = append(circumstance.Variants, [2]string{v.Name, v.Sentence})
		}
		rule.Circumstances = append(rule.Circumstances, circumstance)
	}
	return rule
}

// RowFacts are what the contract says about a row apart from its meaning: cause or advice, status, and where its code is.
func RowFacts(row contract.Row) []Fact {
	advice, basis := "common cause", string(row.Status.Basis)
	if row.Table == 2 {
		advice = "what to do"
	}
	if row.Status.Basis == contract.Derived {
		basis += ": another status of the class is a warning"
	}
	facts := []Fact{{advice, row.Advice}, {"status", row.Status.String() + " (" + basis + ")"}}
	if code := row.Code(); code != "" {
		for _, d := range dialect.Dialects() {
			facts = append(facts, Fact{string(d), fmt.Sprintf("%q in %s of %s", code, d.CodePlace(), d.EnvelopeShape())})
		}
	}
	return facts
}
