// Package watch certifies a target repeatedly: it runs at an interval, keeps the latest runs and the history of their outcomes in a folder, reports
// each change once, and serves all of this to browsers and to Prometheus.
//
// The package does not perform the runs itself; [Config].Play does. An unreachable or inconclusive gateway is an outcome like any other.
package watch
