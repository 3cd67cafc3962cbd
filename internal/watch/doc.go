// Package watch certifies a target again and again: it runs at an interval, keeps the last runs and the history of their
// outcomes in a folder, reports each change once, and serves all of it to browsers and to Prometheus.
//
// It does not play the runs itself: [Config].Play does. That a gateway cannot be reached, or cannot be judged, is an outcome
// like any other.
package watch
