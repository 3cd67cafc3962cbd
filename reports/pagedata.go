package reports

import (
	"encoding/json"
	"fmt"
	"slices"

	"github.com/gatecert/gatecert/contract"
	"github.com/gatecert/gatecert/dialect"
)

// evidenceLimit bounds the cases, their evidence and what clients do in a page, in bytes. What a page adds around them stays below 300 KiB.
const evidenceLimit = 2000 << 10

// pageCases is what the page's script reads at once.
type pageCases struct {
	Cases []json.RawMessage `json:"cases"`
	// Left is the number of cases that do not fit on the page.
	Left int `json:"left,omitempty"`
}

// pageData is what the page's script reads when somebody first asks for evidence.
type pageData struct {
	// Evidence has an element for each case. The element is null if only the log contains the evidence.
	Evidence []json.RawMessage `json:"evidence"`
	// Texts are the texts that cases share, without duplicates.
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

// newPageData encodes the cases, and as much evidence as there is room for in bytes: all of it, else shorter bodies, else evidence for the
// worst cases only. When the names alone do not fit, the best cases are left out.
func newPageData(entries []pageEntry, m Matrix, room int) (cases, evidence []byte, err error) {
	list, data := pageCases{Cases: []json.RawMessage{}}, pageData{Rules: pageRules(m)}
	entries = slices.Clone(entries)
	compare := inOrder(contract.Verdicts())
	slices.SortStableFunc(entries, func(a, b pageEntry) int { return compare(b.Verdict, a.Verdict) })
	texts := &pageTexts{list: []string{}}
	for i, e := range entries {
		encoded, err := json.Marshal(newPageCase(e))
		if err != nil {
			return nil, nil, fmt.Errorf("page data: %w", err)
		}
		if room -= len(encoded) + len("null,"); room < 0 {
			list.Left = len(entries) - i
			break
		}
		list.Cases = append(list.Cases, encoded)
	}
	for _, limit := range []int{8 << 10, 2 << 10, 512} {
		var fits bool
		if data.Evidence, fits, err = pageEvidences(entries[:len(list.Cases)], texts, room, limit); err != nil {
			return nil, nil, err
		}
		if fits {
			break
		}
	}
	data.Texts = texts.list
	if cases, err = json.Marshal(list); err == nil {
		evidence, err = json.Marshal(data)
	}
	if err != nil {
		return nil, nil, fmt.Errorf("page data: %w", err)
	}
	return cases, evidence, nil
}

// pageEvidences encodes the evidence of cases, as long as there is room in bytes, and null for the others. fits reports whether
// there was room for all.
func pageEvidences(entries []pageEntry, texts *pageTexts, room, limit int) (list []json.RawMessage, fits bool, err error) {
	list = slices.Repeat([]json.RawMessage{json.RawMessage("null")}, len(entries))
	for i, e := range entries {
		encoded, err := json.Marshal(newPageEvidence(e.Case, e.Traces, texts, limit))
		if err != nil {
			return nil, false, fmt.Errorf("page data: %w", err)
		}
		if room -= len(encoded); room < texts.size {
			return list, false, nil
		}
		list[i] = encoded
	}
	return list, true, nil
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

// RowFacts returns what the contract states about a row in addition to its meaning: the cause or advice, the status, and the position of the code.
func RowFacts(row contract.Row) []Fact {
	advice, basis := "common cause", string(row.Status.Basis)
	if row.Table == 2 {
		advice = "what to do"
	}
	if row.Status.Basis == contract.Derived {
		basis += ": any other status of the same class causes only a warning"
	}
	facts := []Fact{{advice, row.Advice}, {"status", row.Status.String() + " (" + basis + ")"}}
	if code := row.Code(); code != "" {
		for _, d := range dialect.Dialects() {
			facts = append(facts, Fact{string(d), fmt.Sprintf("%q in %s of %s", code, d.CodePlace(), d.EnvelopeShape())})
		}
	}
	return facts
}
