// Package watch certifies a target again and again: it runs at an interval, keeps the last runs and the history of their
// outcomes in a folder, reports each change once, and serves all of it to browsers and to Prometheus.
//
// It does not play the runs itself: [Config].Play does. An unreachable or inconclusive gateway is an outcome like any other.
package watch
