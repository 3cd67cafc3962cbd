package contract

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
)

// JudgeVersion is incremented whenever the judge's findings change. It is part of [Digest], so that runs judged by different rules are never treated
// as comparable. A test compares the findings for a corpus with those of the current version, and fails until the version is incremented. A change in
// the wording of a finding does not require a new version, because an audit compares verdicts, not texts.
const JudgeVersion = 3

// Digest returns the SHA-256 of the contract as data, in canonical JSON: rows with their statuses, circumstances with their variants and surfaces,
// requirements with their levels, and [JudgeVersion]. Two runs with the same digest were judged by the same contract. The names of Go fields do not
// affect the digest.
func Digest() string {
	type variant struct {
		Name      string `json:"name,omitempty"`
		Surfaces  any    `json:"surfaces"`
		Reach     Reach  `json:"reach,omitempty"`
		Needs     Level  `json:"needs,omitempty"`
		MidStream bool   `json:"mid_stream,omitempty"`
		Status    string `json:"status,omitempty"`
	}
	type circumstance struct {
		ID       string    `json:"id"`
		Row      RowID     `json:"row"`
		Sentence string    `json:"sentence"`
		Needs    Level     `json:"needs"`
		Reach    Reach     `json:"reach"`
		Variants []variant `json:"variants"`
	}
	type row struct {
		ID      RowID  `json:"id"`
		Table   int    `json:"table"`
		Key     string `json:"key"`
		Meaning string `json:"meaning"`
		Advice  string `json:"advice"`
		Classes []int  `json:"classes"`
		Exact   []int  `json:"exact,omitempty"`
		Never   []int  `json:"never,omitempty"`
		Basis   Basis  `json:"basis"`
	}
	type requirement struct {
		ID     Requirement        `json:"id"`
		Levels []RequirementLevel `json:"levels"`
		Load   LoadKind           `json:"load,omitempty"`
	}
	var content struct {
		JudgeVersion  int            `json:"judge_version"`
		Rows          []row          `json:"rows"`
		Circumstances []circumstance `json:"circumstances"`
		Requirements  []requirement  `json:"requirements"`
	}
	content.JudgeVersion = JudgeVersion
	for _, r := range rows {
		content.Rows = append(content.Rows, row{r.ID, r.Table, r.Key, r.Meaning, r.Advice, r.Status.Classes, r.Status.Exact, r.Status.Never, r.Status.Basis})
	}
	for _, c := range circumstances {
		out := circumstance{ID: c.ID, Row: c.Row, Sentence: c.Sentence, Needs: c.Needs, Reach: c.Reach}
		for _, v := range c.Variants {
			status := ""
			if v.Status != nil {
				status = fmt.Sprint(v.Status.Classes, v.Status.Exact, v.Status.Never, v.Status.Tolerated, v.Status.Basis)
			}
			out.Variants = append(out.Variants, variant{v.Name, v.Surfaces, v.Reach, v.Needs, v.MidStream, status})
		}
		content.Circumstances = append(content.Circumstances, out)
	}
	for _, d := range requirements {
		content.Requirements = append(content.Requirements, requirement{d.ID, d.Levels, d.Load})
	}
	canonical, err := json.Marshal(content)
	if err != nil {
		return fmt.Sprintf("unknown: %v", err) // strings, numbers and lists always marshal
	}
	sum := sha256.Sum256(canonical)
	return "sha256:" + hex.EncodeToString(sum[:])
}
