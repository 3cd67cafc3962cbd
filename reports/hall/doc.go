// Package hall lays out the results of many gateways as static pages: gateways by rows, what each answered in the cases of a row, and
// each gateway over time.
//
// The logs come from strangers. [Read] audits every one of them, and refuses what does not prove its verdicts, is incomplete, was
// judged by another contract or at another level than the rest, or is too old; each [Refusal] has its reason and stands on the page.
// [Hall.Write] writes the pages. The same logs on the same day give the same bytes.
package hall
