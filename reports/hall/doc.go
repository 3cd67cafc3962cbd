// Package hall writes the results of many gateways as static pages: a matrix of gateways and rows, the responses of each gateway in the cases of a
// row, and the results of each gateway over time.
//
// The logs come from strangers. [Read] audits every log. It rejects a log that does not prove its verdicts, is incomplete, was judged by another
// contract or at another level than the rest, or is too old. Each [Refusal] states its reason and appears on the page. [Hall.Write] writes the pages.
// The same logs on the same day always result in the same bytes.
package hall
